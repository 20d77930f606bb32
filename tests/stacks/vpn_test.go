package stacks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

const vpnEndpointType = "aws:ec2clientvpn/endpoint:Endpoint"

// What `strongroom vpn` needs is among the outputs, and of that only the
// authority's key is a secret.
func TestVPNOutputs(t *testing.T) {
	tooling, _ := production().up(t)
	endpoint := tooling.Get(t, vpnEndpointType, "tooling-vpn-endpoint")
	assert.Equal(t, endpoint.ID, tooling.Output("vpnEndpointId"))
	assert.Contains(t, tooling.Output("vpnEndpointDnsName"), "*."+endpoint.ID)
	assert.Equal(t, "vpn.tooling.internal", tooling.Output("vpnServerName"))
	assert.Equal(t, "simulated certificate tooling-vpn-ca", tooling.Output("vpnCaCertificate"))
	assert.Contains(t, tooling.Output("vpnBucket"), "tooling-vpn-index-")
	assert.Equal(t, "simulated private key of tooling-vpn-ca-key", tooling.Output("vpnCaPrivateKey"))
	for name, secret := range map[string]bool{
		"vpnEndpointId": false, "vpnEndpointDnsName": false, "vpnServerName": false, "vpnCaCertificate": false, "vpnBucket": false,
		"vpnCaPrivateKey": true,
	} {
		assert.Equal(t, secret, tooling.IsSecretOutput(name), name)
	}
	tooling.CheckNoPlaintext(t, "simulated private key")
}

// Clients resolve the private zone, and reach Vault's load balancer and nothing
// else.
func TestVPNLeadsToVault(t *testing.T) {
	tooling, application := production().up(t)
	endpoint := tooling.Get(t, vpnEndpointType, "tooling-vpn-endpoint")
	assert.Equal(t, []any{"10.10.0.2"}, endpoint.Get("dnsServers"))
	var subnets []any
	for _, association := range tooling.OfType("aws:ec2clientvpn/networkAssociation:NetworkAssociation") {
		subnets = append(subnets, association.Get("subnetId"))
	}
	assert.Len(t, subnets, 3, "one per zone")
	group := tooling.Get(t, "aws:ec2/securityGroup:SecurityGroup", "tooling-vpn-sg")
	for _, rule := range tooling.OfType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") {
		if rule.Get("securityGroupId") == group.ID {
			assert.Equal(t, tooling.Output("contract.vaultSecurityGroupId"), rule.Get("referencedSecurityGroupId"))
			assert.Equal(t, 8200.0, rule.Get("fromPort"))
			assert.Equal(t, 8200.0, rule.Get("toPort"))
		}
	}

	// The application stack leads clients on to its own VPC.
	authorization := application.Get(t, "aws:ec2clientvpn/authorizationRule:AuthorizationRule", "application-tooling-vpn-authorization")
	assert.Equal(t, "10.20.0.0/16", authorization.Get("targetNetworkCidr"))
	routes := application.OfType("aws:ec2clientvpn/route:Route")
	require.Len(t, routes, 3)
	for _, route := range routes {
		assert.Equal(t, endpoint.ID, route.Get("clientVpnEndpointId"))
		assert.Equal(t, "10.20.0.0/16", route.Get("destinationCidrBlock"))
		assert.Contains(t, subnets, route.Get("targetVpcSubnetId"))
	}
}

// Without a range for clients there is nothing of a VPN, in either stack.
func TestWithoutVPN(t *testing.T) {
	env := production()
	env.change = func(values map[string]string) { delete(values, "strongroom:vpn") }
	tooling, application := env.up(t)
	for _, g := range []*pulumitest.Graph{tooling, application} {
		for _, r := range g.Resources {
			assert.False(t, strings.Contains(r.Type, "clientvpn") || strings.HasPrefix(r.Type, "tls:") && !strings.Contains(r.Name, "-vault-"), "%s", r)
		}
	}
	assert.Nil(t, tooling.Output("vpnEndpointId"))
	assert.Equal(t, []any{}, tooling.Output("contract.vpnSubnets"))
}
