// Package journal keeps a set of named records on disk so that every change
// survives SIGKILL: a change is appended to one file and synced before Append
// returns.
//
// The file starts with a line that names the format and its version. Each
// further line is a checksum, a space and the JSON of one [Change]. A last line
// without its newline is a write that was cut off: nobody was told that it
// succeeded, so it is dropped. Any other line that does not match its checksum
// is damage, and Open says so instead of guessing.
//
// The file is written anew, to a temporary file that then takes its place, when
// most of it is about records that have changed since.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Version is the version of the file format that this package writes.
const Version = 1

const format = "strongroom-simulated-account"

// Change is one change of the set: all of it is made, or none.
type Change struct {
	Put    map[string]json.RawMessage `json:"put,omitempty"`
	Delete []string                   `json:"delete,omitempty"`
}

type header struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
}

// compactAt is the size in bytes from which a file is worth writing anew.
const compactAt = 4 << 20

// Journal is an open journal. It is not safe for concurrent use.
type Journal struct {
	path    string
	file    *os.File
	size    int64 // of the good part of the file
	live    map[string]json.RawMessage
	liveLen int64
	broken  error // set when the file could not be brought back to a good end
}

// Open opens the journal at path, or starts one, and returns the records in
// it. They must not be changed by the caller.
func Open(path string) (*Journal, map[string]json.RawMessage, error) {
	j := &Journal{path: path, live: map[string]json.RawMessage{}}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := j.rewrite(); err != nil {
			return nil, nil, err
		}
		return j, map[string]json.RawMessage{}, nil
	case err != nil:
		return nil, nil, err
	}
	if err := j.replay(data); err != nil {
		return nil, nil, err
	}
	j.file, err = os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err := j.file.Truncate(j.size); err != nil {
		return nil, nil, errors.Join(err, j.file.Close())
	}
	if err := j.compact(); err != nil {
		return nil, nil, errors.Join(err, j.file.Close())
	}
	records := make(map[string]json.RawMessage, len(j.live))
	for key, record := range j.live {
		records[key] = record
	}
	return j, records, nil
}

func (j *Journal) replay(data []byte) error {
	for number := 1; len(data) > 0; number++ {
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		if !whole {
			if number == 1 {
				return fmt.Errorf("%s is damaged: its first line is cut off; restore the file, or remove it to start with an empty account", j.path)
			}
			return nil
		}
		if number == 1 {
			if err := j.checkHeader(line); err != nil {
				return err
			}
		} else {
			change, err := decode(line)
			if err != nil {
				return fmt.Errorf("%s is damaged: line %d: %w; restore the file, or remove it to start with an empty account", j.path, number, err)
			}
			j.apply(change)
		}
		j.size += int64(len(line)) + 1
		data = rest
	}
	if j.size == 0 {
		return fmt.Errorf("%s is damaged: it is empty; restore the file, or remove it to start with an empty account", j.path)
	}
	return nil
}

func (j *Journal) checkHeader(line []byte) error {
	var h header
	if err := json.Unmarshal(line, &h); err != nil || h.Format != format {
		return fmt.Errorf("%s is not the journal of a simulated account: its first line is not the expected header", j.path)
	}
	if h.Version != Version {
		return fmt.Errorf("%s has format version %d, this program knows version %d: use the program that wrote it, or remove the file to start with an empty account", j.path, h.Version, Version)
	}
	return nil
}

// Append makes a change durable. When it returns an error, the set is as it
// was before.
func (j *Journal) Append(change Change) error {
	if j.broken != nil {
		return j.broken
	}
	line, err := encode(change)
	if err != nil {
		return err
	}
	if _, err := j.file.WriteAt(line, j.size); err != nil {
		return j.undo(err)
	}
	if err := j.file.Sync(); err != nil {
		return j.undo(err)
	}
	j.size += int64(len(line))
	j.apply(change)
	if err := j.compact(); err != nil {
		// The change itself is safe on disk. Only a file that cannot be
		// written any more makes the journal unusable, and then the next
		// change says so.
		j.broken = fmt.Errorf("write %s anew: %w", j.path, err)
	}
	return nil
}

func (j *Journal) undo(cause error) error {
	if err := j.file.Truncate(j.size); err != nil {
		j.broken = fmt.Errorf("%s has an unfinished change at its end that could not be taken back: %w", j.path, err)
	}
	return fmt.Errorf("write %s: %w", j.path, cause)
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

func (j *Journal) apply(change Change) {
	for _, key := range change.Delete {
		j.liveLen -= int64(len(j.live[key]))
		delete(j.live, key)
	}
	for key, record := range change.Put {
		j.liveLen += int64(len(record)) - int64(len(j.live[key]))
		j.live[key] = record
	}
}

func (j *Journal) compact() error {
	if j.size < compactAt || j.size < 4*j.liveLen {
		return nil
	}
	return j.rewrite()
}

// rewrite replaces the file by one that holds only the live records.
func (j *Journal) rewrite() error {
	head, err := json.Marshal(header{format, Version})
	if err != nil {
		return err
	}
	content := append(head, '\n')
	if len(j.live) > 0 {
		line, err := encode(Change{Put: j.live})
		if err != nil {
			return err
		}
		content = append(content, line...)
	}
	dir := filepath.Dir(j.path)
	temp, err := os.CreateTemp(dir, filepath.Base(j.path)+".*")
	if err != nil {
		return err
	}
	abandon := func(err error) error {
		return errors.Join(err, temp.Close(), os.Remove(temp.Name()))
	}
	if _, err := temp.Write(content); err != nil {
		return abandon(err)
	}
	if err := temp.Sync(); err != nil {
		return abandon(err)
	}
	if err := os.Rename(temp.Name(), j.path); err != nil {
		return abandon(err)
	}
	// From here on temp is the journal.
	old := j.file
	j.file, j.size = temp, int64(len(content))
	if old != nil {
		if err := old.Close(); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func encode(change Change) ([]byte, error) {
	text, err := json.Marshal(change)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(text), text), nil
}

func decode(line []byte) (Change, error) {
	var sum uint32
	var change Change
	if len(line) < 9 || line[8] != ' ' {
		return change, errors.New("it does not start with a checksum")
	}
	if _, err := fmt.Sscanf(string(line[:8]), "%08x", &sum); err != nil {
		return change, errors.New("it does not start with a checksum")
	}
	text := line[9:]
	if crc32.ChecksumIEEE(text) != sum {
		return change, errors.New("its content does not match its checksum")
	}
	if err := json.Unmarshal(text, &change); err != nil {
		return change, err
	}
	return change, nil
}

var _ io.Closer = (*Journal)(nil)
