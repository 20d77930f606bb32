package sandbox_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is wrong with the input is said by key, with what was expected and what
// to do; the exit code is not 0, and nothing is made.
func TestBadConfigurationMakesNothing(t *testing.T) {
	p := newPlace(t)
	p.checkout()
	for _, bad := range []struct {
		name    string
		stack   string
		changes map[string]any
		want    []string
	}{
		{"unknown key", "tooling", map[string]any{"network.natt": "single"}, []string{"strongroom:network.natt", "strongroom:network.nat"}},
		{"missing key", "tooling", map[string]any{"region": nil}, []string{"strongroom:region"}},
		{"wrong type", "tooling", map[string]any{"network.flowLogsRetentionDays": "a month"}, []string{"strongroom:network.flowLogsRetentionDays", "number"}},
		{"malformed CIDR", "tooling", map[string]any{"network.cidr": "10.10.0.0/33"}, []string{"strongroom:network.cidr", "10.10.0.0/33"}},
		{"CIDR too small for the zones", "tooling", map[string]any{"network.cidr": "10.10.0.0/26", "network.privatePrefix": nil, "network.publicPrefix": nil}, []string{"strongroom:network.cidr", "need at least /"}},
		{"CIDR overlaps the VPN range", "tooling", map[string]any{"vpn.clientCidr": "10.10.0.0/22"}, []string{"strongroom:vpn.clientCidr", "overlaps"}},
		{"one zone", "tooling", map[string]any{"network.zones": []any{"a"}}, []string{"strongroom:network.zones", "two"}},
		{"unsupported Kubernetes version", "tooling", map[string]any{"cluster.version": "1.20"}, []string{"strongroom:cluster.version", "1.20", "1.36"}},
		{"node group with min above max", "tooling", map[string]any{"cluster.nodeGroups": []any{map[string]any{"name": "general", "instanceTypes": []any{"m6i.large"}, "min": 5, "max": 2}}}, []string{"strongroom:cluster.nodeGroups[0]", "min"}},
		{"application before tooling", "application", nil, []string{"tooling", "strongroom up tooling"}},
	} {
		p.sub(bad.name, func() {
			original, err := os.ReadFile(filepath.Join(p.repo, "Pulumi."+bad.stack+".yaml"))
			require.NoError(p, err)
			defer func() {
				require.NoError(p, os.WriteFile(filepath.Join(p.repo, "Pulumi."+bad.stack+".yaml"), original, 0o600))
			}()
			p.configure(bad.stack, bad.changes)
			p.refused([]string{"up", bad.stack, "--sandbox", "-C", p.repo}, nil, bad.want...)
		})
	}
	p.sub("unknown stack", func() {
		p.refused([]string{"up", "production", "--sandbox", "-C", p.repo}, nil, "production", "tooling", "application")
	})
	p.sub("tooling without a contract", func() {
		p.run(networkOnly)
		p.up("tooling")
		p.refusedWith([]string{"up", "application", "--sandbox", "-C", p.repo}, nil, "contract", "tooling")
		p.destroy("tooling")
		p.empty()
	})
	p.sub("wrong passphrase", func() {
		p.run(networkOnly)
		p.up("tooling")
		right, err := os.ReadFile(p.PassphraseFile())
		require.NoError(p, err)
		require.NoError(p, os.WriteFile(p.PassphraseFile(), []byte("not the passphrase"), 0o600))
		before := len(p.objects())
		p.refusedWith([]string{"up", "tooling", "--sandbox", "-C", p.repo}, nil, "passphrase")
		require.Len(p, p.objects(), before)
		require.NoError(p, os.WriteFile(p.PassphraseFile(), right, 0o600))
		p.destroy("tooling")
		p.empty()
	})
}

// What is wrong with the machine is said before anything is made.
func TestBadMachineMakesNothing(t *testing.T) {
	p := newPlace(t)
	p.checkout()
	require.NoError(t, p.Stop(p.ctx, func(string) {}))
	bare := t.TempDir()
	for _, name := range []string{"sh", "git"} {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(bare, name)))
	}
	goPath, err := exec.LookPath("go")
	require.NoError(t, err)
	withGo := t.TempDir()
	require.NoError(t, os.Symlink(goPath, filepath.Join(withGo, "go")))
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	older := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(older, "version"), []byte("0\n"), 0o600))

	for _, bad := range []struct {
		name string
		env  map[string]string
		want []string
	}{
		{"no Go", map[string]string{"PATH": bare}, []string{"no go on PATH", "https://go.dev/doc/install"}},
		{"no Node", map[string]string{"PATH": withGo + ":" + bare}, []string{"no node on PATH", "nodejs"}},
		{"folder that cannot be written", map[string]string{"STRONGROOM_SANDBOX_DIR": filepath.Join(file, "sandbox")}, []string{"STRONGROOM_SANDBOX_DIR"}},
		{"sandbox of an older version", map[string]string{"STRONGROOM_SANDBOX_DIR": older}, []string{"older strongroom", "make clean"}},
	} {
		p.sub(bad.name, func() {
			p.refusedWith([]string{"sandbox", "up"}, bad.env, bad.want...)
		})
	}
}

// checkout makes repo look like a checkout to the command.
func (p *place) checkout() {
	p.Helper()
	require.NoError(p, os.WriteFile(filepath.Join(p.repo, "go.mod"), []byte("module github.com/strongroom-platform/strongroom\n"), 0o600))
}

// refused runs the command, which must fail, say certain words, and make
// nothing.
func (p *place) refused(args []string, env map[string]string, want ...string) {
	p.Helper()
	p.refusedWith(args, env, want...)
	p.empty()
}

func (p *place) refusedWith(args []string, env map[string]string, want ...string) {
	p.Helper()
	cmd := exec.CommandContext(p.ctx, p.Command, args...)
	cmd.Dir = p.repo
	cmd.Env = append(os.Environ(), "STRONGROOM_SANDBOX_DIR="+p.Dir)
	for key, value := range env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.True(p, errors.As(err, &exit), "it did not fail: %v\n%s", err, out)
	require.Contains(p, []int{1, 2}, exit.ExitCode(), "%s", out)
	for _, words := range want {
		require.Contains(p, string(out), words)
	}
	require.False(p, strings.Contains(string(out), "goroutine "), "it panicked:\n%s", out)
}
