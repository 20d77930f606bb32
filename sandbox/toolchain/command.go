package toolchain

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tailLines is how much of a failed command's output an error shows.
const tailLines = 15

// runQuiet runs a command; an error carries the end of its output and, where
// the cause is known, what to do about it.
func runQuiet(cmd *exec.Cmd, what string) error {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	// A compiler's children must not go on when it is told to stop.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if err == nil {
		return nil
	}
	text := strings.TrimSpace(output.String())
	lines := strings.Split(text, "\n")
	if len(lines) > tailLines {
		lines = append([]string{"..."}, lines[len(lines)-tailLines:]...)
	}
	if advice := adviceFor(text); advice != "" {
		return fmt.Errorf("%s: %w: %s\n  %s", what, err, advice, strings.Join(lines, "\n  "))
	}
	return fmt.Errorf("%s: %w\n  %s", what, err, strings.Join(lines, "\n  "))
}

// adviceFor recognises causes that have nothing to do with what is built.
func adviceFor(output string) string {
	for _, known := range []struct{ text, advice string }{
		{"no space left on device", "the disk is full: free some space (`go clean -cache` frees Go's build cache) and run it again, it goes on from there"},
		{"ENOSPC", "the disk is full: free some space and run it again"},
		{"signal: killed", "the compiler was killed, most likely for want of memory: it needs about 3 GB; close something and run it again, it goes on from there"},
		{"cannot allocate memory", "memory ran out: the build needs about 3 GB; close something and run it again, it goes on from there"},
		{"dial tcp", "the module proxy or registry cannot be reached: check the network, GOPROXY and `npm config get registry`, then run it again"},
		{"ENOTFOUND", "the npm registry cannot be reached: check the network and `npm config get registry`, then run it again"},
		{"ECONNREFUSED", "the npm registry cannot be reached: check the network and `npm config get registry`, then run it again"},
		{"permission denied", "a folder is not writable by this user: see below which"},
		{"EINTEGRITY", "a package is not the one that the lockfile pins: do not use it; `npm cache clean --force` removes a damaged download"},
		{"checksum mismatch", "a module is not the one that go.sum pins: do not use it; `go clean -modcache` removes a damaged download"},
	} {
		if strings.Contains(output, known.text) {
			return known.advice
		}
	}
	return ""
}

// lookPath finds a program of the machine's own, not one that we have made.
func (o Options) lookPath(name string) (string, bool) {
	for _, dir := range filepath.SplitList(o.Path) {
		if dir == "" || !filepath.IsAbs(dir) || filepath.Clean(dir) == o.BinDir {
			continue
		}
		if path := filepath.Join(dir, name); executable(path) {
			return path, true
		}
	}
	return "", false
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// atLeast compares a decimal number with a minimum.
func atLeast(number string, least int) bool {
	n, err := strconv.Atoi(number)
	return err == nil && n >= least
}
