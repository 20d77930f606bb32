package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// lockPoll is how often a lock that somebody else holds is asked for again.
const lockPoll = 200 * time.Millisecond

// Lock keeps others from bringing the sandbox up or down at the same time. It
// waits for whoever does, and calls waiting once, with who that is, if so. The
// system gives the lock back when its holder ends, however that happens.
func (s *Sandbox) Lock(ctx context.Context, waiting func(holder string)) (unlock func(), err error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := s.makeFolder(); err != nil {
		return nil, err
	}
	return lockFile(ctx, s.path("lock"), waiting)
}

// lockFile takes the lock at path and writes into it who has it.
func lockFile(ctx context.Context, path string, waiting func(holder string)) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock of the sandbox: %w", err)
	}
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for told := false; ; {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock of the sandbox, %s: %w", path, err), file.Close())
		}
		if !told {
			waiting(holderOf(path))
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("waiting for %s, which holds the sandbox: %w", holderOf(path), ctx.Err()), file.Close())
		case <-tick.C:
		}
	}
	holder := fmt.Sprintf("process %d (%s)", os.Getpid(), strings.Join(os.Args, " "))
	err = errors.Join(file.Truncate(0), writeAt(file, holder))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock of the sandbox, %s: %w", path, err), file.Close())
	}
	// The file stays: removing it would let two hold "the" lock.
	return func() { _ = file.Close() }, nil
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

func holderOf(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return "another process"
	}
	defer func() { _ = file.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(file, 300))
	if err != nil || len(text) == 0 {
		return "another process"
	}
	return string(text)
}
