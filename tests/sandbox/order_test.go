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

// loosen takes the edges of all resources of some types out of the state, as if
// the program had never had them.
func (p *place) loosen(types ...string) {
	p.Helper()
	env, err := p.Env()
	require.NoError(p, err)
	file := filepath.Join(p.TempDir(), "state.json")
	_, err = p.command(env, "pulumi", "--cwd", p.ProjectDir(), "--stack", "tooling", "stack", "export", "--file", file)
	require.NoError(p, err)
	data, err := os.ReadFile(file)
	require.NoError(p, err)
	var state map[string]any
	require.NoError(p, json.Unmarshal(data, &state))
	cut := 0
	for _, r := range state["deployment"].(map[string]any)["resources"].([]any) {
		r := r.(map[string]any)
		if slices.Contains(types, r["type"].(string)) {
			delete(r, "dependencies")
			delete(r, "propertyDependencies")
			cut++
		}
	}
	require.NotZero(p, cut, "there is no resource of %v", types)
	data, err = json.Marshal(state)
	require.NoError(p, err)
	require.NoError(p, os.WriteFile(file, data, 0o600))
	_, err = p.command(env, "pulumi", "--cwd", p.ProjectDir(), "--stack", "tooling", "stack", "import", "--file", file)
	require.NoError(p, err)
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
		or            string // a type that the engine may try at the same time, and that is refused as well
	}{
		{"a gateway is not detached while addresses are mapped", "aws:ec2/natGateway:NatGateway", "aws:ec2/internetGateway:InternetGateway", "aws:ec2/eip:Eip", "aws:ec2/subnet:Subnet"},
		{"a VPC does not go while it has subnets", "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc", "", ""},
		{"a security group does not go while an interface has it", "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/securityGroup:SecurityGroup", "", "aws:ec2/subnet:Subnet"},
	} {
		p.sub(rule.name, func() {
			p.run(networkOnly)
			p.up("tooling")

			p.sub("without the edge the account refuses", func() {
				p.loosen(rule.first, rule.also)
				_, err := p.destroyHeld(rule.first, func(e deploy.Event) bool {
					return (e.Type == rule.second || e.Type == rule.or) && e.Status == deploy.StatusFailed
				})
				require.ErrorContains(p, err, "DependencyViolation")
				refused := strings.Contains(err.Error(), rule.second+` "`) || rule.or != "" && strings.Contains(err.Error(), rule.or+` "`)
				require.True(p, refused, "%v", err)
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
