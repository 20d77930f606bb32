package account

import (
	"slices"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpnclient_route.go
var _ = register(typeVPNRoute, rules{
	forceNew: []string{"clientVpnEndpointId", "description", "destinationCidrBlock", "targetVpcSubnetId"},
	check:    func(in Props) []Failure { return checkCIDR("destinationCidrBlock", in["destinationCidrBlock"], 0, 32) },
	create:   createVPNRoute,
	remove:   removeVPNRoute,
})

func createVPNRoute(v *view, o *Object) error {
	endpoint, err := v.vpnEndpointOf(o.in().String("clientVpnEndpointId"), o.Region)
	if err != nil {
		return err
	}
	subnetID := o.in().String("targetVpcSubnetId")
	associated := slices.ContainsFunc(v.associationsOf(endpoint.ID), func(a *Object) bool { return a.in().String("subnetId") == subnetID })
	if !associated {
		return refuse("InvalidClientVpnActiveAssociationNotFound", "subnet %q is not a target network of endpoint %q", subnetID, endpoint.ID)
	}
	destination := network(o.in().String("destinationCidrBlock"))
	if clients := network(endpoint.in().String("clientCidrBlock")); clients.Overlaps(destination) && destination.Bits() > 0 {
		return refuse("InvalidParameterValue", "the destination %s overlaps the client CIDR %s of endpoint %q", destination, clients, endpoint.ID)
	}
	o.ID = vpnRouteID(endpoint.ID, subnetID, destination.String())
	if v.get(typeVPNRoute, o.ID) != nil {
		return refuse("InvalidClientVpnDuplicateRoute", "endpoint %q has a route to %s through %q already", endpoint.ID, destination, subnetID)
	}
	o.Outputs["origin"] = "add-route"
	o.Outputs["type"] = "Nat"
	return nil
}

func removeVPNRoute(_ *view, o *Object) error {
	if o.out().String("origin") == "associate" {
		return refuse("InvalidParameterValue", "the route %s belongs to its target network and goes with it", o.ID)
	}
	return nil
}

func (v *view) vpnRoutesOf(endpointID string) []*Object {
	return v.all(typeVPNRoute, func(o *Object) bool { return o.out().String("clientVpnEndpointId") == endpointID })
}

func vpnRouteID(endpointID, subnetID, destination string) string {
	return strings.Join([]string{endpointID, subnetID, destination}, ",")
}
