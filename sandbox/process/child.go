package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Spec says what to start.
type Spec struct {
	// Name is the program's name for people and in its record.
	Name string
	// Path is the program's file, Args its arguments without the program.
	// Arguments are visible to every user of the machine: no secrets.
	Path string
	Args []string
	// Dir is the working directory; Env the whole environment.
	Dir string
	Env []string
	// Credential is whom it runs as, nil for the calling user.
	Credential *syscall.Credential
	// Log receives the program's output, appended, mode 0600.
	Log string
	// Record is the file that identifies the process while it runs; its name
	// ends in RecordSuffix.
	Record string
}

// Child is a process that ends no later than we do (on Linux the kernel sees
// to it, elsewhere its record lets the next run stop it).
type Child struct {
	spec   Spec
	record Record
	done   chan struct{}
	err    error
}

// maxLog is the size at which a log is set aside (as <log>.1) before the next
// start: a sandbox that lives for weeks must not fill the disk.
const maxLog = 16 << 20

// Start starts the program and records it.
func Start(spec Spec) (*Child, error) {
	if info, err := os.Stat(spec.Log); err == nil && info.Size() > maxLog {
		if err := os.Rename(spec.Log, spec.Log+".1"); err != nil {
			return nil, fmt.Errorf("start %s: set its log aside: %w", spec.Name, err)
		}
	}
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	cmd := exec.Command(spec.Path, spec.Args...) //nolint:noctx // Stop ends it, in order
	cmd.Dir, cmd.Env = spec.Dir, spec.Env
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes()
	cmd.SysProcAttr.Credential = spec.Credential

	child := &Child{spec: spec, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(child.done)
		defer func() { _ = log.Close() }()
		// The parent-death signal is sent when the *thread* that forked ends,
		// so that thread is kept for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			child.err = err
			started <- err
			return
		}
		started <- nil
		child.err = cmd.Wait()
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	child.record, err = Identify(spec.Name, cmd.Process.Pid)
	if err == nil {
		err = child.record.Save(spec.Record)
	}
	if err != nil {
		killed := cmd.Process.Kill()
		<-child.done
		// A program that ends at once may be gone before it was identified. Why it
		// ended is what there is to say then.
		if cmd.ProcessState != nil && cmd.ProcessState.Exited() {
			return nil, child.Failure()
		}
		return nil, errors.Join(err, killed)
	}
	return child, nil
}

// Record identifies the running child.
func (c *Child) Record() Record { return c.record }

// Done is closed when the process has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Stop ends the process as Record.Stop does and removes its record.
func (c *Child) Stop(ctx context.Context, grace time.Duration) error {
	select {
	case <-c.done:
	default:
		if err := c.record.Stop(ctx, grace); err != nil {
			return err
		}
		<-c.done
	}
	if err := os.Remove(c.spec.Record); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the record of %s: %w", c.spec.Name, err)
	}
	return nil
}

// Failure explains why an ended process ended: how it exited and the last
// lines it wrote.
func (c *Child) Failure() error {
	how := "exit status 0"
	if c.err != nil {
		how = c.err.Error()
	}
	return fmt.Errorf("%s ended (%s); last lines of %s:\n%s", c.spec.Name, how, c.spec.Log, Tail(c.spec.Log, 8))
}

// Tail returns the last n lines of the file at path, each indented, or says
// that there are none.
func Tail(path string, n int) string {
	const window = 16 << 10
	f, err := os.Open(path)
	if err != nil {
		return "  (no log: " + err.Error() + ")"
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > window {
		if _, err := f.Seek(-window, io.SeekEnd); err != nil {
			return "  (unreadable log: " + err.Error() + ")"
		}
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return "  (unreadable log: " + err.Error() + ")"
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return "  (" + filepath.Base(path) + " is empty)"
	}
	lines := strings.Split(string(data), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return "  " + strings.Join(lines, "\n  ")
}
