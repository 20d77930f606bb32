//go:build !linux

package process

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// startMark is the start time to the second as ps(1) prints it, which macOS
// and the BSDs share.
func startMark(pid int) (string, error) {
	cmd := exec.Command("ps", "-o", "state=,lstart=", "-p", strconv.Itoa(pid))
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=/bin:/usr/bin"}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("no process %d: %w", pid, err)
	}
	state, started, found := strings.Cut(strings.TrimSpace(string(out)), " ")
	if !found {
		return "", fmt.Errorf("no process %d", pid)
	}
	if strings.HasPrefix(state, "Z") {
		return "", fmt.Errorf("process %d has exited", pid)
	}
	return strings.TrimSpace(started), nil
}

// attributes makes a child the leader of its own process group. There is no
// parent-death signal here: records on disk find what a killed parent left.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
