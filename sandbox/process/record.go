// Package process starts, records and stops the long-running processes of the
// sandbox, so that none of them outlives it unnoticed.
//
// A process is known by its PID together with the moment it was started: a PID
// alone may belong to somebody else by the time it is read back from disk.
package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// Record identifies one process across restarts of whoever wrote it.
type Record struct {
	// Name is the program's name for people, "kube-apiserver".
	Name string `json:"name"`
	// PID is the process id, also that of its process group.
	PID int `json:"pid"`
	// Started is the operating system's own mark of the moment the process
	// started. It is compared, never interpreted.
	Started string `json:"started"`
}

// pollInterval is how often a process that is not our child is asked whether
// it has gone: the system tells only a parent.
const pollInterval = 20 * time.Millisecond

// Identify records the running process pid under name.
func Identify(name string, pid int) (Record, error) {
	started, err := startMark(pid)
	if err != nil {
		return Record{}, fmt.Errorf("identify %s (pid %d): %w", name, pid, err)
	}
	return Record{Name: name, PID: pid, Started: started}, nil
}

// Alive says whether the very process that was recorded still runs. A process
// that has exited and waits for its parent to collect it counts as gone.
func (r Record) Alive() bool {
	if r.PID <= 0 {
		return false
	}
	started, err := startMark(r.PID)
	return err == nil && started == r.Started
}

// Stop asks the process to end (SIGTERM), waits up to grace, then kills it
// (SIGKILL) with its process group, and returns once it is gone. Stopping a process that
// is gone already is not an error.
func (r Record) Stop(ctx context.Context, grace time.Duration) error {
	if !r.Alive() {
		return nil
	}
	if grace > 0 {
		if err := signal(r.PID, syscall.SIGTERM); err != nil {
			return fmt.Errorf("stop %s (pid %d): %w", r.Name, r.PID, err)
		}
		if r.gone(ctx, grace) {
			return nil
		}
	}
	if err := signalGroup(r.PID, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s (pid %d): %w", r.Name, r.PID, err)
	}
	// A killed process is gone as soon as the kernel gets to it; the caller's
	// deadline no longer matters, leaving it behind would.
	if !r.gone(context.WithoutCancel(ctx), 10*time.Second) {
		return fmt.Errorf("%s (pid %d) is still there 10s after SIGKILL", r.Name, r.PID)
	}
	return nil
}

// gone polls until the process has ended, the limit has passed or ctx is done.
func (r Record) gone(ctx context.Context, limit time.Duration) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if !r.Alive() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-deadline.C:
			return !r.Alive()
		case <-tick.C:
		}
	}
}

// Save writes the record to path, whole or not at all.
func (r Record) Save(path string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record of %s: %w", r.Name, err)
	}
	if err := files.Replace(path, data, files.Private); err != nil {
		return fmt.Errorf("record of %s: %w", r.Name, err)
	}
	return nil
}

// Load reads a record; found is false where there is none. A file that cannot
// be understood is an error: it may stand for a running process.
func Load(path string) (r Record, found bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, false, nil
	}
	if err != nil {
		return Record{}, false, fmt.Errorf("read process record: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return Record{}, false, fmt.Errorf("process record %s: %w; look for the process it stood for, then remove the file", path, err)
	}
	return r, true, nil
}

// LoadAll reads every record (*.pid.json) in dir.
func LoadAll(dir string) ([]Record, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+RecordSuffix))
	if err != nil {
		return nil, fmt.Errorf("list process records in %s: %w", dir, err)
	}
	var records []Record
	for _, path := range paths {
		r, found, err := Load(path)
		if err != nil {
			return nil, err
		}
		if found {
			records = append(records, r)
		}
	}
	return records, nil
}

// RecordSuffix ends the name of every file that holds a Record.
const RecordSuffix = ".pid.json"

// signal sends sig; a process that has gone meanwhile is what was wanted.
func signal(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// signalGroup signals the process group that pid leads; where pid leads none,
// the process alone.
func signalGroup(pid int, sig syscall.Signal) error {
	if pgid, err := syscall.Getpgid(pid); err == nil && pgid == pid {
		return signal(-pid, sig)
	}
	return signal(pid, sig)
}
