package main

import (
	"bytes"
	"context"
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

// usage is what a command cost.
type usage struct {
	elapsed time.Duration
	// peak is the largest sum of resident memory, in bytes, of the command and
	// all its descendants, sampled once a second: five times took 8 % of a core from
	// what was measured. Zero where /proc is missing.
	peak int64
}

func (u usage) seconds() string { return fmt.Sprintf("%.0f s", u.elapsed.Seconds()) }
func (u usage) gigabytes() string {
	return fmt.Sprintf("%.2f GB", float64(u.peak)/1e9)
}

// measureCommand runs a command to its end and reports what it cost. What it prints goes
// to a file, which is kept and named when the command fails.
func measureCommand(ctx context.Context, dir string, env []string, name string, args ...string) (usage, error) {
	output, err := os.CreateTemp("", "strongroom-bench-*.log")
	if err != nil {
		return usage{}, err
	}
	defer output.Close()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	fmt.Printf("  %s %s (what it prints: %s)\n", name, strings.Join(args, " "), output.Name())
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return usage{}, errors.Join(err, os.Remove(output.Name()))
	}
	done := make(chan struct{})
	peak := make(chan int64, 1)
	go func() {
		var most int64
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				peak <- most
				return
			case <-tick.C:
				most = max(most, residentOfTree(cmd.Process.Pid))
			}
		}
	}()
	err = cmd.Wait()
	u := usage{elapsed: time.Since(start)}
	close(done)
	u.peak = <-peak
	if err != nil {
		return u, fmt.Errorf("%s %s: %w; what it printed is in %s", name, strings.Join(args, " "), err, output.Name())
	}
	return u, os.Remove(output.Name())
}

// residentOfTree sums the resident memory of a process and its descendants.
// A process that ends while it is being read counts as nothing.
func residentOfTree(root int) int64 {
	entries, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	parent, resident := map[int]int{}, map[int]int64{}
	for _, path := range entries {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// The second field is the command in parentheses and may hold spaces.
		// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
		end := bytes.LastIndexByte(data, ')')
		fields := strings.Fields(string(data[end+1:]))
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || len(fields) < 22 {
			continue
		}
		ppid, _ := strconv.Atoi(fields[1])
		pages, _ := strconv.ParseInt(fields[21], 10, 64)
		parent[pid], resident[pid] = ppid, pages*int64(os.Getpagesize())
	}
	var sum int64
	for pid := range parent {
		for p := pid; p > 1; p = parent[p] {
			if p == root {
				sum += resident[pid]
				break
			}
		}
	}
	return sum
}

func memTotalKiB() (int64, error) {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	var kib int64
	_, err = fmt.Sscanf(string(data), "MemTotal: %d kB", &kib)
	return kib, err
}
