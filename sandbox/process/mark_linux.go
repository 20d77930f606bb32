package process

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// startMark is the boot id and the start time in clock ticks since boot (field
// 22 of /proc/<pid>/stat, see proc_pid_stat(5)): unique until PIDs wrap within
// one tick.
func startMark(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The second field is the program's name in parentheses, which may itself
	// hold spaces and parentheses: count from the last one.
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return "", fmt.Errorf("/proc/%d/stat is not understood", pid)
	}
	fields := strings.Fields(string(stat[end+1:]))
	const state, starttime = 0, 19
	if len(fields) <= starttime {
		return "", fmt.Errorf("/proc/%d/stat is not understood", pid)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return "", fmt.Errorf("process %d has exited", pid)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[starttime], nil
}

// attributes makes a child the leader of its own process group, so that a
// terminal's Ctrl-C does not reach it, and ties its life to the thread that
// starts it: the kernel kills it when we are killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
