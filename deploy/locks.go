package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// lock is what the engine writes for a stack in a file backend
// (pkg/backend/diy/lock.go in github.com/pulumi/pulumi).
type lock struct {
	path      string
	Pid       int       `json:"pid"`
	Username  string    `json:"username"`
	Hostname  string    `json:"hostname"`
	Timestamp time.Time `json:"timestamp"`
}

// holder describes who holds the lock.
func (l lock) holder() string {
	return fmt.Sprintf("process %d of %s on %s, since %s", l.Pid, l.Username, l.Hostname, l.Timestamp.Local().Format(time.DateTime))
}

// clearLocks removes the locks that a killed engine left on the stack, and waits
// for LockWait, or fails, when an engine that runs holds it. Backends other than
// the file backend keep their own locks: the engine reports those.
func (t *Target) clearLocks(ctx context.Context, stack string, say func(string)) error {
	dir, ok, err := t.stateDir()
	if err != nil || !ok {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("name of this host, to judge the locks in %q: %w", dir, err)
	}
	deadline := time.Now().Add(t.LockWait)
	project, err := t.project()
	if err != nil {
		return err
	}
	for told := false; ; {
		held, err := heldLocks(dir, project.Name, stack, host, say)
		if err != nil || len(held) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return lockedBy(stack, held[0], host)
		}
		if !told {
			say(fmt.Sprintf("another run holds stack %q (%s); waiting up to %s for it to end", stack, held[0].holder(), t.LockWait))
			told = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func lockedBy(stack string, l lock, host string) error {
	advice := fmt.Sprintf("stack %q is held by %s: wait for it to end, or stop it with `kill -INT %d`", stack, l.holder(), l.Pid)
	if l.Hostname != host {
		advice = fmt.Sprintf("stack %q is held by %s, another machine, whose processes cannot be seen from here: if nothing runs there any more, remove the lock with `pulumi cancel --stack %s`", stack, l.holder(), stack)
	}
	return &hint{ErrLocked, advice}
}

// heldLocks returns the locks whose holder may still run and removes the others.
func heldLocks(dir, project, stack, host string, say func(string)) ([]lock, error) {
	locks, err := readLocks(dir, project, stack)
	if err != nil {
		return nil, err
	}
	var held []lock
	for _, l := range locks {
		if l.Hostname != host || engineAlive(l.Pid) {
			held = append(held, l)
			continue
		}
		if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove the lock that process %d left on stack %q when it was killed: %w", l.Pid, stack, err)
		}
		say(fmt.Sprintf("removed the lock that a killed run left on stack %q (%s)", stack, l.holder()))
	}
	return held, nil
}

// readLocks finds the locks of a stack: <state>/.pulumi/locks/organization/
// <project>/<stack>/<id>.json, or locks/<stack>/<id>.json in old layouts.
func readLocks(dir, project, stack string) ([]lock, error) {
	var locks []lock
	root := filepath.Join(dir, ".pulumi", "locks")
	ours := []string{filepath.Join(root, "organization", project, stack), filepath.Join(root, stack)}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the engine of another run has just given it back
		}
		if err != nil {
			return err
		}
		if entry.IsDir() || filepath.Ext(path) != ".json" || !slices.Contains(ours, filepath.Dir(path)) {
			return nil
		}
		l := lock{path: path}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(content, &l); err != nil {
			// Killed while writing it: it names nobody who could hold it.
			l.Hostname, _ = os.Hostname()
			l.Username = "an unfinished record"
		}
		locks = append(locks, l)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the locks of stack %q: %w", stack, err)
	}
	return locks, nil
}

// stateDir is the folder of a file backend; ok is false for other backends and
// where `pulumi login` alone knows which one it is.
func (t *Target) stateDir() (dir string, ok bool, err error) {
	backend := t.getenv("PULUMI_BACKEND_URL")
	if backend == "" {
		p, err := t.project()
		if err != nil {
			return "", false, err
		}
		backend = p.Backend.URL
	}
	path, ok := strings.CutPrefix(backend, "file://")
	if !ok {
		return "", false, nil
	}
	path, _, _ = strings.Cut(path, "?")
	if path, err = url.PathUnescape(path); err != nil {
		return "", false, fmt.Errorf("backend %q: %w", backend, err)
	}
	if rest, home := strings.CutPrefix(path, "~"); home {
		dir, err := os.UserHomeDir()
		if err != nil {
			return "", false, fmt.Errorf("backend %q: %w", backend, err)
		}
		path = filepath.Join(dir, rest)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(t.WorkDir, path)
	}
	return path, true, nil
}

// project is what Pulumi.yaml says of the project.
type project struct {
	Name    string `json:"name"`
	Backend struct {
		URL string `json:"url"`
	} `json:"backend"`
}

func (t *Target) project() (*project, error) {
	path := filepath.Join(t.WorkDir, "Pulumi.yaml")
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the project: %w", err)
	}
	var p project
	if err := yaml.Unmarshal(content, &p); err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return &p, nil
}
