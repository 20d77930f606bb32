package account

import (
	"fmt"
	"net/netip"
	"strings"
)

// publicAddresses is where the simulated Elastic IP addresses come from: a
// network for benchmarks (RFC 2544) that nobody on the internet has, so that
// no address of the account is by chance somebody's.
var publicAddresses = netip.MustParsePrefix("198.18.0.0/15")

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/ec2_eip.go
var _ = register(typeAddress, rules{
	forceNew: []string{"address", "domain", "ipamPoolId", "networkBorderGroup", "publicIpv4Pool", "vpc"},
	computed: []string{"domain", "instance", "ipamPoolId", "networkBorderGroup", "networkInterface", "publicIpv4Pool", "vpc"},
	// There are no instances, and AWS lets nobody give an address to an
	// interface that belongs to a NAT gateway, an endpoint or a load balancer.
	unmodelled: []string{
		"address", "associateWithPrivateIp", "customerOwnedIpv4Pool", "instance", "ipamPoolId", "networkInterface", "publicIpv4Pool",
	},
	check:  checkAddress,
	create: createAddress,
	remove: removeAddress,
	read:   readAddress,
})

func checkAddress(in Props) []Failure {
	failures := oneOf(in, "domain", "vpc")
	if vpc, known := in["vpc"].(bool); known && !vpc {
		failures = append(failures, Failure{Property: "vpc", Reason: "must be true: AWS has no addresses outside of VPCs any more"})
	}
	if in.Has("domain") && in.Has("vpc") {
		failures = append(failures, Failure{Property: "vpc", Reason: `cannot be given together with "domain"`})
	}
	return failures
}

func createAddress(v *view, o *Object) error {
	address, err := v.freePublicAddress()
	if err != nil {
		return err
	}
	if group := o.in().StringOr("networkBorderGroup", o.Region); group != o.Region {
		return refuse("InvalidParameterValue", "the network border group %q is not one of %s: the simulated account has no local zones", group, o.Region)
	}
	o.ID = ec2ID("eipalloc")
	o.Outputs["allocationId"] = o.ID
	o.Outputs["arn"] = arn("ec2", o.Region, "elastic-ip/"+o.ID)
	o.Outputs["domain"] = "vpc"
	o.Outputs["vpc"] = true
	o.Outputs["networkBorderGroup"] = o.Region
	o.Outputs["publicIpv4Pool"] = "amazon"
	o.Outputs["publicIp"] = address
	o.Outputs["publicDns"] = publicDNSName(address, o.Region)
	for _, name := range []string{"carrierIp", "customerOwnedIp", "instance", "ipamPoolId", "ptrRecord"} {
		o.Outputs[name] = ""
	}
	readAddress(v, o)
	return nil
}

// readAddress tells what an address is associated with.
func readAddress(v *view, o *Object) {
	var nic Props
	if holder := v.holderOf(o); holder != nil {
		nic = holder.out()
		o.Outputs["networkInterface"] = holder.ID
		o.Outputs["privateDns"] = privateDNSName(nic.String("privateIp"), o.Region)
	} else {
		o.Outputs["networkInterface"], o.Outputs["privateDns"] = "", ""
	}
	o.Outputs["associationId"] = nic.String("associationId")
	o.Outputs["privateIp"] = nic.String("privateIp")
}

func removeAddress(v *view, o *Object) error {
	if nic := v.holderOf(o); nic != nil {
		return refuse("InvalidIPAddress.InUse", "the address %s (%s) is in use by network interface %s (%s)",
			o.out().String("publicIp"), o.ID, nic.ID, nic.out().String("description"))
	}
	return nil
}

// holderOf returns the network interface that has an Elastic IP address, or nil.
func (v *view) holderOf(address *Object) *Object {
	return v.first(typeNetworkInterface, func(o *Object) bool { return o.out().String("allocationId") == address.ID })
}

// addressOf returns an Elastic IP address that something wants to use. It must
// be free.
func (v *view) addressOf(allocationID, region string) (*Object, error) {
	address := v.get(typeAddress, allocationID)
	if address == nil || address.Region != region {
		return nil, missingReference("InvalidAllocationID.NotFound", "the allocation ID %q does not exist in %s", allocationID, region)
	}
	if nic := v.holderOf(address); nic != nil {
		return nil, refuse("Resource.AlreadyAssociated", "the Elastic IP address %q is already associated with network interface %s (%s)",
			allocationID, nic.ID, nic.out().String("description"))
	}
	return address, nil
}

// mapAddress gives an Elastic IP address to a network interface and returns the
// ID of the association. As long as the interface has it, the address cannot be
// released and the VPC's internet gateway cannot be detached.
func (v *view) mapAddress(address, nic *Object) string {
	id := ec2ID("eipassoc")
	outputs := v.edit(nic.Type, nic.ID).Outputs
	outputs["allocationId"] = address.ID
	outputs["associationId"] = id
	outputs["publicIp"] = address.out().String("publicIp")
	return id
}

func (v *view) freePublicAddress() (string, error) {
	taken := map[string]bool{}
	for _, o := range v.all(typeAddress, func(*Object) bool { return true }) {
		taken[o.out().String("publicIp")] = true
	}
	for addr := publicAddresses.Addr().Next(); publicAddresses.Contains(addr.Next()); addr = addr.Next() {
		if !taken[addr.String()] {
			return addr.String(), nil
		}
	}
	return "", refuse("AddressLimitExceeded", "the simulated account has no address left in %s", publicAddresses)
}

// publicDNSName and privateDNSName follow
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html
func publicDNSName(address, region string) string {
	domain := region + ".compute.amazonaws.com"
	if region == "us-east-1" {
		domain = "compute-1.amazonaws.com"
	}
	return fmt.Sprintf("ec2-%s.%s", strings.ReplaceAll(address, ".", "-"), domain)
}

func privateDNSName(address, region string) string {
	domain := region + ".compute.internal"
	if region == "us-east-1" {
		domain = "ec2.internal"
	}
	return fmt.Sprintf("ip-%s.%s", strings.ReplaceAll(address, ".", "-"), domain)
}
