package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

const fluxSettings = `{"url":"ssh://git@git.example.com/platform/strongroom.git","branch":"main",` +
	`"knownHosts":"git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"}`

// withFlux is the production environment with Flux.
func withFlux() environment {
	env := production()
	env.change = func(values map[string]string) { values["strongroom:flux"] = fluxSettings }
	return env
}

// Both clusters are handed over with every value that their trees need, and the rules
// of every stack hold.
func TestFlux(t *testing.T) {
	tooling, application := withFlux().up(t)
	toolingPreview, applicationPreview := withFlux().preview(t)
	require.NoError(t, tooling.SameResources(toolingPreview))
	require.NoError(t, application.SameResources(applicationPreview))
	for cluster, g := range map[string]*pulumitest.Graph{"tooling": tooling, "application": application} {
		t.Run(cluster, func(t *testing.T) {
			for _, rule := range rules(cluster) {
				rule(t, g)
			}
			info := g.Get(t, "kubernetes:core/v1:ConfigMap", cluster+"-flux-runtime-info")
			data, ok := info.Get("data").(map[string]any)
			require.True(t, ok)
			require.NoError(t, runtimeinfo.Check(cluster, data))
			assert.Equal(t, "https://vault.tooling.internal:8200", data[runtimeinfo.VaultAddress])

			sync := g.Get(t, "kubernetes:kustomize.toolkit.fluxcd.io/v1:Kustomization", cluster+"-flux-sync")
			for _, typ := range []string{"aws:eks/addon:Addon", "aws:eks/nodeGroup:NodeGroup", "aws:eks/podIdentityAssociation:PodIdentityAssociation"} {
				for _, r := range g.OfType(typ) {
					assert.True(t, g.DependsOn(sync, r), "the tree must go before %s", r)
				}
			}
			assert.Equal(t, "simulated public key of "+cluster+"-flux-read-key", g.Output("fluxDeployKey"))
			assert.Equal(t, "simulated public key of "+cluster+"-flux-write-key", g.Output("fluxWriteKey"))
		})
	}
	policy := tooling.Get(t, "aws:iam/rolePolicy:RolePolicy", "tooling-load-balancer-controller-policy")
	assert.Contains(t, policy.Get("policy"), tooling.OfType("aws:lb/targetGroup:TargetGroup")[0].ID)
}

// Without strongroom:flux nothing of it is made.
func TestFluxIsOffByDefault(t *testing.T) {
	both(t, func(t *testing.T, _ string, g *pulumitest.Graph) {
		assert.Empty(t, g.OfType("strongroom:fluxbootstrap:FluxBootstrap"))
		assert.Nil(t, g.Find("pulumi:providers:tls", "tls"))
	})
}
