package flux

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// times notes when Flux began and when each object was there and became ready, on
// disk, so that the order is known when the daemon was started again.
type times struct {
	file string

	mu      sync.Mutex
	noted   noted
	failure error // to write, of the last time
}

// noted is what the file holds.
type noted struct {
	Since   time.Time       `json:"since"`
	Objects map[string]when `json:"objects"` // by UID
}

type when struct {
	Seen  time.Time `json:"seen"`
	Ready time.Time `json:"ready,omitzero"`
}

// load reads the file, or begins anew.
func (t *times) load() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.noted = noted{Since: time.Now(), Objects: map[string]when{}}
	data, err := os.ReadFile(t.file)
	if errors.Is(err, fs.ErrNotExist) {
		return t.save()
	}
	if err == nil {
		err = json.Unmarshal(data, &t.noted)
	}
	if err != nil {
		return fmt.Errorf("times of Flux, %s: %w", t.file, err)
	}
	if t.noted.Objects == nil {
		t.noted.Objects = map[string]when{}
	}
	return nil
}

// note returns when an object was there and when it was ready for the first time.
func (t *times) note(uid string, ready bool) (seen, readyAt time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	w, known := t.noted.Objects[uid]
	if !known {
		w.Seen = now
	}
	if ready && w.Ready.IsZero() {
		w.Ready = now
		known = false
	}
	if !known {
		t.noted.Objects[uid] = w
		t.failure = t.save()
	}
	return w.Seen, w.Ready
}

// problem is why the last times are not on disk.
func (t *times) problem() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failure
}

// since is when Flux began.
func (t *times) since() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.noted.Since
}

func (t *times) forget() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.noted = noted{}
	if err := os.Remove(t.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("times of Flux: %w", err)
	}
	return nil
}

func (t *times) save() error {
	data, err := json.Marshal(t.noted)
	if err != nil {
		return fmt.Errorf("times of Flux: %w", err)
	}
	return files.Replace(t.file, data, files.Private)
}
