//go:build !linux

package process

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// List returns the running processes of this user, by ps(1).
func List() ([]Info, error) {
	out, err := exec.Command("/bin/ps", "-U", strconv.Itoa(os.Geteuid()), "-ww", "-o", "pid=,ppid=,state=,args=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var all []Info
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Fields(line)
		const pid, parent, state, args = 0, 1, 2, 3
		if len(fields) <= args || strings.HasPrefix(fields[state], "Z") {
			continue
		}
		info := Info{Executable: fields[args], Args: fields[args:]}
		if info.PID, err = strconv.Atoi(fields[pid]); err != nil {
			return nil, fmt.Errorf("list processes: ps printed %q: %w", line, err)
		}
		if info.Parent, err = strconv.Atoi(fields[parent]); err != nil {
			return nil, fmt.Errorf("list processes: ps printed %q: %w", line, err)
		}
		all = append(all, info)
	}
	return all, nil
}

// Environment is not shown by this system.
func (i Info) Environment(string) (value string, shown bool) { return "", false }
