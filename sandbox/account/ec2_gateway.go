package account

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_internet_gateway.go
var _ = register(typeInternetGateway, rules{
	computed: []string{"vpcId"},
	create:   createInternetGateway,
	update:   updateInternetGateway,
	remove:   removeInternetGateway,
})

func createInternetGateway(v *view, o *Object) error {
	if err := v.attachGateway(o); err != nil {
		return err
	}
	o.ID = ec2ID("igw")
	o.Outputs["arn"] = arn("ec2", o.Region, "internet-gateway/"+o.ID)
	o.Outputs["ownerId"] = AccountID
	return nil
}

func updateInternetGateway(v *view, old, o *Object) error {
	if old.out().String("vpcId") == o.out().String("vpcId") {
		return nil
	}
	if err := v.detachGateway(old); err != nil {
		return err
	}
	return v.attachGateway(o)
}

func removeInternetGateway(v *view, o *Object) error { return v.detachGateway(o) }

// attachGateway checks that the VPC that a gateway asks for can take it. A
// gateway need not have one.
func (v *view) attachGateway(o *Object) error {
	id := o.out().String("vpcId")
	if id == "" {
		return nil
	}
	if _, err := v.vpcOf(id, o.Region); err != nil {
		return err
	}
	if other := v.gatewayOf(id); other != nil && other.ID != o.ID {
		return refuse("Resource.AlreadyAssociated", "the VPC %q has an internet gateway already: %q", id, other.ID)
	}
	return nil
}

// detachGateway checks that a gateway can leave its VPC: AWS keeps it while an
// interface in the VPC has a public address.
func (v *view) detachGateway(o *Object) error {
	id := o.out().String("vpcId")
	if id == "" {
		return nil
	}
	mapped := v.first(typeNetworkInterface, func(nic *Object) bool {
		return nic.out().String("vpcId") == id && nic.out().String("publicIp") != ""
	})
	if mapped != nil {
		return refuse("DependencyViolation",
			"network %s has some mapped public address(es), please unmap those public address(es) before detaching the gateway %q: %s of network interface %s (%s)",
			id, o.ID, mapped.out().String("publicIp"), mapped.ID, mapped.out().String("description"))
	}
	return nil
}

// gatewayOf returns the internet gateway of a VPC, or nil.
func (v *view) gatewayOf(vpcID string) *Object {
	return v.first(typeInternetGateway, func(o *Object) bool { return o.out().String("vpcId") == vpcID })
}
