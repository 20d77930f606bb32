package network_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/network"
)

func TestS3Endpoint(t *testing.T) {
	g := run(t, nil)
	require.Equal(t, []string{"net-endpoint-s3"}, g.Names(typeEndpoint))
	assert.Empty(t, g.OfType(typeSG), "no interface, no security group")
	s3 := g.Get(t, typeEndpoint, "net-endpoint-s3")
	assert.Equal(t, "com.amazonaws.eu-central-1.s3", s3.Get("serviceName"))
	assert.Equal(t, "Gateway", s3.Get("vpcEndpointType"))
	assert.Equal(t, g.Get(t, typeVPC, "net-vpc").ID, s3.Get("vpcId"))
	tables := []any{}
	for _, table := range g.OfType(typeTable) {
		tables = append(tables, table.ID)
	}
	assert.ElementsMatch(t, tables, s3.Get("routeTableIds"))
	assert.False(t, s3.DeleteBeforeReplace)
}

func TestInterfaceEndpoints(t *testing.T) {
	g := run(t, func(a *network.Args) { a.InterfaceEndpoints = []string{"ecr.api", "sts"} })
	group := g.Get(t, typeSG, "net-endpoints-sg")
	for _, service := range []string{"ecr.api", "sts"} {
		endpoint := g.Get(t, typeEndpoint, "net-endpoint-"+service)
		assert.Equal(t, map[string]any{
			"vpcId": g.Get(t, typeVPC, "net-vpc").ID, "serviceName": "com.amazonaws.eu-central-1." + service,
			"vpcEndpointType": "Interface", "privateDnsEnabled": true, "securityGroupIds": []any{group.ID},
			"subnetIds": []any{
				g.Get(t, typeSubnet, "net-private-a").ID, g.Get(t, typeSubnet, "net-private-b").ID, g.Get(t, typeSubnet, "net-private-c").ID,
			},
			"tags": map[string]any{"environment": "test", "Name": "net-endpoint-" + service},
		}, endpoint.Plain())
	}
	assert.Nil(t, group.Get("ingress"), "rules are resources of their own")
	assert.Nil(t, group.Get("egress"))
	assert.Equal(t, group.ID, g.Get(t, typeIngress, "net-endpoints-ingress").Get("securityGroupId"))
	rule := g.Get(t, typeIngress, "net-endpoints-ingress")
	assert.Equal(t, []any{"10.0.0.0/16", "tcp", 443.0, 443.0},
		[]any{rule.Get("cidrIpv4"), rule.Get("ipProtocol"), rule.Get("fromPort"), rule.Get("toPort")})
}

// Another size of the subnets replaces the endpoint, and it lets go of its subnets
// and of its name first; another zone, or a size that is said instead of left to
// the default, does not.
func TestInterfaceEndpointsAreReplacedWithTheSize(t *testing.T) {
	trigger := func(change func(*network.Args)) any {
		g := run(t, func(a *network.Args) {
			a.InterfaceEndpoints = []string{"sts"}
			change(a)
		})
		endpoint := g.Get(t, typeEndpoint, "net-endpoint-sts")
		assert.True(t, endpoint.DeleteBeforeReplace)
		return endpoint.ReplacementTrigger
	}
	before := trigger(func(*network.Args) {})
	require.NotNil(t, before)
	assert.Equal(t, before, trigger(func(a *network.Args) { a.PrivatePrefix = 20 }))
	assert.Equal(t, before, trigger(func(a *network.Args) { a.Zones = a.Zones[:2] }))
	assert.Equal(t, before, trigger(func(a *network.Args) { a.PublicPrefix = 25 }))
	assert.NotEqual(t, before, trigger(func(a *network.Args) { a.PrivatePrefix = 21 }))
}
