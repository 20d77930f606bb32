package stacks_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

// A third environment is a new Pulumi.<stack>.yaml and nothing else: this one is
// made of copies of the repository's files with other addresses, in a folder where
// nothing else is.
func TestThirdEnvironment(t *testing.T) {
	dir := t.TempDir()
	replace := strings.NewReplacer(
		"10.10.0.0/16", "10.30.0.0/16",
		"10.20.0.0/16", "10.40.0.0/16",
		"environment: production", "environment: staging",
		"eu-west-1", "eu-central-1",
		"strongroom:toolingStack: tooling\n", "", // the default is tooling-staging
	).Replace
	writeStackFile(t, dir, "tooling-staging", "tooling", replace)
	writeStackFile(t, dir, "application-staging", "application", replace)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 2)

	staging := environment{dir: dir, tooling: "tooling-staging", application: "application-staging"}
	tooling, application := staging.up(t)
	toolingPreview, applicationPreview := staging.preview(t)
	require.NoError(t, tooling.SameResources(toolingPreview))
	require.NoError(t, application.SameResources(applicationPreview))

	productionTooling, productionApplication := production().up(t)
	for _, tt := range []struct {
		stack, cidr     string
		staging, beside *pulumitest.Graph
	}{
		{"tooling-staging", "10.30.0.0/16", tooling, productionTooling},
		{"application-staging", "10.40.0.0/16", application, productionApplication},
	} {
		t.Run(tt.stack, func(t *testing.T) {
			assert.Equal(t, count(tt.beside), count(tt.staging), "the same kinds of resources, as many of each")
			vpc := tt.staging.Get(t, "aws:ec2/vpc:Vpc", tt.stack+"-vpc")
			assert.Equal(t, tt.cidr, vpc.Get("cidrBlock"))
			assert.Equal(t, "eu-central-1", tt.staging.Get(t, "pulumi:providers:aws", "aws").Get("region"))
			for name, rule := range rules(tt.stack) {
				if name != "tags" {
					rule(t, tt.staging)
				}
			}
			tt.staging.CheckTags(t, map[string]string{"strongroom:stack": tt.stack, "environment": "staging"})
		})
	}
	// It joins its own tooling stack, not that of production.
	peering := application.OfType("aws:ec2/vpcPeeringConnection:VpcPeeringConnection")[0]
	assert.Equal(t, tooling.OfType("aws:ec2/vpc:Vpc")[0].ID, peering.Get("peerVpcId"))
	assert.NotEqual(t, productionTooling.OfType("aws:ec2/vpc:Vpc")[0].ID, peering.Get("peerVpcId"))
}

// count is how many resources of each type there are.
func count(g *pulumitest.Graph) map[string]int {
	n := map[string]int{}
	for _, r := range g.Resources {
		n[r.Type]++
	}
	return n
}
