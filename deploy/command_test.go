package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The API asks for the history and the outputs after each operation; the CLI is not
// started for them.
func TestWhatStartsNoEngine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pulumi")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho \"started: $*\"\n"), 0o700))
	c := &command{path: path}
	run := func(args ...string) string {
		stdout, stderr, code, err := c.Run(t.Context(), t.TempDir(), nil, nil, nil, nil, args...)
		require.NoError(t, err)
		require.Zero(t, code)
		require.Empty(t, stderr)
		return stdout
	}
	require.Equal(t, "[]", run("stack", "history", "--json", "--show-secrets", "--page-size", "1", "--page", "1", "--stack", "tooling"))
	require.Equal(t, "{}", run("stack", "output", "--json", "--show-secrets", "--stack", "tooling"))
	require.Equal(t, "started: --non-interactive stack export --stack tooling\n", run("stack", "export", "--stack", "tooling"))
}
