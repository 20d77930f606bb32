// Package files writes the sandbox's files whole or not at all, and locks them.
package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Private is the mode of a file that only its owner can read.
const Private os.FileMode = 0o600

// poll is how often a lock that somebody else holds is asked for again.
const poll = 200 * time.Millisecond

// Replace writes a file of a mode beside its place and renames it into it: a
// kill at any moment leaves either the old content or the new.
func Replace(path string, data []byte, mode os.FileMode) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, data, mode); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	// WriteFile keeps the mode of a file that a kill left behind.
	if err := os.Chmod(tmp, mode); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Ensure is Replace for a file that seldom changes: one that has the content and the
// mode already is left alone, and with it the time by which others see a change.
func Ensure(path string, data []byte, mode os.FileMode) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode() == mode {
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
			return nil
		}
	}
	return Replace(path, data, mode)
}

// Lock takes the lock file, waiting for whoever has it; waits is called once if
// that happens. Closing the file gives the lock back, and so does the system
// when its holder ends, however. The file stays: removing it would let two hold
// "the" lock. Where ctx ends first, the error is that of ctx.
func Lock(ctx context.Context, path string, waits func()) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, Private)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
		}
		if !told {
			waits()
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-tick.C:
		}
	}
}
