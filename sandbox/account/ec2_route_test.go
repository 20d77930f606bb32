package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRouteNeedsItsTarget(t *testing.T) {
	w := newNetwork(t)
	w.create(typeRoute, m{"routeTableId": w.publicTable.ID, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": w.gateway.ID})
	other := w.world.vpc("10.1.0.0/16")
	foreign := w.create(typeInternetGateway, m{"vpcId": other.ID})
	loose := w.create(typeInternetGateway, m{})
	stranger := w.create(typePeering, m{"vpcId": other.ID, "peerVpcId": w.world.vpc("10.2.0.0/16").ID, "autoAccept": true})
	address := w.create(typeAddress, m{"domain": "vpc"})
	farNAT := w.create(typeNATGateway, m{"subnetId": w.subnet(other, "10.1.0.0/24", "a").ID, "allocationId": address.ID})
	for name, test := range map[string]struct {
		change m
		code   string
	}{
		"no such table":             {m{"routeTableId": "rtb-0123"}, "InvalidRouteTableID.NotFound"},
		"no such gateway":           {m{"gatewayId": "igw-0123"}, "InvalidGatewayID.NotFound"},
		"gateway of another VPC":    {m{"gatewayId": foreign.ID}, "InvalidParameterValue"},
		"gateway without VPC":       {m{"gatewayId": loose.ID}, "InvalidParameterValue"},
		"no such NAT gateway":       {m{"gatewayId": nil, "natGatewayId": "nat-0123"}, "InvalidNatGatewayID.NotFound"},
		"NAT gateway elsewhere":     {m{"gatewayId": nil, "natGatewayId": farNAT.ID}, "InvalidParameterValue"},
		"no such peering":           {m{"gatewayId": nil, "vpcPeeringConnectionId": "pcx-0123"}, "InvalidVpcPeeringConnectionID.NotFound"},
		"peering of others":         {m{"gatewayId": nil, "vpcPeeringConnectionId": stranger.ID}, "InvalidParameterValue"},
		"the same route":            {m{"destinationCidrBlock": "0.0.0.0/0"}, "RouteAlreadyExists"},
		"the local route":           {m{"destinationCidrBlock": "10.0.0.0/16"}, "RouteAlreadyExists"},
		"a part of the local route": {m{"destinationCidrBlock": "10.0.4.0/24"}, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			inputs := m{"routeTableId": w.publicTable.ID, "destinationCidrBlock": "192.168.0.0/16", "gatewayId": w.gateway.ID}
			for k, v := range test.change {
				inputs[k] = v
			}
			_, err := w.try(typeRoute, inputs)
			refused(t, err, test.code)
		})
	}
	w.create(typeRoute, m{"routeTableId": w.publicTable.ID, "destinationCidrBlock": "10.0.0.0/8", "gatewayId": w.gateway.ID})
	for name, inputs := range map[string]m{
		"no target":      {"routeTableId": w.publicTable.ID, "destinationCidrBlock": "192.168.0.0/16"},
		"two targets":    {"routeTableId": w.publicTable.ID, "destinationCidrBlock": "192.168.0.0/16", "gatewayId": "igw-1", "natGatewayId": Unknown{}},
		"no destination": {"routeTableId": w.publicTable.ID, "gatewayId": "igw-1"},
		"IPv6":           {"routeTableId": w.publicTable.ID, "destinationIpv6CidrBlock": "::/0", "gatewayId": "igw-1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeRoute, inputs)
			require.ErrorContains(t, err, "check: ")
		})
	}
}

func TestRouteChangesItsTargetInPlace(t *testing.T) {
	w := newNetwork(t)
	route := w.create(typeRoute, m{"routeTableId": w.privateTable.ID, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": w.gateway.ID})
	require.Equal(t, "r-"+w.privateTable.ID+"1080289494", route.ID, "the ID that the provider makes for 0.0.0.0/0")
	require.NoError(t, w.update(route, m{"gatewayId": nil, "natGatewayId": w.nat.ID}))
	require.NotContains(t, w.read(route).Outputs, "gatewayId")
	require.Equal(t, l(m{"cidrBlock": "0.0.0.0/0", "natGatewayId": w.nat.ID}), w.read(w.privateTable).Outputs["routes"])
	refused(t, w.update(route, m{"natGatewayId": "nat-0123"}), "InvalidNatGatewayID.NotFound")
	refused(t, w.update(route, m{"destinationCidrBlock": "192.168.0.0/16"}), "InvalidParameterValue")

	require.Equal(t, "active", w.read(route).Outputs["state"])
	require.NoError(t, w.delete(w.nat), "a route does not hold its target back")
	require.Equal(t, "blackhole", w.read(route).Outputs["state"])
}

func TestRouteTableIsKeptByItsAssociations(t *testing.T) {
	w := newNetwork(t)
	other := w.world.vpc("10.1.0.0/16")
	far := w.subnet(other, "10.1.0.0/24", "a")
	_, err := w.try(typeRouteTableAssociation, m{"routeTableId": w.publicTable.ID, "subnetId": far.ID})
	refused(t, err, "InvalidParameterValue")
	_, err = w.try(typeRouteTableAssociation, m{"routeTableId": "rtb-0123", "subnetId": far.ID})
	refused(t, err, "InvalidRouteTableID.NotFound")

	association := w.create(typeRouteTableAssociation, m{"routeTableId": w.publicTable.ID, "subnetId": w.public.ID})
	require.Regexp(t, `^rtbassoc-[0-9a-f]{17}$`, association.ID)
	_, err = w.try(typeRouteTableAssociation, m{"routeTableId": w.privateTable.ID, "subnetId": w.public.ID})
	refused(t, err, "Resource.AlreadyAssociated")
	refused(t, w.delete(w.publicTable), "DependencyViolation")
	require.NoError(t, w.update(association, m{"routeTableId": w.privateTable.ID}), "another table takes the subnet over in place")
	require.NoError(t, w.delete(w.publicTable))

	require.NoError(t, w.delete(w.nat))
	require.NoError(t, w.delete(w.public))
	gone(t, w.delete(association))
	require.NoError(t, w.delete(w.privateTable))
}

func TestMainRouteTable(t *testing.T) {
	w := newNetwork(t)
	main := &Object{Type: typeRouteTable, ID: w.vpc.Outputs["mainRouteTableId"].(string)}
	refused(t, w.delete(main), "DependencyViolation")
	route := w.create(typeRoute, m{"routeTableId": main.ID, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": w.gateway.ID})
	require.Len(t, w.read(main).Outputs["routes"], 1)
	require.NoError(t, w.delete(route))
}
