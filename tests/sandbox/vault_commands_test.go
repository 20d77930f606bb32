package sandbox_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/stretchr/testify/require"
)

// vaultCommands runs `strongroom vault` as a person does: through the stack's outputs,
// the cluster's API with its kubeconfig, the simulated kubelets, and tokens of the
// service accounts. What each command does to a Vault is tested beside it.
func (p *place) vaultCommands() {
	p.Helper()
	p.checkout()
	p.vaultCommand("snapshot")
	var status struct {
		OK      bool
		Servers []struct {
			Name   string
			Active bool
		}
		Recovery struct {
			State string
			Keys  int
		}
		Newest struct{ Bytes int } `json:"newestSnapshot"`
	}
	require.NoError(p, json.Unmarshal(p.vaultCommand("status", "--check", "--json"), &status))
	require.True(p, status.OK)
	require.Len(p, status.Servers, 3)
	require.Equal(p, "finished", status.Recovery.State)
	require.Equal(p, 5, status.Recovery.Keys)
	require.Positive(p, status.Newest.Bytes)
	require.Contains(p, string(p.vaultCommand("restore", "newest", "--dry-run")), "newest is whole")

	file := filepath.Join(p.TempDir(), "root.token")
	p.vaultCommand("generate-root", "--out", file)
	info, err := os.Stat(file)
	require.NoError(p, err)
	require.Equal(p, os.FileMode(0o600), info.Mode().Perm())

	// Safety, in front of a Vault that is in use.
	for _, args := range [][]string{{"vault", "reset-empty"}, {"vault", "reset-empty", "--yes"}} {
		p.refusedWith(args, nil, `nothing was done: the recovery secret says "finished" and holds 5 recovery keys`)
	}
	p.refusedWith([]string{"vault", "generate-root", "--first-start"}, nil, "in the sandbox the daemon runs the scripts of the first start")
}

// vaultCommand runs one that has to work and returns what it printed.
func (p *place) vaultCommand(args ...string) []byte {
	p.Helper()
	return p.strongroom(append([]string{"vault"}, args...)...)
}

// strongroom runs a command that has to work, as a person does in the checkout, and
// returns what it printed.
func (p *place) strongroom(args ...string) []byte {
	p.Helper()
	cmd := exec.CommandContext(p.ctx, p.Command, args...)
	cmd.Dir = p.repo
	cmd.Env = append(os.Environ(), "STRONGROOM_SANDBOX_DIR="+p.Dir)
	out, err := cmd.Output()
	var said []byte
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // of Output, unwrapped
		said = exit.Stderr
	}
	require.NoError(p, err, "%q: %s%s", args, out, said)
	return out
}
