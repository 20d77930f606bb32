package process

import "strings"

// Info is a running process as the system shows it.
type Info struct {
	PID, Parent int
	// Executable is the program's file, "" where the system does not tell.
	Executable string
	// Args is the command line. Where the system shows it as one string, it
	// is split at blanks.
	Args []string
}

// String is the command line, shortened.
func (i Info) String() string {
	const limit = 120
	line := strings.Join(i.Args, " ")
	if len(line) > limit {
		line = line[:limit] + "..."
	}
	return line
}

// Ancestors returns pid and its parents up to the first process, as a set.
func Ancestors(all []Info, pid int) map[int]bool {
	parent := map[int]int{}
	for _, i := range all {
		parent[i.PID] = i.Parent
	}
	line := map[int]bool{}
	for pid > 0 && !line[pid] {
		line[pid] = true
		pid = parent[pid]
	}
	return line
}
