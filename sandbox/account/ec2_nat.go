package account

import "net/netip"

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_nat_gateway.go
//
// The gateway is replaced by making the new one first, as pulumi-aws does: one
// that keeps its Elastic IP address is then refused, as by AWS.
var _ = register(typeNATGateway, rules{
	defaults:   map[string]any{"connectivityType": "public"},
	forceNew:   []string{"allocationId", "connectivityType", "privateIp", "secondaryPrivateIpAddressCount", "subnetId"},
	computed:   []string{"privateIp", "secondaryPrivateIpAddressCount", "secondaryPrivateIpAddresses"},
	sets:       []string{"secondaryAllocationIds", "secondaryPrivateIpAddresses"},
	unmodelled: []string{"secondaryAllocationIds", "secondaryPrivateIpAddressCount", "secondaryPrivateIpAddresses"},
	check:      checkNATGateway,
	create:     createNATGateway,
	remove:     removeNATGateway,
})

func checkNATGateway(in Props) []Failure {
	failures := oneOf(in, "connectivityType", "private", "public")
	switch in.StringOr("connectivityType", "public") {
	case "private":
		if in.Has("allocationId") {
			failures = append(failures, Failure{Property: "allocationId", Reason: `cannot be given where "connectivityType" is "private"`})
		}
	case "public":
		if _, unknown := in["connectivityType"].(Unknown); !unknown && !in.Has("allocationId") {
			failures = append(failures, Failure{Property: "allocationId", Reason: `is required where "connectivityType" is "public"`})
		}
	}
	return failures
}

func createNATGateway(v *view, o *Object) error {
	subnet, err := v.subnetOf(o.in().String("subnetId"), o.Region)
	if err != nil {
		return err
	}
	public := o.in().String("connectivityType") == "public"
	var address *Object
	if public {
		vpc := subnet.out().String("vpcId")
		if v.gatewayOf(vpc) == nil {
			return refuse("Gateway.NotAttached", "network %s has no internet gateway attached, which a public NAT gateway in subnet %q needs", vpc, subnet.ID)
		}
		if address, err = v.addressOf(o.in().String("allocationId"), o.Region); err != nil {
			return err
		}
	}
	o.ID = ec2ID("nat")
	nic, err := v.attachAt(o, subnet, o.in().String("privateIp"), "Interface for NAT Gateway "+o.ID)
	if err != nil {
		return err
	}
	o.Outputs["networkInterfaceId"] = nic.ID
	o.Outputs["privateIp"] = nic.out().String("privateIp")
	o.Outputs["associationId"], o.Outputs["publicIp"] = "", ""
	o.Outputs["secondaryPrivateIpAddressCount"] = 0.0
	o.Outputs["secondaryPrivateIpAddresses"] = []any{}
	if public {
		o.Outputs["associationId"] = v.mapAddress(address, nic)
		o.Outputs["publicIp"] = address.out().String("publicIp")
	}
	return nil
}

// removeNATGateway gives the gateway's Elastic IP address free together with
// its interface. Routes to the gateway stay and lead nowhere.
func removeNATGateway(v *view, o *Object) error {
	v.dropOwned(o, typeNetworkInterface)
	return nil
}

// attachAt makes a network interface at an address, or at the first free one
// where none is asked for.
func (v *view) attachAt(owner, subnet *Object, address, description string) (*Object, error) {
	if address != "" {
		addr, err := netip.ParseAddr(address)
		if err != nil || !network(subnet.in().String("cidrBlock")).Contains(addr) {
			return nil, refuse("InvalidParameterValue", "the address %q does not lie in subnet %s", address, describeSubnet(subnet))
		}
		taken := v.first(typeNetworkInterface, func(o *Object) bool {
			return o.out().String("subnetId") == subnet.ID && o.out().String("privateIp") == address
		})
		if taken != nil {
			return nil, refuse("InvalidIPAddress.InUse", "the address %q is in use by network interface %s", address, taken.ID)
		}
	}
	nic, err := v.attach(owner, subnet, description, nil)
	if err != nil {
		return nil, err
	}
	if address != "" {
		nic = v.edit(nic.Type, nic.ID)
		nic.Outputs["privateIp"] = address
	}
	return nic, nil
}
