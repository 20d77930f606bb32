package clientvpn

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2clientvpn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// authorization lets everyone with a certificate into the VPC. What they reach
// there is for the security groups to say.
func (b *builder) authorization() error {
	return authorize(b.ctx, b.name+"-authorization", b.vpn.EndpointID, b.args.VPCCIDR, "The VPC", b.child()...)
}

// authorize makes a rule of the endpoint that lets all clients into a range.
func authorize(ctx *pulumi.Context, name string, endpointID pulumi.StringInput, cidr, description string, opts ...pulumi.ResourceOption) error {
	_, err := ec2clientvpn.NewAuthorizationRule(ctx, name, &ec2clientvpn.AuthorizationRuleArgs{
		ClientVpnEndpointId: endpointID,
		TargetNetworkCidr:   pulumi.String(cidr),
		// Mutual TLS knows no groups.
		AuthorizeAllGroups: pulumi.Bool(true),
		Description:        pulumi.String(description),
	}, opts...)
	return err
}
