package account

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

const typeSubnet = "aws:ec2/subnet:Subnet"

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_subnet.go
var _ = register(typeSubnet, rules{
	defaults: map[string]any{
		"assignIpv6AddressOnCreation": false, "enableDns64": false, "enableResourceNameDnsARecordOnLaunch": false,
		"enableResourceNameDnsAaaaRecordOnLaunch": false, "ipv6Native": false, "mapPublicIpOnLaunch": false,
	},
	forceNew: []string{"availabilityZone", "availabilityZoneId", "cidrBlock", "ipv6Native", "outpostArn", "vpcId"},
	computed: []string{"availabilityZone", "availabilityZoneId", "privateDnsHostnameTypeOnLaunch"},
	unmodelled: []string{
		"assignIpv6AddressOnCreation", "customerOwnedIpv4Pool", "enableDns64", "enableLniAtDeviceIndex",
		"enableResourceNameDnsAaaaRecordOnLaunch", "ipv6CidrBlock", "ipv6Native", "mapCustomerOwnedIpOnLaunch", "outpostArn",
	},
	check:  checkSubnet,
	create: createSubnet,
	remove: removeSubnet,
})

func checkSubnet(in Props) []Failure {
	failures := checkCIDR("cidrBlock", in["cidrBlock"], 16, 28)
	if in["cidrBlock"] == nil {
		failures = append(failures, Failure{Property: "cidrBlock", Reason: "is required"})
	}
	if in.Has("availabilityZone") && in.Has("availabilityZoneId") {
		failures = append(failures, Failure{Property: "availabilityZoneId", Reason: `cannot be given together with "availabilityZone"`})
	}
	return append(failures, oneOf(in, "privateDnsHostnameTypeOnLaunch", "ip-name", "resource-name")...)
}

func createSubnet(v *view, o *Object) error {
	vpc, err := v.vpcOf(o.in().String("vpcId"), o.Region)
	if err != nil {
		return err
	}
	zone, err := zoneOf(o)
	if err != nil {
		return err
	}
	cidr := network(o.in().String("cidrBlock"))
	if !contains(network(vpc.in().String("cidrBlock")), cidr) {
		return refuse("InvalidSubnet.Range", "the CIDR %q is invalid: it does not lie in %q of VPC %q", cidr, vpc.in().String("cidrBlock"), vpc.ID)
	}
	conflict := v.first(typeSubnet, func(other *Object) bool {
		return other.out().String("vpcId") == vpc.ID && network(other.in().String("cidrBlock")).Overlaps(cidr)
	})
	if conflict != nil {
		return refuse("InvalidSubnet.Conflict", "the CIDR %q conflicts with another subnet: %q has %q", cidr, conflict.ID, conflict.in().String("cidrBlock"))
	}
	o.ID = ec2ID("subnet")
	o.Outputs["arn"] = arn("ec2", o.Region, "subnet/"+o.ID)
	o.Outputs["ownerId"] = AccountID
	o.Outputs["availabilityZone"] = zone
	o.Outputs["availabilityZoneId"] = zoneIDOf(o.Region, zone)
	o.Outputs["privateDnsHostnameTypeOnLaunch"] = o.in().StringOr("privateDnsHostnameTypeOnLaunch", "ip-name")
	return nil
}

// zoneOf returns the availability zone that a subnet asks for, or the first.
func zoneOf(o *Object) (string, error) {
	all := zones(o.Region)
	if id := o.in().String("availabilityZoneId"); id != "" {
		for _, zone := range all {
			if zoneIDOf(o.Region, zone) == id {
				return zone, nil
			}
		}
		return "", refuse("InvalidParameterValue", "value (%s) for parameter availabilityZoneId is invalid: it is not in %s", id, o.Region)
	}
	zone := o.in().StringOr("availabilityZone", all[0])
	if !slices.Contains(all, zone) {
		return "", refuse("InvalidParameterValue", "value (%s) for parameter availabilityZone is invalid: subnets in %s can be created in %s", zone, o.Region, strings.Join(all, ", "))
	}
	return zone, nil
}

func removeSubnet(v *view, o *Object) error {
	if nic := v.first(typeNetworkInterface, func(other *Object) bool { return other.out().String("subnetId") == o.ID }); nic != nil {
		return refuse("DependencyViolation", "the subnet %q has dependencies and cannot be deleted: network interface %s (%s)",
			o.ID, nic.ID, nic.out().String("description"))
	}
	// AWS takes the association with a route table away together with the subnet.
	for _, association := range v.all(typeRouteTableAssociation, func(other *Object) bool { return other.in().String("subnetId") == o.ID }) {
		v.del(association.Type, association.ID)
	}
	return nil
}

// subnetOf returns a subnet that something refers to.
func (v *view) subnetOf(id, region string) (*Object, error) {
	subnet := v.get(typeSubnet, id)
	if subnet == nil || subnet.Region != region {
		return nil, missingReference("InvalidSubnetID.NotFound", "the subnet ID %q does not exist in %s", id, region)
	}
	return subnet, nil
}

// subnetsOf returns subnets that something refers to. They must lie in one VPC.
func (v *view) subnetsOf(ids []string, region string) ([]*Object, error) {
	var subnets []*Object
	for _, id := range ids {
		subnet, err := v.subnetOf(id, region)
		if err != nil {
			return nil, err
		}
		if len(subnets) > 0 && subnet.out().String("vpcId") != subnets[0].out().String("vpcId") {
			return nil, refuse("InvalidParameterValue", "subnets %q and %q are in different VPCs", subnets[0].ID, id)
		}
		subnets = append(subnets, subnet)
	}
	return subnets, nil
}

// freeAddress returns the first private address of a subnet that no network
// interface has. AWS keeps the first four and the last address to itself.
func (v *view) freeAddress(subnet *Object) (string, error) {
	prefix := network(subnet.in().String("cidrBlock"))
	taken := map[netip.Addr]bool{}
	for _, nic := range v.all(typeNetworkInterface, func(o *Object) bool { return o.out().String("subnetId") == subnet.ID }) {
		if addr, err := netip.ParseAddr(nic.out().String("privateIp")); err == nil {
			taken[addr] = true
		}
	}
	addr := prefix.Addr()
	for range 4 {
		addr = addr.Next()
	}
	for ; prefix.Contains(addr.Next()); addr = addr.Next() {
		if !taken[addr] {
			return addr.String(), nil
		}
	}
	return "", refuse("InsufficientFreeAddressesInSubnet", "the subnet %q has no free address left in %s", subnet.ID, prefix)
}

// distinctZones refuses subnets that share an availability zone.
func distinctZones(subnets []*Object, code, what string) error {
	seen := map[string]string{}
	for _, subnet := range subnets {
		zone := subnet.out().String("availabilityZone")
		if other, ok := seen[zone]; ok {
			return refuse(code, "%s cannot be in two subnets of one availability zone: %q and %q are both in %s", what, other, subnet.ID, zone)
		}
		seen[zone] = subnet.ID
	}
	return nil
}

func describeSubnet(subnet *Object) string {
	return fmt.Sprintf("%s (%s)", subnet.ID, subnet.in().String("cidrBlock"))
}
