package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// mend removes what an engine that was killed while it wrote has left half
// written in a file backend. The state itself is replaced in one step, but the
// file of attributes beside it (<file>.attrs, a content type and a checksum) is
// not, and an empty one makes every later command fail with "EOF". The backend
// does without it.
// https://github.com/google/go-cloud/blob/master/blob/fileblob/attrs.go
func (t *Target) mend() error {
	dir, ok, err := t.stateDir()
	if err != nil || !ok {
		return err
	}
	// The two folders that every command reads.
	for _, name := range []string{"stacks", "locks"} {
		err := filepath.WalkDir(filepath.Join(dir, ".pulumi", name), func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".attrs") {
				return err
			}
			return removeUnlessJSON(path)
		})
		if err != nil {
			return fmt.Errorf("mend the state in %q: %w", dir, err)
		}
	}
	return nil
}

func removeUnlessJSON(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a lock that was given back meanwhile
	}
	if err != nil || json.Valid(data) {
		return err
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
