package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

func fresh(t *testing.T) *Sandbox {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "sandbox"))
	require.NoError(t, err)
	return s
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestOpenTakesTheFolderFromTheEnvironment(t *testing.T) {
	t.Setenv(DirVariable, "/somewhere/else")
	s, err := Open("")
	require.NoError(t, err)
	require.Equal(t, "/somewhere/else", s.Dir)
	s, err = Open("here")
	require.NoError(t, err)
	require.True(t, filepath.IsAbs(s.Dir))
}

func TestFolderOfAnotherLayoutIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"none":                  {},
		"tools only":            {files: map[string]string{"bin/pulumi": ""}},
		"this one":              {files: map[string]string{"version": "1\n", "account/lock": ""}},
		"before numbers":        {files: map[string]string{"account/lock": ""}, want: "made by an older strongroom (layout 0"},
		"older":                 {files: map[string]string{"version": "0\n"}, want: "made by an older strongroom"},
		"newer":                 {files: map[string]string{"version": "2\n"}, want: "made by a newer strongroom (layout 2"},
		"not a number":          {files: map[string]string{"version": "one"}, want: `expected the number of a layout, got "one"`},
		"a file in the place":   {files: map[string]string{"": "x"}, want: "is a file"},
		"a file above the name": {files: map[string]string{"../above": "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			for path, text := range test.files {
				write(t, filepath.Join(s.Dir, path), text)
			}
			for what, err := range map[string]error{"Check": s.Check(), "prepare": s.prepare()} {
				if test.want == "" {
					require.NoError(t, err, what)
					continue
				}
				require.ErrorContains(t, err, test.want, what)
			}
			if strings.Contains(test.want, "older strongroom") {
				require.ErrorContains(t, s.Check(), "make clean", "the error says what to do")
				_, err := os.Stat(s.PassphraseFile())
				require.ErrorIs(t, err, os.ErrNotExist, "nothing is made in it")
			}
		})
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	base := t.TempDir()
	write(t, filepath.Join(base, "file"), "")
	s, err := Open(filepath.Join(base, "file", "sandbox"))
	require.NoError(t, err)
	err = s.prepare()
	require.ErrorContains(t, err, "file")
	require.ErrorContains(t, err, DirVariable)
}

func TestFullDiskIsRefusedBeforeAnythingIsMade(t *testing.T) {
	s := fresh(t)
	s.freeDisk = func(string) (uint64, error) { return 5 << 20, nil }
	require.ErrorContains(t, s.prepare(), "has 5 MB free, and the sandbox needs 1024 MB")
	entries, err := os.ReadDir(s.Dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestPrepareKeepsThePassphraseAndHidesEverything(t *testing.T) {
	s := fresh(t)
	require.NoError(t, s.prepare())
	first, err := os.ReadFile(s.PassphraseFile())
	require.NoError(t, err)
	require.Len(t, first, 48)
	require.NoError(t, s.prepare())
	second, err := os.ReadFile(s.PassphraseFile())
	require.NoError(t, err)
	require.Equal(t, first, second, "another passphrase could not read the state")
	for _, path := range []string{s.PassphraseFile(), s.Dir, s.StateDir(), s.AccountDir()} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s is open to others", path)
	}
}

func TestRemovalKeepsToolsAndIsFinishedAfterAKill(t *testing.T) {
	s := fresh(t)
	require.NoError(t, s.prepare())
	for _, path := range []string{"bin/pulumi", "eks/package.json", "logs/daemon.log", "account/account.journal", "state/x", "clusters/tooling/cluster.json"} {
		write(t, s.path(path), "x")
	}
	// As after a kill in the middle: begun, and the state already gone.
	require.NoError(t, files.Replace(s.path(removing), nil, files.Private))
	require.NoError(t, os.RemoveAll(s.StateDir()))

	require.NoError(t, s.prepare())
	for path, there := range map[string]bool{
		"bin/pulumi": true, "eks/package.json": true, "logs/daemon.log": true,
		"account/account.journal": false, "clusters/tooling": false, "state/x": false, removing: false,
	} {
		_, err := os.Stat(s.path(path))
		require.Equal(t, there, err == nil, path)
	}
}
