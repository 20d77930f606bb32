package process_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/process"
)

// shell starts a shell script as a child.
func shell(t *testing.T, script string) (*process.Child, process.Spec) {
	t.Helper()
	dir := t.TempDir()
	spec := process.Spec{
		Name: "script", Path: "/bin/sh", Args: []string{"-c", script}, Dir: dir, Env: []string{"PATH=/usr/bin:/bin"},
		Log: filepath.Join(dir, "log"), Record: filepath.Join(dir, "script"+process.RecordSuffix),
	}
	child, err := process.Start(spec)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, child.Stop(context.Background(), 0)) })
	return child, spec
}

// logged waits until the script has written text.
func logged(t *testing.T, spec process.Spec, text string) {
	t.Helper()
	require.Eventually(t, func() bool {
		data, err := os.ReadFile(spec.Log)
		return err == nil && strings.Contains(string(data), text)
	}, 10*time.Second, 5*time.Millisecond)
}

func TestStopKillsWhatIgnoresTheRequest(t *testing.T) {
	child, spec := shell(t, "trap '' TERM; echo started; while :; do sleep 1; done")
	logged(t, spec, "started")
	saved, err := process.LoadAll(filepath.Dir(spec.Record))
	require.NoError(t, err)
	require.Equal(t, []process.Record{child.Record()}, saved)
	require.True(t, saved[0].Alive())

	require.NoError(t, child.Stop(context.Background(), 50*time.Millisecond))
	require.False(t, saved[0].Alive())
	require.NoFileExists(t, spec.Record)
	require.ErrorContains(t, child.Failure(), "killed")
}

func TestStopAsksFirst(t *testing.T) {
	child, spec := shell(t, "trap 'echo asked; exit 0' TERM; echo started; while :; do sleep 0.01; done")
	logged(t, spec, "started")
	require.NoError(t, child.Stop(context.Background(), 20*time.Second))
	logged(t, spec, "asked")
}

func TestFailureShowsTheLastLines(t *testing.T) {
	// It waits for its record, so that Start has seen it.
	child, _ := shell(t, "until [ -e script.pid.json ]; do sleep 0.01; done; echo first; echo no such luck >&2; exit 3")
	<-child.Done()
	require.ErrorContains(t, child.Failure(), "exit status 3")
	require.ErrorContains(t, child.Failure(), "no such luck")
}

func TestAProgramThatEndsAtOnceSaysWhy(t *testing.T) {
	for range 50 { // it may be gone before or after Start has seen it
		dir := t.TempDir()
		child, err := process.Start(process.Spec{
			Name: "script", Path: "/bin/sh", Args: []string{"-c", "echo no such luck >&2; exit 3"}, Dir: dir,
			Log: filepath.Join(dir, "log"), Record: filepath.Join(dir, "script"+process.RecordSuffix),
		})
		if err == nil {
			<-child.Done()
			err = child.Failure()
		}
		require.ErrorContains(t, err, "exit status 3")
		require.ErrorContains(t, err, "no such luck")
	}
}

func TestARecycledPIDIsNotTheProcess(t *testing.T) {
	self, err := process.Identify("self", os.Getpid())
	require.NoError(t, err)
	require.True(t, self.Alive())
	other := self
	other.Started = "another time"
	require.False(t, other.Alive())
	require.NoError(t, other.Stop(context.Background(), 0), "must not touch this very process")
}

func TestADamagedRecordIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x"+process.RecordSuffix)
	require.NoError(t, os.WriteFile(path, []byte(`{"pid":`), 0o600))
	_, _, err := process.Load(path)
	require.ErrorContains(t, err, path)
	_, found, err := process.Load(path + "-none")
	require.NoError(t, err)
	require.False(t, found)
}

// A parent that is killed takes its children along (Linux).
func TestChildrenDieWithTheirParent(t *testing.T) {
	if os.Getenv("STRONGROOM_TEST_PARENT") != "" {
		_, spec := shell(t, "while :; do sleep 1; done")
		record, _, err := process.Load(spec.Record)
		require.NoError(t, err)
		_, err = os.Stdout.WriteString("child " + strconv.Itoa(record.PID) + "\n")
		require.NoError(t, err)
		select {}
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a parent-death signal; elsewhere records serve")
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestChildrenDieWithTheirParent$")
	// The killed parent cannot remove its folder: it lies in this test's.
	parent.Env = append(os.Environ(), "STRONGROOM_TEST_PARENT=1", "TMPDIR="+t.TempDir())
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	buffer := make([]byte, 64)
	n, err := out.Read(buffer)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(string(buffer[:n]), "child ")))
	require.NoError(t, err)
	child, err := process.Identify("child", pid)
	require.NoError(t, err)
	require.NoError(t, parent.Process.Signal(syscall.SIGKILL))
	require.Error(t, parent.Wait())
	require.Eventually(t, func() bool { return !child.Alive() }, 10*time.Second, 5*time.Millisecond)
}

func TestListShowsAChildWithItsParent(t *testing.T) {
	child, _ := shell(t, "while :; do sleep 1; done")
	all, err := process.List()
	require.NoError(t, err)
	found := false
	for _, info := range all {
		if info.PID == child.Record().PID {
			found = true
			require.Equal(t, os.Getpid(), info.Parent)
			require.Equal(t, "/bin/sh", info.Args[0])
			require.Contains(t, info.String(), "sleep 1")
		}
	}
	require.True(t, found)
	line := process.Ancestors(all, child.Record().PID)
	require.True(t, line[child.Record().PID])
	require.True(t, line[os.Getpid()])
	require.False(t, process.Ancestors(all, os.Getpid())[child.Record().PID])
}
