package deploy

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/stacks"
)

func vaultState() *state {
	return &state{deployment: map[string]any{"resources": []any{
		map[string]any{"urn": "stack", "type": "pulumi:pulumi:Stack", "outputs": map[string]any{"vaultAccess": map[string]any{
			"mode": "tunnel", "address": "https://vault.tooling.internal:8200", "serverName": "vault.tooling.internal",
			"port": 18200.0, "ca": "ca", "kubeconfig": "{}",
		}}},
		map[string]any{"urn": "cluster", "type": "eks:index:Cluster"},
		map[string]any{"urn": "provider", "type": "pulumi:providers:vault"},
		map[string]any{"urn": "component", "type": "strongroom:vaultconfig:VaultConfig"},
		map[string]any{"urn": "policy", "type": "vault:index/policy:Policy", "deletedWith": "cluster"},
		map[string]any{"urn": "role", "type": "vault:jwt/authBackendRole:AuthBackendRole"},
		map[string]any{"urn": "after", "type": "aws:s3/bucket:Bucket", "dependencies": []any{"cluster", "role"}},
	}}}
}

func TestWayOfAState(t *testing.T) {
	way, err := vaultState().way()
	require.NoError(t, err)
	require.Equal(t, &stacks.Way{
		Mode: "tunnel", Address: "https://vault.tooling.internal:8200", ServerName: "vault.tooling.internal",
		Port: 18200, CA: "ca", Kubeconfig: "{}",
	}, way)
	_, err = (&state{deployment: map[string]any{}}).way()
	require.ErrorContains(t, err, "the stack has no output vaultAccess: configure strongroom:vault.workloads as it was, and run `strongroom up` first")
}

// The way is opened where the engine would go to Vault without a program that opens it.
func TestWayIsOpenedBeforeTheProgram(t *testing.T) {
	const with, without = "config: {strongroom:vault: {workloads: []}}\n", "config: {}\n"
	for _, c := range []struct {
		name    string
		config  string
		phase   Phase
		refresh bool
		opened  bool
	}{
		{"up with something declared", with, PhaseUp, false, false},
		{"up with nothing declared any more", without, PhaseUp, false, true},
		{"up with a refresh", with, PhaseUp, true, true},
		{"refresh", with, PhaseRefresh, false, true},
		{"preview with nothing declared any more", without, PhasePreview, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := &Target{WorkDir: t.TempDir()}
			require.NoError(t, os.WriteFile(target.StackFile("tooling"), []byte(c.config), 0o600))
			asked := errors.New("asked")
			host := &stacks.Host{OpenVault: func(context.Context, stacks.Way, time.Duration, func(string)) (stacks.VaultWay, error) {
				return nil, asked
			}}
			held := vaultState()
			err := target.reachVault(context.Background(), "tooling", c.phase, held, Options{Refresh: c.refresh}, host, func(string) {})
			if c.opened {
				require.ErrorIs(t, err, asked)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestForget(t *testing.T) {
	s := vaultState()
	inside := s.inVault()
	require.Len(t, inside, 2)
	s.forget(inside)
	var left []string
	for _, r := range s.resources() {
		left = append(left, text(r, "urn"))
	}
	require.Equal(t, []string{"stack", "cluster", "provider", "component", "after"}, left)
	require.Equal(t, []any{"cluster"}, s.resources()[4]["dependencies"])
}
