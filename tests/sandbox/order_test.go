package sandbox_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox/account"
)

// networkOnly is a stack of one network, as tooling makes it.
func networkOnly(ctx *pulumi.Context) error {
	const region = "eu-west-1"
	provider, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String(region)})
	if err != nil {
		return err
	}
	_, err = network.New(ctx, "order", &network.Args{
		CIDR: "10.10.0.0/16", Region: region, Zones: []string{region + "a", region + "b"}, NAT: network.NATSingle,
		InterfaceEndpoints: []string{"sts"}, FlowLogsRetentionDays: 30,
	}, pulumi.Providers(provider))
	return err
}

// loosen takes out of the state, as if the program had never had them, the edges
// through which resources of the types firsts come after those of the type second.
//
// The engine deletes in batches, by how deep a resource lies in the graph
// (stepGenerator.ScheduleDeletes of pulumi/pkg), which keeps some orders by
// accident. So second gets the edges that firsts[0] is left with: both lie as
// deep, and nothing but the account says which one goes first.
func (p *place) loosen(second string, firsts ...string) {
	p.Helper()
	env, err := p.Env()
	require.NoError(p, err)
	file := filepath.Join(p.TempDir(), "state.json")
	_, err = p.command(env, "pulumi", "--cwd", p.ProjectDir(), "--stack", "tooling", "stack", "export", "--file", file)
	require.NoError(p, err)
	data, err := os.ReadFile(file)
	require.NoError(p, err)
	var exported apitype.UntypedDeployment
	require.NoError(p, json.Unmarshal(data, &exported))
	var state apitype.DeploymentV3
	require.NoError(p, json.Unmarshal(exported.Deployment, &state))

	g := newGraph(state.Resources)
	var left []resource.URN
	cut := 0
	// What a resource comes after is before it in the state, so an edge of firsts that
	// led to second over another of firsts leads there no longer, and stays.
	for _, r := range g.resources {
		if !slices.Contains(firsts, string(r.Type)) {
			continue
		}
		leads := func(urn resource.URN) bool { return g.leadsTo(urn, second) }
		before := len(r.Dependencies)
		r.Dependencies = slices.DeleteFunc(r.Dependencies, leads)
		for property, urns := range r.PropertyDependencies {
			r.PropertyDependencies[property] = slices.DeleteFunc(urns, leads)
		}
		cut += before - len(r.Dependencies)
		if string(r.Type) == firsts[0] {
			left = append(left, r.Dependencies...)
		}
	}
	require.NotZero(p, cut, "nothing of %v comes after %s", firsts, second)
	for _, r := range g.resources {
		if string(r.Type) == second {
			r.Dependencies = append(r.Dependencies, left...)
		}
	}
	state.Resources = g.sorted()
	exported.Deployment, err = json.Marshal(state)
	require.NoError(p, err)
	data, err = json.Marshal(exported)
	require.NoError(p, err)
	require.NoError(p, os.WriteFile(file, data, 0o600))
	_, err = p.command(env, "pulumi", "--cwd", p.ProjectDir(), "--stack", "tooling", "stack", "import", "--file", file)
	require.NoError(p, err)
}

// graph is the resources of a state and what each comes after.
type graph struct {
	resources []*apitype.ResourceV3
	byURN     map[resource.URN]*apitype.ResourceV3
}

func newGraph(resources []apitype.ResourceV3) graph {
	g := graph{byURN: map[resource.URN]*apitype.ResourceV3{}}
	for i := range resources {
		g.resources = append(g.resources, &resources[i])
		g.byURN[resources[i].URN] = &resources[i]
	}
	return g
}

// leadsTo reports whether a resource is of the type or comes after one that is.
func (g graph) leadsTo(urn resource.URN, typ string) bool {
	r := g.byURN[urn]
	return string(r.Type) == typ || slices.ContainsFunc(r.Dependencies, func(d resource.URN) bool { return g.leadsTo(d, typ) })
}

// sorted has each resource after what it comes after, as the engine wants a state.
func (g graph) sorted() []apitype.ResourceV3 {
	var out []apitype.ResourceV3
	done := map[resource.URN]bool{}
	var visit func(r *apitype.ResourceV3)
	visit = func(r *apitype.ResourceV3) {
		if r == nil || done[r.URN] {
			return
		}
		done[r.URN] = true
		visit(g.byURN[r.Parent])
		if end := strings.LastIndex(r.Provider, "::"); end > 0 {
			visit(g.byURN[resource.URN(r.Provider[:end])])
		}
		for _, d := range r.Dependencies {
			visit(g.byURN[d])
		}
		out = append(out, *r)
	}
	for _, r := range g.resources {
		visit(r)
	}
	return out
}

// The order of a destroy is what the dependency edges say, and the account
// refuses every other: each rule is tried with the edge and without it, while
// the deletion that must come first is held up.
func TestDestroyOrderIsProven(t *testing.T) {
	p := newPlace(t)
	for _, rule := range []struct {
		name          string
		first, second string // types: first must be gone before second can go
		also          string // a type with the same edge, which alone would keep the order
	}{
		{"a gateway is not detached while addresses are mapped", "aws:ec2/natGateway:NatGateway", "aws:ec2/internetGateway:InternetGateway", "aws:ec2/eip:Eip"},
		{"a VPC does not go while it has subnets", "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc", ""},
		{"a security group does not go while an interface has it", "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/securityGroup:SecurityGroup", ""},
	} {
		p.sub(rule.name, func() {
			p.run(networkOnly)
			p.up("tooling")

			p.sub("without the edge the account refuses", func() {
				p.loosen(rule.second, rule.first, rule.also)
				_, err := p.destroyHeld(rule.first, func(e deploy.Event) bool {
					return e.Type == rule.second && e.Status == deploy.StatusFailed
				})
				require.ErrorContains(p, err, "DependencyViolation")
				require.ErrorContains(p, err, rule.second+` "`)
			})
			p.sub("with it the order is kept", func() {
				p.run(networkOnly)
				p.up("tooling")
				events, err := p.destroyHeld(rule.first, func(e deploy.Event) bool {
					return e.Type == rule.first && e.Status == deploy.StatusStarted
				})
				require.NoError(p, err)
				gone := slices.IndexFunc(events, func(e deploy.Event) bool { return e.Type == rule.first && e.Status == deploy.StatusDone })
				begun := slices.IndexFunc(events, func(e deploy.Event) bool { return e.Type == rule.second && e.Status == deploy.StatusStarted })
				require.Greater(p, begun, gone)
				require.GreaterOrEqual(p, gone, 0)
				p.empty()
			})
		})
	}
}

// destroyHeld destroys while deletions of a type hang, until an event happens.
func (p *place) destroyHeld(typ string, until func(deploy.Event) bool) ([]deploy.Event, error) {
	p.Helper()
	require.NoError(p, p.client.SetFault(p.ctx, account.Fault{Type: typ, Op: account.OpDelete, Mode: account.Hang}))
	var events []deploy.Event
	released := false
	release := func() {
		if !released {
			released = true
			require.NoError(p, p.client.ClearFaults(p.ctx))
		}
	}
	defer release()
	// Where the order is not what the rule says, nothing would ever happen.
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	_, err := p.target.Destroy(ctx, "tooling", deploy.Options{Events: func(e deploy.Event) {
		events = append(events, e)
		if until(e) {
			release()
		}
	}})
	return events, err
}
