package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lockedTarget is a target whose file backend holds one lock.
func lockedTarget(t *testing.T, path, host string, pid int) (*Target, string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: strongroom\nruntime: go\n"), 0o600))
	file := filepath.Join(dir, "state", ".pulumi", "locks", path, "3f.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	content, err := json.Marshal(lock{Pid: pid, Username: "someone", Hostname: host, Timestamp: time.Now()})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, content, 0o600))
	return &Target{WorkDir: dir, Backend: "file://" + filepath.Join(dir, "state")}, file
}

// gonePID is the ID of a process that has ended and been collected.
func gonePID(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	require.NoError(t, cmd.Run())
	return cmd.Process.Pid
}

// process runs a program under the given name until the test ends.
func process(t *testing.T, name string) int {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	content, err := os.ReadFile(sleep)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o700))
	cmd := exec.Command(path, "60")
	cmd.Args[0] = "sleep" // where sleep is one of many names of a single program
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process.Pid
}

func TestLocks(t *testing.T) {
	here, err := os.Hostname()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		path    string
		host    string
		pid     func(*testing.T) int
		removed bool
		err     []string
	}{
		"killed run":             {"organization/strongroom/tooling", here, gonePID, true, nil},
		"killed run, old layout": {"tooling", here, gonePID, true, nil},
		"pid given to another program": {"organization/strongroom/tooling", here,
			func(t *testing.T) int { return process(t, "editor") }, true, nil},
		"engine runs": {"organization/strongroom/tooling", here,
			func(t *testing.T) int { return process(t, "pulumi") }, false, []string{`stack "tooling" is held by process`, "kill -INT"}},
		"another machine": {"organization/strongroom/tooling", "elsewhere", gonePID, false,
			[]string{"on elsewhere", "pulumi cancel --stack tooling"}},
		"another stack":   {"organization/strongroom/application", here, gonePID, false, nil},
		"another project": {"organization/other/tooling", here, gonePID, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			pid := c.pid(t)
			target, file := lockedTarget(t, c.path, c.host, pid)
			var said []string
			err := target.clearLocks(context.Background(), "tooling", func(m string) { said = append(said, m) })
			_, statErr := os.Stat(file)
			assert.Equal(t, c.removed, os.IsNotExist(statErr), "lock removed")
			if c.removed {
				require.Len(t, said, 1)
				assert.Contains(t, said[0], fmt.Sprint(pid))
			}
			if c.err == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrLocked)
			for _, part := range append(c.err, fmt.Sprint(pid)) {
				assert.ErrorContains(t, err, part)
			}
		})
	}
}

func TestLockIsWaitedFor(t *testing.T) {
	here, err := os.Hostname()
	require.NoError(t, err)
	target, file := lockedTarget(t, "organization/strongroom/tooling", here, process(t, "pulumi"))
	target.LockWait = time.Minute
	var said []string
	// The holder gives the lock back as soon as we say that we wait for it.
	err = target.clearLocks(context.Background(), "tooling", func(m string) {
		said = append(said, m)
		require.NoError(t, os.Remove(file))
	})
	require.NoError(t, err)
	require.Len(t, said, 1)
	assert.Contains(t, said[0], "waiting up to 1m0s")
}

func TestUnfinishedLockIsRemoved(t *testing.T) {
	target, file := lockedTarget(t, "organization/strongroom/tooling", "x", 1)
	require.NoError(t, os.WriteFile(file, []byte(`{"pid":`), 0o600))
	require.NoError(t, target.clearLocks(context.Background(), "tooling", func(string) {}))
	assert.NoFileExists(t, file)
}

func TestStateDir(t *testing.T) {
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	dir := t.TempDir()
	for name, c := range map[string]struct {
		backend, environment, project, want string
	}{
		"backend":                 {"file:///srv/state", "", "", "/srv/state"},
		"backend over all":        {"file:///srv/state", "file:///env", "file:///project", "/srv/state"},
		"environment":             {"", "file:///env", "file:///project", "/env"},
		"project":                 {"", "", "file:///project", "/project"},
		"relative to the project": {"", "", "file://./state", filepath.Join(dir, "state")},
		"home":                    {"file://~", "", "", home},
		"query":                   {"file:///srv/state?no_tmp_dir=true", "", "", "/srv/state"},
		"bucket":                  {"s3://bucket", "", "", ""},
		"chosen by login":         {"", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PULUMI_BACKEND_URL", c.environment)
			yaml := "name: strongroom\n"
			if c.project != "" {
				yaml += "backend: {url: " + c.project + "}\n"
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte(yaml), 0o600))
			got, ok, err := (&Target{WorkDir: dir, Backend: c.backend}).stateDir()
			require.NoError(t, err)
			assert.Equal(t, c.want != "", ok)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestProcessName(t *testing.T) {
	name, state, ok := parseStat("4242 (a (b) c) Z 1 4242 4242\n")
	assert.True(t, ok)
	assert.Equal(t, "a (b) c", name)
	assert.Equal(t, byte('Z'), state[0])
	_, _, ok = parseStat("nonsense")
	assert.False(t, ok)
}
