package charts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// Mirror is a folder with real charts, as their hosts publish them, and an index that
// says where each came from. Fill fills it; without a folder there are none.
type Mirror struct{ Dir string }

// Mirrored is a chart of the mirror.
type Mirrored struct {
	Pin
	// File is below the mirror's folder, with slashes.
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	// CheckedAgainst says what the host gave to check the archive against: "the
	// repository's index", "the registry's manifest", or "nothing".
	CheckedAgainst string    `json:"checkedAgainst"`
	Fetched        time.Time `json:"fetched"`
}

// DamagedError says that a file of the mirror is not what was fetched.
type DamagedError struct {
	Chart           Pin
	Path            string
	Expected, Found string // SHA-256
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("chart %s: %s is not what was fetched from %s: its SHA-256 is %s, expected %s: run `make charts`, which fetches it again, or remove the file, and the sandbox takes a stub",
		e.Chart, e.Path, e.Chart.Source, e.Found, e.Expected)
}

type index struct {
	Charts []Mirrored `json:"charts"`
}

func (m Mirror) indexFile() string { return filepath.Join(m.Dir, "index.json") }

func (m Mirror) path(c Mirrored) string { return filepath.Join(m.Dir, filepath.FromSlash(c.File)) }

// load reads the index.
func (m Mirror) load() (index, error) {
	var i index
	if m.Dir == "" {
		return i, nil
	}
	data, err := os.ReadFile(m.indexFile())
	if errors.Is(err, fs.ErrNotExist) {
		return i, nil
	}
	if err != nil {
		return i, fmt.Errorf("the chart mirror: %w", err)
	}
	if err := json.Unmarshal(data, &i); err != nil {
		return i, fmt.Errorf("the chart mirror: %s: %w: remove the file, and run `make charts`", m.indexFile(), err)
	}
	for _, c := range i.Charts {
		if !fs.ValidPath(c.File) {
			return i, fmt.Errorf("the chart mirror: %s: chart %s: %q is no file in it: remove the index, and run `make charts`", m.indexFile(), c, c.File)
		}
	}
	return i, nil
}

func (m Mirror) save(i index) error {
	data, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	return files.Replace(m.indexFile(), append(data, '\n'), files.Private)
}

// Check reports every file that is not what was fetched.
func (m Mirror) Check() error {
	i, err := m.load()
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range i.Charts {
		_, _, err := m.read(c)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// archive reads the chart with a name and version that was fetched from a repository,
// as the paths of the registry name it. found is false where the mirror has none.
func (m Mirror) archive(repository, name, version string) (data []byte, found bool, err error) {
	i, err := m.load()
	if err != nil {
		return nil, false, err
	}
	at := slices.IndexFunc(i.Charts, func(c Mirrored) bool {
		return c.Name == name && c.Version == version && c.repository() == repository
	})
	if at < 0 {
		return nil, false, nil
	}
	return m.read(i.Charts[at])
}

// read reads a file of the mirror. One that somebody removed is not found; one that is
// not whole is a *DamagedError.
func (m Mirror) read(c Mirrored) (data []byte, found bool, err error) {
	data, err = os.ReadFile(m.path(c))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("chart %s: %w", c, err)
	}
	if got := sha256Of(data); got != c.SHA256 {
		return nil, true, &DamagedError{Chart: c.Pin, Path: m.path(c), Expected: c.SHA256, Found: got}
	}
	return data, true, nil
}

// add writes a chart and then the index, each whole or not at all.
func (m Mirror) add(i *index, pin Pin, data []byte, checked string) error {
	c := Mirrored{
		Pin: pin, File: path.Join(pin.repository(), pin.Name+"-"+pin.Version+".tgz"),
		SHA256: sha256Of(data), CheckedAgainst: checked, Fetched: time.Now().UTC().Truncate(time.Second),
	}
	if err := os.MkdirAll(filepath.Dir(m.path(c)), 0o700); err != nil {
		return fmt.Errorf("chart %s: %w", pin, err)
	}
	if err := files.Replace(m.path(c), data, files.Private); err != nil {
		return fmt.Errorf("chart %s: %w", pin, err)
	}
	i.Charts = append(without(i.Charts, pin), c)
	return m.save(*i)
}

// drop takes a chart out, so that the sandbox takes a stub.
func (m Mirror) drop(i *index, c Mirrored) error {
	i.Charts = without(i.Charts, c.Pin)
	if err := m.save(*i); err != nil {
		return err
	}
	if err := os.Remove(m.path(c)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("chart %s: %w", c, err)
	}
	return nil
}

func without(all []Mirrored, pin Pin) []Mirrored {
	return slices.DeleteFunc(all, func(c Mirrored) bool { return c.Pin == pin })
}

func sha256Of(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
