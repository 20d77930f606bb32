package gitops_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root of the repository.
const root = "../.."

// Every script in gitops/ is POSIX sh that shellcheck has nothing to say about. The
// images that run them have different shells: busybox in one, bash in the other.
func TestScriptsPassShellcheck(t *testing.T) {
	shellcheck := tool(t, "shellcheck")
	var scripts []string
	err := filepath.WalkDir(filepath.Join(root, "gitops"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".sh") {
			scripts = append(scripts, path)
		}
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(text), "#!/bin/sh\n"), script)
	}
	out, err := exec.Command(shellcheck, append([]string{"--shell=sh", "--severity=style"}, scripts...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// tool returns the path of a program that a test needs. Without it the test is skipped
// on a person's machine, and fails where CI is set.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		message := name + " is not installed (Debian: apt-get install " + name + ")"
		if os.Getenv("CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	return path
}
