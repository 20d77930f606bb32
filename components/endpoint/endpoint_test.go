package endpoint_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/endpoint"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const (
	componentType = "strongroom:endpoint:Endpoint"
	balancerType  = "aws:lb/loadBalancer:LoadBalancer"
	listenerType  = "aws:lb/listener:Listener"
	targetsType   = "aws:lb/targetGroup:TargetGroup"
	groupType     = "aws:ec2/securityGroup:SecurityGroup"
	ingressType   = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressType    = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	recordType    = "aws:route53/record:Record"
)

var testTags = tags.Tags{"environment": "test"}

// vault runs a program with the endpoint of Vault.
func vault(change func(*endpoint.Args)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		s, err := pulumitest.NewSurroundings(ctx, testTags)
		if err != nil {
			return err
		}
		args := &endpoint.Args{
			VPCID:     s.VPCID,
			SubnetIDs: s.SubnetIDs,
			Port:      8200,
			HealthCheck: endpoint.HealthCheck{
				Protocol: "HTTPS", Path: "/v1/sys/health?standbyok=true", Port: 8300, Matcher: "200-299",
			},
			AllowedCIDRs: []string{"10.0.0.0/16", "10.100.0.0/22"},
			// Known only once there are nodes.
			TargetSecurityGroupID: pulumi.Sprintf("sg-of-%s", s.VPCID),
			ZoneID:                pulumi.String("Z0123456789"),
			Hostname:              "vault.tooling.internal",
			CrossZone:             true,
			Tags:                  testTags,
		}
		if change != nil {
			change(args)
		}
		_, err = endpoint.New(ctx, "vault", args, pulumi.Providers(s.AWS))
		return err
	}
}

func TestEndpoint(t *testing.T) {
	g := pulumitest.RunBoth(t, vault(nil), pulumitest.Options{})
	g.CheckParents(t)
	g.CheckNames(t)
	g.CheckOutputs(t)
	g.CheckTags(t, testTags)
	g.CheckProviders(t, "aws")
	require.Empty(t, g.OpenToAll())

	require.Equal(t, []string{"vault-lb"}, g.Names(balancerType))
	require.Equal(t, []string{"vault-listener"}, g.Names(listenerType))
	require.Equal(t, []string{"vault-tg"}, g.Names(targetsType))
	require.Equal(t, []string{"vault-sg"}, g.Names(groupType))
	require.Equal(t, []string{"vault-ingress-10-0-0-0-16", "vault-ingress-10-100-0-0-22", "vault-targets-8200", "vault-targets-8300"}, g.Names(ingressType))
	require.Equal(t, []string{"vault-egress-8200", "vault-egress-8300"}, g.Names(egressType))
	require.Equal(t, []string{"vault-record"}, g.Names(recordType))

	component := g.Get(t, componentType, "vault")
	children := g.ChildrenOf(component)
	require.Len(t, children, 11, "everything above is a child")
	for _, r := range children {
		require.False(t, r.Protect, "%s holds nothing that cannot be made again", r)
	}

	balancer, targets, group := g.Get(t, balancerType, "vault-lb"), g.Get(t, targetsType, "vault-tg"), g.Get(t, groupType, "vault-sg")
	require.Equal(t, true, balancer.Get("internal"), "never on the internet")
	require.Equal(t, "network", balancer.Get("loadBalancerType"))
	require.Equal(t, true, balancer.Get("enableCrossZoneLoadBalancing"))
	require.Equal(t, []any{group.ID}, balancer.Get("securityGroups"))
	var subnets []any
	for _, subnet := range g.OfType("aws:ec2/subnet:Subnet") {
		subnets = append(subnets, subnet.ID)
	}
	require.Equal(t, subnets, balancer.Get("subnets"))

	listener := g.Get(t, listenerType, "vault-listener")
	require.Equal(t, balancer.ID, listener.Get("loadBalancerArn"))
	require.Equal(t, 8200.0, listener.Get("port"))
	require.Equal(t, "TCP", listener.Get("protocol"))
	require.Equal(t, "forward", listener.Get("defaultActions.0.type"))
	require.Equal(t, targets.ID, listener.Get("defaultActions.0.targetGroupArn"))
	require.True(t, listener.DeleteBeforeReplace, "two load balancers cannot have one target group")

	require.Equal(t, "ip", targets.Get("targetType"), "the pods' addresses, not the nodes'")
	require.Equal(t, 8200.0, targets.Get("port"))
	require.Equal(t, "TCP", targets.Get("protocol"))
	require.Equal(t, "false", targets.Get("preserveClientIp"))
	require.Equal(t, map[string]any{
		"enabled": true, "protocol": "HTTPS", "path": "/v1/sys/health?standbyok=true", "port": "8300", "matcher": "200-299",
		"interval": 10.0, "timeout": 6.0, "healthyThreshold": 2.0, "unhealthyThreshold": 2.0,
	}, targets.Get("healthCheck"))

	record := g.Get(t, recordType, "vault-record")
	require.Equal(t, "Z0123456789", record.Get("zoneId"))
	require.Equal(t, "vault.tooling.internal", record.Get("name"))
	require.Equal(t, "A", record.Get("type"))
	require.Equal(t, []any{map[string]any{
		"name":                 balancer.State["dnsName"].StringValue(),
		"zoneId":               balancer.State["zoneId"].StringValue(),
		"evaluateTargetHealth": false,
	}}, record.Get("aliases"))

	for output, want := range map[string]any{
		"dnsName": "vault.tooling.internal", "port": 8200.0, "targetGroupArn": targets.ID, "loadBalancerArn": balancer.ID, "securityGroupId": group.ID,
	} {
		require.Equal(t, want, component.Output(output), output)
		require.False(t, component.IsSecretOutput(output), output)
	}
}

// Clients reach one port; the load balancer reaches the pods' ports and nothing
// else, and the pods' group lets in nobody but the load balancer.
func TestRules(t *testing.T) {
	g := pulumitest.Run(t, vault(nil), pulumitest.Options{})
	group := g.Get(t, groupType, "vault-sg")
	nodes := "sg-of-" + g.Get(t, "aws:ec2/vpc:Vpc", "surroundings-vpc").ID
	require.Nil(t, group.Get("ingress"), "rules in the group would fight with those of others")
	require.Nil(t, group.Get("egress"))

	clients := g.Get(t, ingressType, "vault-ingress-10-0-0-0-16")
	require.Equal(t, group.ID, clients.Get("securityGroupId"))
	require.Equal(t, "10.0.0.0/16", clients.Get("cidrIpv4"))
	require.Equal(t, 8200.0, clients.Get("fromPort"))
	require.Equal(t, 8200.0, clients.Get("toPort"))
	for suffix, port := range map[string]float64{"8200": 8200, "8300": 8300} {
		out := g.Get(t, egressType, "vault-egress-"+suffix)
		require.Equal(t, group.ID, out.Get("securityGroupId"))
		require.Equal(t, nodes, out.Get("referencedSecurityGroupId"))
		require.Nil(t, out.Get("cidrIpv4"))
		in := g.Get(t, ingressType, "vault-targets-"+suffix)
		require.Equal(t, nodes, in.Get("securityGroupId"))
		require.Equal(t, group.ID, in.Get("referencedSecurityGroupId"))
		require.Nil(t, in.Get("cidrIpv4"))
		for _, rule := range []*pulumitest.Resource{out, in} {
			require.Equal(t, port, rule.Get("fromPort"))
			require.Equal(t, port, rule.Get("toPort"))
			require.Equal(t, "tcp", rule.Get("ipProtocol"))
		}
	}
}

// Created in this order, destroyed in the opposite one.
func TestOrder(t *testing.T) {
	g := pulumitest.Run(t, vault(nil), pulumitest.Options{})
	group, balancer := g.Get(t, groupType, "vault-sg"), g.Get(t, balancerType, "vault-lb")
	listener, targets := g.Get(t, listenerType, "vault-listener"), g.Get(t, targetsType, "vault-tg")
	for _, typ := range []string{ingressType, egressType} {
		for _, rule := range g.OfType(typ) {
			require.True(t, g.DependsOn(rule, group), "%s: AWS refuses to delete a group that another refers to", rule)
			require.True(t, g.DependsOn(balancer, rule), "%s must be there before connections are", rule)
		}
	}
	require.True(t, g.DependsOn(balancer, group), "a group in use is not deleted")
	require.True(t, g.DependsOn(listener, targets), "a target group in use is not deleted")
	require.True(t, g.DependsOn(listener, balancer))
	record := g.Get(t, recordType, "vault-record")
	require.True(t, g.DependsOn(record, balancer))
	require.True(t, g.DependsOn(record, listener), "a name that resolves has a listener behind it")
	require.False(t, g.DependsOn(balancer, listener), "the graph would have a cycle")
}

// The zero value of the health check is a connection to the pods' port, which AWS
// takes without path and matcher.
func TestPlainTCP(t *testing.T) {
	g := pulumitest.RunBoth(t, vault(func(a *endpoint.Args) {
		a.HealthCheck, a.CrossZone, a.AllowedCIDRs = endpoint.HealthCheck{}, false, nil
	}), pulumitest.Options{})
	targets := g.Get(t, targetsType, "vault-tg")
	require.Equal(t, "TCP", targets.Get("healthCheck.protocol"))
	require.Equal(t, "traffic-port", targets.Get("healthCheck.port"))
	require.Nil(t, targets.Get("healthCheck.path"))
	require.Nil(t, targets.Get("healthCheck.matcher"))
	require.Equal(t, false, g.Get(t, balancerType, "vault-lb").Get("enableCrossZoneLoadBalancing"))
	require.Equal(t, []string{"vault-targets-8200"}, g.Names(ingressType), "nobody is let in who was not named")
	require.Equal(t, []string{"vault-egress-8200"}, g.Names(egressType))
}

// Without a known group of the targets the load balancer may reach them
// everywhere, at their ports alone.
func TestUnknownTargets(t *testing.T) {
	g := pulumitest.RunBoth(t, vault(func(a *endpoint.Args) { a.TargetSecurityGroupID = nil }), pulumitest.Options{})
	require.Equal(t, []string{"vault-ingress-10-0-0-0-16", "vault-ingress-10-100-0-0-22"}, g.Names(ingressType))
	for _, out := range g.OfType(egressType) {
		require.Equal(t, "0.0.0.0/0", out.Get("cidrIpv4"))
		require.Equal(t, out.Get("fromPort"), out.Get("toPort"))
		require.Nil(t, out.Get("referencedSecurityGroupId"))
	}
	require.Empty(t, g.OpenToAll())
}

func TestOrderOfRangesDoesNotMatter(t *testing.T) {
	g := pulumitest.Run(t, vault(nil), pulumitest.Options{})
	other := pulumitest.Run(t, vault(func(a *endpoint.Args) { a.AllowedCIDRs = []string{"10.100.0.0/22", "10.0.0.0/16"} }), pulumitest.Options{})
	require.NoError(t, g.SameResources(other))
	for _, rule := range g.OfType(ingressType) {
		require.Equal(t, rule.Get("cidrIpv4"), other.Get(t, ingressType, rule.Name).Get("cidrIpv4"))
	}
}

// The check that TestEndpoint relies on sees clients from everywhere.
func TestOpenToAllSeesABrokenEndpoint(t *testing.T) {
	for _, cidr := range []string{"0.0.0.0/0", "128.0.0.0/1", "nonsense"} {
		g := pulumitest.Run(t, vault(nil), pulumitest.Options{})
		g.Get(t, ingressType, "vault-ingress-10-0-0-0-16").Inputs["cidrIpv4"] = resource.NewProperty(cidr)
		require.Equal(t, []string{ingressType + ` "vault-ingress-10-0-0-0-16" lets the internet in: ` + cidr}, g.OpenToAll())
	}
}
