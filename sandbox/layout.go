package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// Layout is the number of the folder's layout. It grows when a sandbox made
// by an older program can no longer be used.
const Layout = 1

// needDisk is the free space without which Up refuses: two control planes
// write 128 MB each before they hold anything, and a full disk stops etcd.
const needDisk = 1 << 30

// LayoutError says that another version of strongroom made the folder.
type LayoutError struct {
	Dir   string
	Found int // 0: from before layouts were numbered
}

func (e *LayoutError) Error() string {
	if e.Found > Layout {
		return fmt.Sprintf("the sandbox in %s was made by a newer strongroom (layout %d, this one uses %d): use that one, or begin anew: `make clean`, then `make up`", e.Dir, e.Found, Layout)
	}
	return fmt.Sprintf("the sandbox in %s was made by an older strongroom (layout %d, this one uses %d) and cannot be carried over: begin anew: `make clean`, then `make up`", e.Dir, e.Found, Layout)
}

// Check says whether the folder can be used as it is: it does not exist, holds
// tools only, or has this layout. The error for another layout is a
// *LayoutError.
func (s *Sandbox) Check() error {
	info, err := os.Stat(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("folder of the sandbox: %w: choose another with %s", err, DirVariable)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is a file, and the sandbox needs a folder there: remove it, or choose another folder with %s", s.Dir, DirVariable)
	}
	data, err := os.ReadFile(s.path("version"))
	if errors.Is(err, fs.ErrNotExist) {
		for _, name := range []string{"account", "clusters", "state", "daemon.json"} {
			if _, err := os.Stat(s.path(name)); err == nil {
				return &LayoutError{Dir: s.Dir, Found: 0}
			}
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("layout of the sandbox: %w", err)
	}
	found, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return fmt.Errorf("%s: expected the number of a layout, got %q: begin anew: `make clean`, then `make up`", s.path("version"), strings.TrimSpace(string(data)))
	}
	if found != Layout {
		return &LayoutError{Dir: s.Dir, Found: found}
	}
	return nil
}

// prepare makes the folder, or completes it.
func (s *Sandbox) prepare() error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := s.makeFolder(); err != nil {
		return err
	}
	free, err := s.freeDisk(s.Dir)
	if err != nil {
		return err
	}
	if free < needDisk {
		return fmt.Errorf("%s has %d MB free, and the sandbox needs %d MB: free some space, or choose another folder with %s", s.Dir, free>>20, needDisk>>20, DirVariable)
	}
	if err := s.finishRemoval(); err != nil {
		return err
	}
	// The version first: from here on the folder is of this layout.
	if err := files.Replace(s.path("version"), []byte(strconv.Itoa(Layout)+"\n"), files.Private); err != nil {
		return err
	}
	for _, dir := range []string{s.BinDir(), s.AccountDir(), s.ClustersDir(), s.StateDir(), s.ProjectDir(), s.LogDir(), s.path("pulumi-home"), s.path("aws"), s.path("run"), s.path("flux")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("folder of the sandbox: %w", err)
		}
	}
	return s.ensurePassphrase()
}

// makeFolder makes Dir and proves that it can be written to.
func (s *Sandbox) makeFolder() error {
	err := os.MkdirAll(s.Dir, 0o700)
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(s.Dir, ".writable-"); err == nil {
			err = errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("the sandbox needs a folder it can write to: %w: make %s writable, or choose another with %s", err, s.Dir, DirVariable)
	}
	return nil
}

// ensurePassphrase makes the passphrase once: with another one, the state's
// secrets could not be read any more.
func (s *Sandbox) ensurePassphrase() error {
	data, err := os.ReadFile(s.PassphraseFile())
	if err == nil && len(strings.TrimSpace(string(data))) > 0 {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("passphrase of the sandbox: %w", err)
	}
	secret, err := newSecret()
	if err != nil {
		return fmt.Errorf("passphrase of the sandbox: %w", err)
	}
	return files.Replace(s.PassphraseFile(), []byte(secret), files.Private)
}
