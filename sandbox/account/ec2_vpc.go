package account

import (
	"fmt"
	"net/netip"
)

const typeVPC = "aws:ec2/vpc:Vpc"

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_.go
var _ = register(typeVPC, rules{
	defaults: map[string]any{"enableDnsSupport": true, "instanceTenancy": "default"},
	forceNew: []string{"cidrBlock"},
	computed: []string{"enableDnsHostnames", "enableNetworkAddressUsageMetrics"},
	unmodelled: []string{
		"assignGeneratedIpv6CidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6CidrBlock",
		"ipv6CidrBlockNetworkBorderGroup", "ipv6IpamPoolId", "ipv6NetmaskLength",
	},
	check:  checkVPC,
	create: createVPC,
	update: updateVPC,
	remove: removeVPC,
})

func checkVPC(in Props) []Failure {
	if in["cidrBlock"] == nil {
		return []Failure{{Property: "cidrBlock", Reason: "is required"}}
	}
	failures := checkCIDR("cidrBlock", in["cidrBlock"], 16, 28)
	return append(failures, oneOf(in, "instanceTenancy", "default", "dedicated")...)
}

// checkCIDR checks an IPv4 network whose prefix length lies in a range.
func checkCIDR(path string, v any, shortest, longest int) []Failure {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !prefix.Addr().Is4():
		return []Failure{{Property: path, Reason: fmt.Sprintf("%q is not an IPv4 network in CIDR notation", text)}}
	case prefix.Masked() != prefix:
		return []Failure{{Property: path, Reason: fmt.Sprintf("%q is not a network address; did you mean %q?", text, prefix.Masked())}}
	case prefix.Bits() < shortest || prefix.Bits() > longest:
		return []Failure{{Property: path, Reason: fmt.Sprintf("%q has prefix length %d, AWS takes /%d to /%d", text, prefix.Bits(), shortest, longest)}}
	}
	return nil
}

// network parses a CIDR that has been checked before.
func network(cidr string) netip.Prefix {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

func contains(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

func oneOf(in Props, key string, allowed ...string) []Failure {
	v, ok := in[key].(string)
	if !ok {
		return nil
	}
	for _, a := range allowed {
		if v == a {
			return nil
		}
	}
	return []Failure{{Property: key, Reason: fmt.Sprintf("%q is not allowed: expected one of %q", v, allowed)}}
}

func createVPC(v *view, o *Object) error {
	o.ID = ec2ID("vpc")
	// AWS makes these with every VPC; they go with it.
	acl, table, group := ec2ID("acl"), ec2ID("rtb"), ec2ID("sg")
	v.own(o, typeRouteTable, table, map[string]any{"vpcId": o.ID, "arn": arn("ec2", o.Region, "route-table/"+table)})
	v.own(o, typeSecurityGroup, group, map[string]any{
		"vpcId": o.ID, "name": "default", "description": "default VPC security group",
		"arn": arn("ec2", o.Region, "security-group/"+group),
	})
	v.openGroup(o, group)
	o.Outputs["arn"] = arn("ec2", o.Region, "vpc/"+o.ID)
	o.Outputs["ownerId"] = AccountID
	o.Outputs["defaultNetworkAclId"] = acl
	o.Outputs["defaultRouteTableId"] = table
	o.Outputs["mainRouteTableId"] = table
	o.Outputs["defaultSecurityGroupId"] = group
	o.Outputs["dhcpOptionsId"] = "dopt-0" + digits(o.Region, 16)
	o.Outputs["enableDnsHostnames"] = o.in().Bool("enableDnsHostnames", false)
	o.Outputs["enableNetworkAddressUsageMetrics"] = o.in().Bool("enableNetworkAddressUsageMetrics", false)
	return nil
}

func updateVPC(_ *view, old, o *Object) error {
	if old.in().String("instanceTenancy") == "default" && o.in().String("instanceTenancy") == "dedicated" {
		return refuse("InvalidParameterValue", "the tenancy of VPC %q can only change from \"dedicated\" to \"default\"", o.ID)
	}
	return nil
}

func removeVPC(v *view, o *Object) error {
	blocking := func(typ, property string) *Object {
		return v.first(typ, func(other *Object) bool { return other.out().String(property) == o.ID && other.Owner != o.key() })
	}
	for _, dependency := range []struct{ typ, property string }{
		{typeSubnet, "vpcId"}, {typeInternetGateway, "vpcId"}, {typeRouteTable, "vpcId"}, {typeSecurityGroup, "vpcId"},
		{typeVPCEndpoint, "vpcId"}, {typeNetworkInterface, "vpcId"}, {typePeering, "vpcId"}, {typePeering, "peerVpcId"},
	} {
		if other := blocking(dependency.typ, dependency.property); other != nil {
			return refuse("DependencyViolation", "the VPC %q has dependencies and cannot be deleted: %s", o.ID, other.ID)
		}
	}
	v.dropRoutes(o.out().String("mainRouteTableId"))
	v.dropGroup(o.out().String("defaultSecurityGroupId"))
	v.dropOwned(o, typeRouteTable)
	return nil
}

// vpcOf returns the VPC that something refers to.
func (v *view) vpcOf(id, region string) (*Object, error) {
	vpc := v.get(typeVPC, id)
	if vpc == nil || vpc.Region != region {
		return nil, missingReference("InvalidVpcID.NotFound", "the VPC ID %q does not exist in %s", id, region)
	}
	return vpc, nil
}
