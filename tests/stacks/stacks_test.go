package stacks_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

// baseTags are on everything that can have tags.
func baseTags(stack string) map[string]string {
	return map[string]string{"strongroom:stack": stack, "strongroom:managed-by": "pulumi", "environment": "production"}
}

// both runs check for both stacks of the repository.
func both(t *testing.T, check func(t *testing.T, stack string, g *pulumitest.Graph)) {
	t.Helper()
	tooling, application := production().up(t)
	t.Run("tooling", func(t *testing.T) { check(t, "tooling", tooling) })
	t.Run("application", func(t *testing.T) { check(t, "application", application) })
}

// A preview of an empty account shows what an up will make: no resource hangs on
// a value that is not known yet.
func TestSameResourcesWithUnknownOutputs(t *testing.T) {
	tooling, application := production().up(t)
	toolingPreview, applicationPreview := production().preview(t)
	require.NoError(t, tooling.SameResources(toolingPreview))
	require.NoError(t, application.SameResources(applicationPreview))
	require.Greater(t, len(tooling.Resources), 40)
	require.Greater(t, len(application.Resources), 40)
}

func TestRules(t *testing.T) {
	both(t, func(t *testing.T, stack string, g *pulumitest.Graph) {
		for name, rule := range rules(stack) {
			t.Run(name, func(t *testing.T) { rule(t, g) })
		}
	})
}

// rules are what holds for every resource of every stack.
func rules(stack string) map[string]func(testing.TB, *pulumitest.Graph) {
	return map[string]func(testing.TB, *pulumitest.Graph){
		"parents":   func(t testing.TB, g *pulumitest.Graph) { g.CheckParents(t) },
		"names":     func(t testing.TB, g *pulumitest.Graph) { g.CheckNames(t) },
		"outputs":   func(t testing.TB, g *pulumitest.Graph) { g.CheckOutputs(t) },
		"tags":      func(t testing.TB, g *pulumitest.Graph) { g.CheckTags(t, baseTags(stack)) },
		"providers": func(t testing.TB, g *pulumitest.Graph) { g.CheckProviders(t, "aws", "kubernetes", "eks", "tls") },
		"protect":   func(t testing.TB, g *pulumitest.Graph) { g.CheckProtect(t, true) },
		"wildcards": func(t testing.TB, g *pulumitest.Graph) {
			found, err := g.Wildcards()
			if err != nil {
				t.Errorf("%v", err)
			}
			for _, f := range found {
				t.Errorf("%s", f)
			}
		},
		"open": func(t testing.TB, g *pulumitest.Graph) {
			for _, f := range g.OpenToAll() {
				t.Errorf("%s", f)
			}
		},
	}
}

// Each rule finds what it is there to find, in a stack that is right but for one
// thing.
func TestRulesCanFail(t *testing.T) {
	first := func(t *testing.T, g *pulumitest.Graph, typ string) *pulumitest.Resource {
		t.Helper()
		all := g.OfType(typ)
		require.NotEmpty(t, all, typ)
		return all[0]
	}
	policy := func(r *pulumitest.Resource, input, statement string) {
		r.Inputs[resource.PropertyKey(input)] = resource.NewProperty(`{"Statement":[` + statement + `]}`)
	}
	for _, tt := range []struct {
		rule   string
		damage func(*testing.T, *pulumitest.Graph)
		want   string
	}{
		{"parents", func(t *testing.T, g *pulumitest.Graph) {
			vpc := first(t, g, "aws:ec2/vpc:Vpc")
			vpc.Parent = g.ParentOf(vpc).Parent
		}, `aws:ec2/vpc:Vpc "tooling-vpc" has no parent`},
		{"names", func(t *testing.T, g *pulumitest.Graph) { first(t, g, "aws:ec2/vpc:Vpc").Name = "vpc" },
			`its name must start with "tooling-"`},
		{"tags", func(t *testing.T, g *pulumitest.Graph) {
			first(t, g, "aws:ec2/vpc:Vpc").Inputs["tags"] = resource.NewProperty(resource.PropertyMap{
				"strongroom:stack": resource.NewProperty("tooling"), "environment": resource.NewProperty("production"),
			})
		}, `tag "strongroom:managed-by" is <nil>`},
		{"providers", func(t *testing.T, g *pulumitest.Graph) { first(t, g, "aws:ec2/vpc:Vpc").Provider = "" },
			`uses the default provider of "aws"`},
		{"protect", func(t *testing.T, g *pulumitest.Graph) { first(t, g, "aws:ec2/vpc:Vpc").Protect = false },
			`protect is false, want true`},
		{"wildcards", func(t *testing.T, g *pulumitest.Graph) {
			policy(first(t, g, "aws:iam/rolePolicy:RolePolicy"), "policy",
				`{"Effect":"Allow","Action":["logs:PutLogEvents","logs:DescribeLogGroups"],"Resource":"*"}`)
		}, `allows "logs:PutLogEvents" on every resource`},
		{"wildcards", func(t *testing.T, g *pulumitest.Graph) {
			policy(first(t, g, "aws:iam/rolePolicy:RolePolicy"), "policy",
				`{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::bucket"]}`)
		}, `allows the action "s3:*"`},
		{"wildcards", func(t *testing.T, g *pulumitest.Graph) {
			policy(first(t, g, "aws:iam/role:Role"), "assumeRolePolicy",
				`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}`)
		}, `is for everybody`},
		{"wildcards", func(t *testing.T, g *pulumitest.Graph) {
			first(t, g, "aws:iam/role:Role").Inputs["assumeRolePolicy"] = resource.NewProperty("{")
		}, `is no policy`},
		{"open", func(t *testing.T, g *pulumitest.Graph) {
			first(t, g, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").Inputs["cidrIpv4"] = resource.NewProperty("0.0.0.0/0")
		}, `lets the internet in`},
	} {
		t.Run(tt.rule+": "+tt.want, func(t *testing.T) {
			g := production().run(t, "tooling", false, nil)
			tt.damage(t, g)
			failures := pulumitest.Failures(t, func(t testing.TB) { rules("tooling")[tt.rule](t, g) })
			require.Len(t, failures, 1)
			assert.Contains(t, failures[0], tt.want)
		})
	}
}

// With strongroom:protect false nothing is protected, or a destroy would stop.
func TestProtectIsASwitch(t *testing.T) {
	env := production()
	env.change = func(values map[string]string) { values["strongroom:protect"] = "false" }
	tooling, application := env.up(t)
	for _, g := range []*pulumitest.Graph{tooling, application} {
		g.CheckProtect(t, false)
		for _, r := range g.Resources {
			assert.False(t, r.Protect, "%s", r)
		}
	}
	assert.NotEmpty(t, pulumitest.Failures(t, func(t testing.TB) { tooling.CheckProtect(t, true) }))
}

// What the tooling stack promises is complete, plain, and not secret.
func TestContract(t *testing.T) {
	tooling, _ := production().up(t)
	assert.False(t, tooling.IsSecretOutput("contract"))
	assert.Equal(t, 3.0, tooling.Output("contract.version"))
	assert.Equal(t, "10.10.0.0/16", tooling.Output("contract.vpcCidr"))
	assert.Equal(t, "10.100.0.0/22", tooling.Output("contract.vpnClientCidr"))
	assert.Equal(t, "vault.tooling.internal", tooling.Output("contract.vaultHostname"))
	assert.Equal(t, "https://vault.tooling.internal:8200", tooling.Output("vaultAddress"))
	tables, ok := tooling.Output("contract.routeTables").([]any)
	require.True(t, ok)
	assert.Len(t, tables, len(tooling.OfType("aws:ec2/routeTable:RouteTable")), "every route table gets a way back")
}

// The application stack makes all that joins it to tooling, on both sides.
func TestApplicationJoinsTooling(t *testing.T) {
	tooling, application := production().up(t)
	toolingVPC := tooling.OfType("aws:ec2/vpc:Vpc")[0].ID

	peerings := application.OfType("aws:ec2/vpcPeeringConnection:VpcPeeringConnection")
	require.Len(t, peerings, 1)
	assert.Equal(t, toolingVPC, peerings[0].Get("peerVpcId"))

	var toTooling, toApplication int
	for _, r := range application.OfType("aws:ec2/route:Route") {
		switch r.Get("destinationCidrBlock") {
		case "10.10.0.0/16":
			toTooling++
		case "10.20.0.0/16":
			toApplication++
		}
	}
	assert.Equal(t, len(application.OfType("aws:ec2/routeTable:RouteTable")), toTooling)
	assert.Equal(t, len(tooling.OfType("aws:ec2/routeTable:RouteTable")), toApplication)

	associations := application.OfType("aws:route53/zoneAssociation:ZoneAssociation")
	require.Len(t, associations, 1)
	assert.Equal(t, tooling.OfType("aws:route53/zone:Zone")[0].ID, associations[0].Get("zoneId"))
	assert.Equal(t, application.OfType("aws:ec2/vpc:Vpc")[0].ID, associations[0].Get("vpcId"))

	rule := application.Get(t, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "application-tooling-vault")
	assert.Equal(t, tooling.Output("contract.vaultSecurityGroupId"), rule.Get("securityGroupId"))
	assert.Equal(t, "10.20.0.0/16", rule.Get("cidrIpv4"))
	assert.Equal(t, 8200.0, rule.Get("fromPort"))
	assert.Equal(t, 8200.0, rule.Get("toPort"))
}

// In another region, the tooling side of the join is made there.
func TestApplicationInAnotherRegion(t *testing.T) {
	env := production()
	tooling := env.run(t, "tooling", false, nil)
	env.change = func(values map[string]string) { values["strongroom:region"] = "eu-central-1" }
	g := env.run(t, "application", false, env.outputs(tooling))
	there := g.Get(t, "pulumi:providers:aws", "aws-tooling")
	assert.Equal(t, "eu-west-1", there.Get("region"))
	rule := g.Get(t, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "application-tooling-vault")
	assert.True(t, strings.HasPrefix(rule.Provider, there.URN+"::"), rule.Provider)
	for _, r := range g.OfType("aws:ec2/route:Route") {
		if r.Get("destinationCidrBlock") == "10.20.0.0/16" {
			assert.True(t, strings.HasPrefix(r.Provider, there.URN+"::"), "%s: %s", r, r.Provider)
		}
	}
	for _, vpc := range g.OfType("aws:ec2/vpc:Vpc") {
		assert.False(t, strings.HasPrefix(vpc.Provider, there.URN+"::"))
	}
	g.CheckProviders(t, "aws")
	g.CheckParents(t)
}

// What must be there before, and go after, something else. The engine tests prove
// that AWS needs it; this proves that the edge is in the graph.
func TestOrder(t *testing.T) {
	both(t, func(t *testing.T, _ string, g *pulumitest.Graph) {
		groups := g.OfType("aws:eks/nodeGroup:NodeGroup")
		require.NotEmpty(t, groups)
		for _, group := range groups {
			for _, typ := range []string{
				"aws:ec2/routeTableAssociation:RouteTableAssociation", // a node without a route never joins
				"aws:ec2/natGateway:NatGateway",
				"aws:ec2/internetGateway:InternetGateway",
			} {
				for _, r := range g.OfType(typ) {
					assert.True(t, g.DependsOn(group, r), "%s must depend on %s", group, r)
				}
			}
		}
		for _, eip := range g.OfType("aws:ec2/eip:Eip") {
			for _, gateway := range g.OfType("aws:ec2/internetGateway:InternetGateway") {
				assert.True(t, g.DependsOn(eip, gateway), "%s must depend on %s: a gateway with mapped addresses cannot be detached", eip, gateway)
			}
		}
	})
}

// The application before the tooling: nothing is registered.
func TestApplicationBeforeTooling(t *testing.T) {
	for name, outputs := range map[string]map[string]resource.PropertyMap{
		"no stack":    nil,
		"empty stack": {"organization/strongroom/tooling": {}},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := production().tryRun(t, "application", true, outputs)
			require.Error(t, err)
			assert.Contains(t, strings.Join(append(g.Logs, err.Error()), "\n"), "run `strongroom up tooling` first")
			for _, r := range g.Resources {
				assert.Equal(t, "pulumi:pulumi:StackReference", r.Type)
			}
		})
	}
}

// An address range that both VPCs have cannot be routed: nothing is registered.
func TestOverlapWithThePeer(t *testing.T) {
	env := production()
	tooling := env.run(t, "tooling", false, nil)
	env.change = func(values map[string]string) {
		values["strongroom:network"] = strings.ReplaceAll(values["strongroom:network"], "10.20.0.0", "10.10.0.0")
	}
	g, err := env.tryRun(t, "application", false, env.outputs(tooling))
	require.ErrorContains(t, err, `config strongroom:network.cidr: 10.10.0.0/16 overlaps the VPC of stack "tooling", 10.10.0.0/16`)
	assert.Len(t, g.Resources, 1, "only the stack reference")
}
