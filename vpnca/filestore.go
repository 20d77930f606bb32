package vpnca

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// FileStore keeps the index in a file, for the sandbox and for people without a
// bucket. Runs on one machine exclude each other by a lock on a file beside it;
// on a network file system that does not pass locks on, use a bucket.
type FileStore struct {
	// Path of the file. Its directory is made when the first index is saved.
	Path string

	kill func(point string) // for tests: where a run can be killed
}

func (s *FileStore) String() string { return s.Path }

// Load implements [Store]. A save replaces the file whole, so that no lock is
// needed to read it.
func (s *FileStore) Load(context.Context) ([]byte, string, error) {
	data, err := os.ReadFile(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the index of certificates: %w", err)
	}
	return data, contentVersion(data), nil
}

// Save implements [Store].
func (s *FileStore) Save(ctx context.Context, data []byte, version string) error {
	dir := filepath.Dir(s.Path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of the index of certificates: %w", err)
	}
	lock, err := os.OpenFile(s.Path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the index of certificates: %w", err)
	}
	defer func() { _ = lock.Close() }() // which also unlocks it
	// Held only while a small file is written, so that waiting is short.
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock the index of certificates with %s: %w", lock.Name(), err)
	}
	_, now, err := s.Load(ctx)
	if err != nil {
		return err
	}
	if now != version {
		return ErrChanged
	}
	// A run that was killed here has left this file; it was never the index.
	unfinished := s.Path + ".new"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write the index of certificates: %w", err)
	}
	if err := writeNew(unfinished, data); err != nil {
		return fmt.Errorf("write the index of certificates: %w", err)
	}
	at(s.kill, "index written beside")
	if err := os.Rename(unfinished, s.Path); err != nil {
		return fmt.Errorf("write the index of certificates: %w", err)
	}
	return syncDir(dir)
}

func contentVersion(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// writeNew makes a file that must not exist, readable by its owner alone, and
// returns when the data is on the disk.
func writeNew(path string, data []byte) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Sync()
}

// syncDir makes a rename or a new name in a directory last.
func syncDir(dir string) (err error) {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Sync()
}

// at is where a test kills the run.
func at(kill func(string), point string) {
	if kill != nil {
		kill(point)
	}
}
