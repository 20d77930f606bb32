package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMendRemovesOnlyWhatIsHalfWritten(t *testing.T) {
	work, state := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(work, "Pulumi.yaml"), []byte("name: strongroom\nruntime: go\n"), 0o600))
	stacks := filepath.Join(state, ".pulumi", "stacks", "strongroom")
	require.NoError(t, os.MkdirAll(stacks, 0o700))
	files := map[string]struct {
		text string
		kept bool
	}{
		"tooling.json":           {"", true}, // not ours to judge
		"tooling.json.attrs":     {"", false},
		"application.json.attrs": {`{"user.content_type":"te`, false},
		"staging.json.attrs":     {`{"user.content_type":"text/plain"}`, true},
	}
	for name, file := range files {
		require.NoError(t, os.WriteFile(filepath.Join(stacks, name), []byte(file.text), 0o600))
	}
	target := &Target{WorkDir: work, Backend: "file://" + state}
	require.NoError(t, target.mend())
	require.NoError(t, target.mend())
	for name, file := range files {
		_, err := os.Stat(filepath.Join(stacks, name))
		require.Equal(t, file.kept, err == nil, name)
	}
	require.NoError(t, (&Target{WorkDir: work, Backend: "s3://bucket"}).mend(), "only a file backend has such files")
}
