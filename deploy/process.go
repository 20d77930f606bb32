package deploy

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func interrupt(p *os.Process) error {
	if p == nil {
		return nil
	}
	return p.Signal(os.Interrupt)
}

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// engineAlive reports whether a process with this ID runs and is a Pulumi
// engine. A process of another kind under the ID means that the engine is gone
// and its ID was given away again. A zombie has ended.
func engineAlive(pid int) bool {
	if pid <= 0 {
		return false
	}
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return false
	}
	name, state, ok := describe(pid)
	if !ok {
		// It runs and cannot be looked at: believe that it is the holder.
		return true
	}
	return !strings.HasPrefix(state, "Z") && strings.Contains(filepath.Base(name), "pulumi")
}

// describe returns the name and the state letter of a process: from /proc, and
// from ps where there is none, as on macOS.
func describe(pid int) (name, state string, ok bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err == nil {
		return parseStat(string(stat))
	}
	out, err := exec.Command("ps", "-o", "stat=,comm=", "-p", strconv.Itoa(pid)).Output() //nolint:noctx // it ends at once
	if err != nil {
		return "", "", false
	}
	state, name, ok = strings.Cut(strings.TrimSpace(string(out)), " ")
	return strings.TrimSpace(name), state, ok
}

// parseStat reads a line such as `4242 (pulumi) S 1 ...`; the name may itself
// hold spaces and brackets.
func parseStat(line string) (name, state string, ok bool) {
	_, rest, ok := strings.Cut(line, "(")
	end := strings.LastIndex(rest, ")")
	if !ok || end < 0 {
		return "", "", false
	}
	return rest[:end], strings.TrimSpace(rest[end+1:]), true
}
