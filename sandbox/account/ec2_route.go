package account

import (
	"fmt"
	"hash/crc32"
	"strings"
)

// routeTargets are the properties of a route that may name its target.
var routeTargets = []string{"gatewayId", "natGatewayId", "vpcPeeringConnectionId"}

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_route.go
//
// Routes to a gateway endpoint are made by the endpoint, which owns them.
var _ = register(typeRoute, rules{
	forceNew: []string{"destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId", "routeTableId"},
	computed: []string{"networkInterfaceId"},
	unmodelled: []string{
		"carrierGatewayId", "coreNetworkArn", "destinationIpv6CidrBlock", "destinationPrefixListId", "egressOnlyGatewayId",
		"localGatewayId", "networkInterfaceId", "transitGatewayId", "vpcEndpointId",
	},
	check:  checkRoute,
	create: createRoute,
	update: updateRoute,
	read:   readRoute,
})

func checkRoute(in Props) []Failure {
	failures := checkCIDR("destinationCidrBlock", in["destinationCidrBlock"], 0, 32)
	if !in.Has("destinationCidrBlock") {
		failures = append(failures, Failure{Property: "destinationCidrBlock", Reason: "is required"})
	}
	targets := 0
	for _, target := range routeTargets {
		if in.Has(target) {
			targets++
		}
	}
	if targets != 1 {
		failures = append(failures, Failure{Property: "gatewayId", Reason: fmt.Sprintf("a route has one target, this one has %d: give one of %s", targets, strings.Join(routeTargets, ", "))})
	}
	return failures
}

func createRoute(v *view, o *Object) error {
	table, err := v.routeTableOf(o.in().String("routeTableId"), o.Region)
	if err != nil {
		return err
	}
	vpc, err := v.vpcOf(table.out().String("vpcId"), o.Region)
	if err != nil {
		return err
	}
	destination := network(o.in().String("destinationCidrBlock"))
	local := network(vpc.in().String("cidrBlock"))
	if destination == local {
		return refuse("RouteAlreadyExists", "the route identified by %s already exists: it is the local route of VPC %q", destination, vpc.ID)
	}
	if contains(local, destination) {
		return refuse("InvalidParameterValue", "the destination CIDR block %s is equal to or more specific than one of the CIDR blocks of VPC %q (%s): such a route can target only an interface", destination, vpc.ID, local)
	}
	for _, other := range v.routesOf(table.ID) {
		if other.out().String("destinationCidrBlock") == destination.String() {
			return refuse("RouteAlreadyExists", "the route identified by %s already exists in route table %q", destination, table.ID)
		}
	}
	if err := v.checkTarget(o, table, vpc); err != nil {
		return err
	}
	o.ID = routeID(table.ID, destination.String())
	readRoute(v, o)
	return nil
}

func updateRoute(v *view, _, o *Object) error {
	table, err := v.routeTableOf(o.in().String("routeTableId"), o.Region)
	if err != nil {
		return err
	}
	vpc, err := v.vpcOf(table.out().String("vpcId"), o.Region)
	if err != nil {
		return err
	}
	return v.checkTarget(o, table, vpc)
}

// checkTarget checks that the target of a route exists and is in reach of the
// table's VPC. A peering connection that is not accepted yet is allowed, as by
// AWS: the route leads nowhere until it is.
func (v *view) checkTarget(o, table, vpc *Object) error {
	elsewhere := func(what, id string) error {
		return refuse("InvalidParameterValue", "route table %s and %s %s belong to different networks", table.ID, what, id)
	}
	if id := o.in().String("gatewayId"); id != "" {
		gateway := v.get(typeInternetGateway, id)
		if gateway == nil || gateway.Region != o.Region {
			return missingReference("InvalidGatewayID.NotFound", "the gateway ID %q does not exist in %s", id, o.Region)
		}
		if gateway.out().String("vpcId") != vpc.ID {
			return elsewhere("network gateway", id)
		}
	}
	if id := o.in().String("natGatewayId"); id != "" {
		gateway := v.get(typeNATGateway, id)
		if gateway == nil || gateway.Region != o.Region {
			return missingReference("InvalidNatGatewayID.NotFound", "the NatGateway ID %q does not exist in %s", id, o.Region)
		}
		subnet, err := v.subnetOf(gateway.in().String("subnetId"), o.Region)
		if err != nil {
			return err
		}
		if subnet.out().String("vpcId") != vpc.ID {
			return elsewhere("NAT gateway", id)
		}
	}
	if id := o.in().String("vpcPeeringConnectionId"); id != "" {
		peering, err := v.peeringOf(id, o.Region)
		if err != nil {
			return err
		}
		if peering.in().String("vpcId") != vpc.ID && peering.in().String("peerVpcId") != vpc.ID {
			return elsewhere("VPC peering connection", id)
		}
	}
	return nil
}

// readRoute tells whether a route leads anywhere: a target that was deleted
// leaves it behind as a black hole.
func readRoute(v *view, o *Object) {
	o.Outputs["instanceId"], o.Outputs["instanceOwnerId"], o.Outputs["networkInterfaceId"] = "", "", ""
	o.Outputs["origin"] = "CreateRoute"
	o.Outputs["state"] = "blackhole"
	if v.reachable(o) {
		o.Outputs["state"] = "active"
	}
}

func (v *view) reachable(route *Object) bool {
	out := route.out()
	if id := out.String("natGatewayId"); id != "" {
		return v.get(typeNATGateway, id) != nil
	}
	if id := out.String("vpcPeeringConnectionId"); id != "" {
		peering := v.get(typePeering, id)
		return peering != nil && peering.out().String("acceptStatus") == peeringActive
	}
	if strings.HasPrefix(route.Owner, typeVPCEndpoint+" ") {
		return true // it goes with its endpoint
	}
	gateway := v.get(typeInternetGateway, out.String("gatewayId"))
	table := v.get(typeRouteTable, out.String("routeTableId"))
	return gateway != nil && table != nil && gateway.out().String("vpcId") == table.out().String("vpcId")
}

func (v *view) routesOf(tableID string) []*Object {
	return v.all(typeRoute, func(o *Object) bool { return o.out().String("routeTableId") == tableID })
}

// routeID is made as the provider makes it: AWS gives routes no IDs.
func routeID(tableID, destination string) string {
	return fmt.Sprintf("r-%s%d", tableID, crc32.ChecksumIEEE([]byte(destination)))
}
