package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// List returns the running processes of this user.
func List() ([]Info, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var all []Info
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue // not a process
		}
		info, found, err := inspect(pid)
		if err != nil {
			return nil, fmt.Errorf("list processes: %w", err)
		}
		if found {
			all = append(all, info)
		}
	}
	return all, nil
}

// inspect reads one process; not found where it is gone, has exited or is not
// ours.
func inspect(pid int) (Info, bool, error) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	stat, err := os.ReadFile(dir + "stat")
	if vanished(err) {
		return Info{}, false, nil
	}
	if err != nil {
		return Info{}, false, err
	}
	end := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[end+1:]))
	if end < 0 || len(fields) < 2 {
		return Info{}, false, fmt.Errorf("%sstat is not understood", dir)
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return Info{}, false, nil
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return Info{}, false, fmt.Errorf("%sstat is not understood: %w", dir, err)
	}
	info := Info{PID: pid, Parent: parent}
	owner, err := os.Stat(dir)
	if vanished(err) {
		return Info{}, false, nil
	}
	if err != nil {
		return Info{}, false, err
	}
	if stat, ok := owner.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return Info{}, false, nil
	}
	cmdline, err := os.ReadFile(dir + "cmdline")
	if vanished(err) {
		return Info{}, false, nil
	}
	if err != nil {
		return Info{}, false, err
	}
	if line := strings.TrimRight(string(cmdline), "\x00"); line != "" {
		info.Args = strings.Split(line, "\x00")
	}
	// A program that was replaced on disk since still runs.
	if exe, err := os.Readlink(dir + "exe"); err == nil {
		info.Executable = strings.TrimSuffix(exe, " (deleted)")
	}
	return info, true, nil
}

func vanished(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// Environment is the value of a variable with which the process was started;
// shown is false where the system does not tell.
func (i Info) Environment(name string) (value string, shown bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", i.PID))
	if err != nil {
		return "", false
	}
	for _, entry := range strings.Split(string(data), "\x00") {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value, true
		}
	}
	return "", true
}
