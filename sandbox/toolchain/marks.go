package toolchain

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// A mark is a file that holds the pin of what was made. It is removed before
// the thing is made and written after it is in its place.

func (o Options) marks() string { return filepath.Join(o.BinDir, ".built") }

// mark is the pin of what was made, or "" for nothing.
func (o Options) mark(name string) string {
	data, err := os.ReadFile(filepath.Join(o.marks(), name))
	if err != nil {
		return "" // made again, which is never wrong
	}
	return strings.TrimSpace(string(data))
}

func (o Options) setMark(name, pin string) error {
	return files.Replace(filepath.Join(o.marks(), name), []byte(pin+"\n"), 0o600)
}

func (o Options) unmark(name string) error {
	if err := os.Remove(filepath.Join(o.marks(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("build %s: %w", name, err)
	}
	return nil
}

// fingerprint is a hash of parts, of their lengths too.
func fingerprint(parts ...[]byte) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:", len(part))
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil))
}
