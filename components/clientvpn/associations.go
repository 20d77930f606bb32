package clientvpn

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2clientvpn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// associations give the endpoint a network interface in a subnet of each zone,
// and with it the route to the VPC. The subnets that the component hands on are
// those of the associations, so that what is built on them comes after.
func (b *builder) associations() error {
	for _, subnet := range b.args.Subnets {
		made, err := ec2clientvpn.NewNetworkAssociation(b.ctx, b.name+"-association-"+subnet.Name, &ec2clientvpn.NetworkAssociationArgs{
			ClientVpnEndpointId: b.vpn.EndpointID,
			SubnetId:            subnet.ID,
		}, b.child(
			// AWS takes one subnet per zone: the old one must go first.
			pulumi.DeleteBeforeReplace(true),
		)...)
		if err != nil {
			return fmt.Errorf("subnet %q: %w", subnet.Name, err)
		}
		b.vpn.Subnets = append(b.vpn.Subnets, Subnet{Name: subnet.Name, ID: made.SubnetId})
	}
	return nil
}
