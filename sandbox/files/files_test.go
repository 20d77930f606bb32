package files_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// The time of a file is when it changed last, and nothing else.
func TestEnsure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "script")
	past := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, step := range []struct {
		name   string
		text   string
		mode   os.FileMode
		change bool
	}{
		{"new", "one", 0o600, true},
		{"the same", "one", 0o600, false},
		{"another text", "two", 0o600, true},
		{"another mode", "two", 0o700, true},
		{"the same again", "two", 0o700, false},
	} {
		require.NoError(t, files.Ensure(path, []byte(step.text), step.mode), step.name)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, step.text, string(data), step.name)
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, step.mode, info.Mode(), step.name)
		require.Equal(t, step.change, !info.ModTime().Equal(past), step.name)
		require.NoError(t, os.Chtimes(path, past, past))
	}
}
