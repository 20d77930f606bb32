package account

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpnclient_network_association.go
var _ = register(typeVPNAssociation, rules{
	forceNew: []string{"clientVpnEndpointId", "subnetId"},
	create:   createVPNAssociation,
	remove:   removeVPNAssociation,
})

// What a target network must have:
// https://docs.aws.amazon.com/vpn/latest/clientvpn-admin/what-is-best-practices.html
const longestTargetPrefix = 27

func createVPNAssociation(v *view, o *Object) error {
	endpoint, err := v.vpnEndpointOf(o.in().String("clientVpnEndpointId"), o.Region)
	if err != nil {
		return err
	}
	subnet, err := v.subnetOf(o.in().String("subnetId"), o.Region)
	if err != nil {
		return err
	}
	vpc, err := v.vpcOf(subnet.out().String("vpcId"), o.Region)
	if err != nil {
		return err
	}
	if bits := network(subnet.in().String("cidrBlock")).Bits(); bits > longestTargetPrefix {
		return refuse("InvalidSubnet.Range", "the subnet %s is too small for a target network: it needs at least /%d", describeSubnet(subnet), longestTargetPrefix)
	}
	if id := endpoint.out().String("vpcId"); id != "" && id != vpc.ID {
		return refuse("InvalidParameterValue", "the subnet %q is in VPC %q, but the Client VPN endpoint %q is in %q", subnet.ID, vpc.ID, endpoint.ID, id)
	}
	clients, local := network(endpoint.in().String("clientCidrBlock")), network(vpc.in().String("cidrBlock"))
	if clients.Overlaps(local) {
		return refuse("InvalidParameterValue", "the client CIDR %s of endpoint %q overlaps the CIDR %s of VPC %q", clients, endpoint.ID, local, vpc.ID)
	}
	for _, other := range v.associationsOf(endpoint.ID) {
		there := v.get(typeSubnet, other.in().String("subnetId"))
		if there != nil && there.out().String("availabilityZone") == subnet.out().String("availabilityZone") {
			return refuse("InvalidClientVpnDuplicateAssociation",
				"endpoint %q has a target network in availability zone %s already, %q: there can be one in each", endpoint.ID, subnet.out().String("availabilityZone"), there.ID)
		}
	}
	if endpoint.out().String("vpcId") == "" {
		endpoint = v.edit(endpoint.Type, endpoint.ID)
		endpoint.Outputs["vpcId"] = vpc.ID
		if err := v.completeVPNNetwork(endpoint); err != nil {
			return err
		}
	}
	o.ID = ec2ID("cvpn-assoc")
	o.Outputs["associationId"] = o.ID
	o.Outputs["vpcId"] = vpc.ID
	if _, err := v.attach(o, subnet, "ClientVPN Endpoint resource", endpoint.out().Strings("securityGroupIds")); err != nil {
		return err
	}
	v.own(o, typeVPNRoute, vpnRouteID(endpoint.ID, subnet.ID, local.String()), map[string]any{
		"clientVpnEndpointId": endpoint.ID, "targetVpcSubnetId": subnet.ID, "destinationCidrBlock": local.String(),
		"description": "Default Route", "origin": "associate", "type": "Nat",
	})
	return nil
}

// removeVPNAssociation takes the routes through the target network with it.
func removeVPNAssociation(v *view, o *Object) error {
	v.dropOwned(o, typeNetworkInterface, typeVPNRoute)
	for _, route := range v.vpnRoutesOf(o.in().String("clientVpnEndpointId")) {
		if route.out().String("targetVpcSubnetId") == o.in().String("subnetId") {
			v.del(route.Type, route.ID)
		}
	}
	return nil
}

func (v *view) associationsOf(endpointID string) []*Object {
	return v.all(typeVPNAssociation, func(o *Object) bool { return o.in().String("clientVpnEndpointId") == endpointID })
}
