package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox"
)

// Proves the order of `sandbox up` and what its table tells.
func TestSandboxUp(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("sandbox", "up"), f.err.String())
	done := f.engine.all()
	// A check runs while the next stack comes up.
	require.ElementsMatch(t, []string{"lock", "tools", "start", "project", "up tooling", "check tooling", "up application", "check application", "unlock"}, done)
	require.Equal(t, []string{"lock", "tools", "start", "project", "up tooling"}, done[:5])
	require.Equal(t, "unlock", done[len(done)-1])

	out := f.out.String()
	for _, want := range []string{
		"tools: building etcd (v3.7.3)",
		"tools: built etcd (v3.7.3) in 16 s, 1 of 1",
		"starting the daemon",
		"tooling: created aws:ec2/vpc:Vpc tooling-vpc (1.5 s)",
		"tooling: up: 2 created, 1 unchanged in 3 s",
		"  type                          tooling  application\n",
		"  aws:ec2/subnet:Subnet               2            0\n",
		"  in all                              3            1\n",
		"  components, which group them        1            0\n",
		"http://127.0.0.1:20000",
		"Kubernetes 1.36.3",
		"  tooling: no binary for 1.34\n",
		"sandbox-stranger, who has no access entry, refused (Unauthorized)",
		"\nReal\n", "\nSimulated\n", "AWS: every aws:* resource",
		"\nTime\n", "\nTry next\n", "sandbox env)",
	} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "hunter2")
	require.FileExists(t, filepath.Join(f.box.dir, "kube", "tooling.yaml"))
}

// Proves that the last line of JSON holds what the table does.
func TestSandboxUpJSON(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("sandbox", "up", "--json"), f.err.String())
	lines := jsonLines(t, f.out.String())
	last := lines[len(lines)-1]
	require.Equal(t, "result", last["kind"])
	require.Equal(t, true, last["ok"])
	require.Equal(t, "http://127.0.0.1:20000", last["accountUrl"])
	require.Len(t, last["clusters"], 2)
	require.NotEmpty(t, last["simulated"])
	require.NotEmpty(t, last["phases"])
	tooling, ok := last["stacks"].([]any)[0].(map[string]any)
	require.True(t, ok)
	require.Equal(t, map[string]any{"aws:ec2/vpc:Vpc": 1.0, "aws:ec2/subnet:Subnet": 2.0}, tooling["resources"])
	require.NotContains(t, f.out.String(), "hunter2")
}

// Proves that a failure of each part ends the run there, with exit code 1, and
// gives the sandbox back.
func TestSandboxUpFails(t *testing.T) {
	for name, tt := range map[string]struct {
		breaks func(f *fixture, err error)
		last   string // what was done before
	}{
		"locked":      {func(f *fixture, err error) { f.box.fails["lock"] = err }, "lock"},
		"no Node":     {func(f *fixture, err error) { f.box.fails["tools"] = err }, "tools"},
		"disk full":   {func(f *fixture, err error) { f.box.fails["start"] = err }, "start"},
		"no checkout": {func(f *fixture, err error) { f.findRepo = func(string) (string, error) { return "", err } }, ""},
		"bad config":  {func(f *fixture, err error) { f.box.fails["project"] = err }, "project"},
		"no daemon":   {func(f *fixture, err error) { f.box.fails["env"] = err }, "project"},
		"tooling":     {func(f *fixture, err error) { f.engine.fails["up tooling"] = err }, "up tooling"},
		"check": {func(f *fixture, err error) {
			f.check = func(context.Context, clusterCheck) (clusterReport, error) { return clusterReport{}, err }
		}, "up application"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			tt.breaks(f, errors.New("what to do about it"))
			require.Equal(t, exitFailure, f.call("sandbox", "up"))
			require.Contains(t, f.err.String(), "what to do about it")
			require.NotContains(t, f.out.String(), "Try next")
			done := f.engine.all()
			if len(done) > 0 && done[len(done)-1] == "unlock" {
				done = done[:len(done)-1]
			} else {
				require.NotContains(t, done, "tools", "the sandbox was not given back")
			}
			if tt.last == "" {
				require.Empty(t, done)
				return
			}
			require.Equal(t, tt.last, done[len(done)-1])
		})
	}
}

// Proves that a stack without a kubeconfig is an error and not a check skipped.
func TestSandboxUpWithoutKubeconfig(t *testing.T) {
	f := newFixture(t)
	f.app.engine = func(*deploy.Target) engine { return &noKubeconfig{f.engine} }
	require.Equal(t, exitFailure, f.call("sandbox", "up"))
	require.Contains(t, f.err.String(), `stack "tooling" has no output "kubeconfig"`)
}

type noKubeconfig struct{ *fakeEngine }

func (e *noKubeconfig) Up(ctx context.Context, stack string, o deploy.Options) (*deploy.Result, error) {
	r, err := e.fakeEngine.Up(ctx, stack, o)
	if err == nil {
		delete(r.Outputs, "kubeconfig")
	}
	return r, err
}

// Proves that the second of two says whom it waits for.
func TestSandboxWaits(t *testing.T) {
	f := newFixture(t)
	f.box.holder = "process 17 (strongroom sandbox down)"
	require.Equal(t, exitOK, f.call("sandbox", "up"), f.err.String())
	require.Contains(t, f.out.String(), "waiting for process 17 (strongroom sandbox down), which holds the sandbox")
}

func TestSandboxDown(t *testing.T) {
	f := newFixture(t)
	f.box.used(t)
	require.Equal(t, exitOK, f.call("sandbox", "down"), f.err.String())
	require.Equal(t, []string{"lock", "start", "destroy application", "destroy tooling", "left", "remove", "unlock"}, f.engine.all())
	require.Contains(t, f.out.String(), "the simulated account is empty: 0 objects")
	require.Contains(t, f.out.String(), "no process of it is left")
}

// Proves that what is left is named, that the exit code says so, and that the
// evidence is kept.
func TestSandboxDownLeft(t *testing.T) {
	f := newFixture(t)
	f.box.used(t)
	f.box.left = []leftover{{Type: "aws:ec2/vpc:Vpc", ID: "vpc-1", URN: "urn:x"}, {Type: "aws:ec2/subnet:Subnet", ID: "subnet-1"}}
	require.Equal(t, exitFailure, f.call("sandbox", "down", "--json"))
	require.NotContains(t, f.engine.all(), "remove")
	require.Contains(t, f.err.String(), "still holds 2 objects:\n  aws:ec2/vpc:Vpc vpc-1 (urn:x)\n  aws:ec2/subnet:Subnet subnet-1\n")
	lines := jsonLines(t, f.out.String())
	require.Len(t, lines[len(lines)-1]["left"], 2)
}

// Proves that down works where there is nothing, or not much.
func TestSandboxDownOfNothing(t *testing.T) {
	f := newFixture(t)
	f.box.dir = filepath.Join(t.TempDir(), "never-made")
	require.Equal(t, exitOK, f.call("sandbox", "down"), f.err.String())
	require.Empty(t, f.engine.all())

	f = newFixture(t) // tools only
	require.Equal(t, exitOK, f.call("sandbox", "down"), f.err.String())
	require.Equal(t, []string{"lock", "remove", "unlock"}, f.engine.all())
}

func TestSandboxDownDiscard(t *testing.T) {
	f := newFixture(t)
	f.box.used(t)
	f.engine.fails["destroy application"] = errors.New("a subnet is in use")
	require.Equal(t, exitFailure, f.call("sandbox", "down"))
	require.NotContains(t, f.engine.all(), "remove")
	f = newFixture(t)
	f.box.used(t)
	require.Equal(t, exitOK, f.call("sandbox", "down", "--discard"), f.err.String())
	require.Equal(t, []string{"lock", "remove", "unlock"}, f.engine.all())
	require.Contains(t, f.out.String(), "thrown away as it was")
}

func TestSandboxTools(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("sandbox", "tools"), f.err.String())
	require.Contains(t, f.out.String(), "built etcd")
	f.box.events = nil
	require.Equal(t, exitOK, f.call("sandbox", "tools"), f.err.String())
	require.Contains(t, f.out.String(), "are there already")
}

func TestSandboxStatus(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("sandbox", "status"), f.err.String())
	for _, want := range []string{
		"(1 min 0 s), process 4242", "AWS is simulated, at http://127.0.0.1:20000",
		"tooling  https://127.0.0.1:20001  Kubernetes 1.36.3, processes: etcd 1, kube-apiserver 2",
		"no binary for 1.34", "  aws:ec2/vpc:Vpc        2\n",
	} {
		require.Contains(t, f.out.String(), want)
	}
	require.Equal(t, exitOK, f.call("sandbox", "status", "--json"))
	require.Contains(t, f.out.String(), `"accountUrl":"http://127.0.0.1:20000"`)

	f.box.status = &sandbox.Status{Dir: "/srv/x"}
	require.Equal(t, exitOK, f.call("sandbox", "status"))
	require.Contains(t, f.out.String(), "The sandbox in /srv/x does not run")
	f.box.fails["status"] = errors.New("the sandbox was made by an older strongroom")
	require.Equal(t, exitFailure, f.call("sandbox", "status"))
}

// Proves that a shell takes the lines, quotes and all.
func TestSandboxEnv(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, writeKubeconfig(f.box, "application", fakeKubeconfig, "eu-west-1"))
	require.NoError(t, writeKubeconfig(f.box, "tooling", fakeKubeconfig, "eu-west-1"))
	require.Equal(t, exitOK, f.call("sandbox", "env"), f.err.String())
	script := f.out.String() + `printf '%s|%s|%s' "$QUOTED" "${STRONGROOM_TEST_FOREIGN-unset}" "$KUBECONFIG"`
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), "STRONGROOM_TEST_FOREIGN=set")
	said, err := cmd.Output()
	require.NoError(t, err)
	kube := filepath.Join(f.box.dir, "kube")
	require.Equal(t, "it's|unset|"+filepath.Join(kube, "tooling.yaml")+":"+filepath.Join(kube, "application.yaml"), string(said))

	f.box.fails["env"] = errors.New("the sandbox is down")
	require.Equal(t, exitFailure, f.call("sandbox", "env"))
	require.Empty(t, f.out.String(), "a shell would run it")
}

// Proves that two kubeconfigs can be read together: no two share a name.
func TestKubeconfigNames(t *testing.T) {
	f := newFixture(t)
	require.NoError(t, writeKubeconfig(f.box, "tooling", fakeKubeconfig, "eu-west-1"))
	data, err := os.ReadFile(filepath.Join(f.box.dir, "kube", "tooling.yaml"))
	require.NoError(t, err)
	text := string(data)
	require.Equal(t, 6, strings.Count(text, ": tooling\n"), text)
	require.NotContains(t, text, "kubernetes")
	require.Contains(t, text, "get-token")
	require.Contains(t, text, "name: AWS_REGION\n        value: eu-west-1\n")

	require.ErrorContains(t, writeKubeconfig(f.box, "tooling", `{"current-context":"x"}`, "eu-west-1"), `no context "x"`)
	require.Error(t, writeKubeconfig(f.box, "tooling", "{", "eu-west-1"))
}

func TestSandboxLogs(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("sandbox", "logs"))
	require.Contains(t, f.out.String(), "no logs yet")
	for _, path := range []string{"logs/daemon.log", "logs/engine-tooling-up.err", "clusters/tooling/logs/kube-apiserver.log"} {
		file := filepath.Join(f.box.dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte("of "+path+"\n"), 0o600))
	}
	require.Equal(t, exitOK, f.call("sandbox", "logs"), f.err.String())
	for _, name := range []string{"daemon", "engine-tooling-up.err", "tooling/kube-apiserver"} {
		require.Contains(t, f.out.String(), name+" ")
	}
	require.Equal(t, exitOK, f.call("sandbox", "logs", "tooling/kube-apiserver"), f.err.String())
	require.Equal(t, "of clusters/tooling/logs/kube-apiserver.log\n", f.out.String())
}

func TestHiddenCommands(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("sandbox", "--help"))
	for _, hidden := range []string{"daemon", "plugin", "stand in"} {
		require.NotContains(t, f.out.String(), "\n  "+hidden)
	}
	require.Equal(t, exitOK, f.call("sandbox", "daemon"), f.err.String())
	require.Equal(t, []string{"serve"}, f.box.all())

	// The stand-in has the exit codes of the AWS CLI.
	require.Equal(t, exitOK, f.call("sandbox", "aws", "--version"))
	require.Contains(t, f.out.String(), "aws-cli/2")
	require.Equal(t, 252, f.call("sandbox", "aws", "s3", "ls"))
}
