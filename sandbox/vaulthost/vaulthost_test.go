package vaulthost

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What an earlier life left is found; a folder that cannot be read is not taken for
// one that is not there.
func TestOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "vault")
	host := New(Options{Dir: dir})
	names, err := host.onDisk()
	require.NoError(t, err)
	require.Empty(t, names)

	require.NoError(t, os.MkdirAll(filepath.Join(dir, "tooling"), 0o700))
	names, err = host.onDisk()
	require.NoError(t, err)
	require.Equal(t, []string{"tooling"}, names)

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = New(Options{Dir: file}).onDisk()
	require.ErrorContains(t, err, "folder of the sandbox's Vaults")
}
