package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// removing is a file that exists while the folder is being emptied. An account
// without the state that goes with it, or the other way round, would be worse
// than either, so a removal that was killed is finished by whoever comes next.
const removing = "removing"

// removeContents empties the folder except for what is kept.
func (s *Sandbox) removeContents() error {
	if _, err := os.Stat(s.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := files.Replace(s.path(removing), nil, files.Private); err != nil {
		return err
	}
	return s.finishRemoval()
}

// finishRemoval does nothing unless a removal has begun.
func (s *Sandbox) finishRemoval() error {
	if _, err := os.Stat(s.path(removing)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return fmt.Errorf("empty the sandbox: %w", err)
	}
	for _, entry := range entries {
		if kept[entry.Name()] || entry.Name() == removing {
			continue
		}
		if err := os.RemoveAll(s.path(entry.Name())); err != nil {
			return fmt.Errorf("empty the sandbox: %w", err)
		}
	}
	if err := os.Remove(s.path(removing)); err != nil {
		return fmt.Errorf("empty the sandbox: %w", err)
	}
	return nil
}
