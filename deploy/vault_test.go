package deploy

import (
	"testing"

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
	require.ErrorContains(t, err, "the stack has no output vaultAccess: run `strongroom up` first")
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
