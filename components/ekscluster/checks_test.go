package ekscluster_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

// The checks that TestCluster relies on find what they are there to find, in a
// cluster that is right but for one thing.
func TestChecksSeeABrokenCluster(t *testing.T) {
	set := func(typ, name, input string, value any) func(*testing.T, *pulumitest.Graph) {
		return func(t *testing.T, g *pulumitest.Graph) {
			g.Get(t, typ, name).Inputs[resource.PropertyKey(input)] = resource.NewPropertyValue(value)
		}
	}
	disk := func(encrypted string) []any {
		return []any{map[string]any{"ebs": map[string]any{"encrypted": encrypted}}}
	}
	for want, damage := range map[string]func(*testing.T, *pulumitest.Graph){
		`eks:index:Cluster "tooling-eks" lets the internet in: 0.0.0.0/0`:   set(clusterType, "tooling-eks", "publicAccessCidrs", []any{"0.0.0.0/0"}),
		`eks:index:Cluster "tooling-eks" lets the internet in: 128.0.0.0/1`: set(clusterType, "tooling-eks", "publicAccessCidrs", []any{"198.51.100.0/24", "128.0.0.0/1"}),
		`eks:index:Cluster "tooling-eks": Secrets are not encrypted with a key`: func(t *testing.T, g *pulumitest.Graph) {
			delete(g.Get(t, clusterType, "tooling-eks").Inputs, "encryptionConfigKeyArn")
		},
		`aws:ec2/launchTemplate:LaunchTemplate "tooling-jobs-template": disks are not encrypted`: set(templateType, "tooling-jobs-template", "blockDeviceMappings", disk("false")),
		`aws:ec2/launchTemplate:LaunchTemplate "tooling-jobs-template": pods can read the node's credentials`: set(templateType, "tooling-jobs-template", "metadataOptions",
			map[string]any{"httpTokens": "required", "httpPutResponseHopLimit": 2}),
		`aws:iam/role:Role "tooling-node-role", statement 0 is for everybody`: set(roleType, "tooling-node-role", "assumeRolePolicy",
			`{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}`),
		`aws:kms/key:Key "tooling-key", statement 0 is for everybody`: set(keyType, "tooling-key", "policy",
			`{"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Principal": {"AWS": "*"}}]}`),
		`aws:eks/addon:Addon "tooling-addon-coredns" uses the default provider of "aws"`: func(t *testing.T, g *pulumitest.Graph) {
			g.Get(t, addonType, "tooling-addon-coredns").Provider = ""
		},
		`aws:eks/accessEntry:AccessEntry "tooling-admin-123456789012-user-alex": tag "environment" is <nil>, want "test"`: set(entryType, "tooling-admin-123456789012-user-alex", "tags", map[string]any{}),
	} {
		t.Run(want, func(t *testing.T) {
			g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
			damage(t, g)
			require.Equal(t, []string{want}, pulumitest.Failures(t, func(t testing.TB) { check(t, g) }))
		})
	}
	t.Run("no ranges", func(t *testing.T) {
		g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
		delete(g.Get(t, clusterType, "tooling-eks").Inputs, "publicAccessCidrs")
		require.Equal(t, []string{`eks:index:Cluster "tooling-eks" lets the internet in: 0.0.0.0/0`}, g.OpenToAll())
	})
	for typ, name := range map[string]string{clusterType: "tooling-eks", keyType: "tooling-key"} {
		t.Run(name+" without protection", func(t *testing.T) {
			g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
			g.Get(t, typ, name).Protect = false
			require.Equal(t, []string{typ + ` "` + name + `": protect is false, want true`},
				pulumitest.Failures(t, func(t testing.TB) { g.CheckProtect(t, true) }))
		})
	}
}
