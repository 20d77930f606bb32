package clientvpn

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// securityGroup makes the group of the endpoint's network interfaces. Clients
// leave through them with their addresses, so what this group may reach is what
// clients reach: the targets. The VPC's resolver needs no rule, security groups
// do not filter it.
func (b *builder) securityGroup() error {
	var err error
	b.group, err = ec2.NewSecurityGroup(b.ctx, b.name+"-sg", &ec2.SecurityGroupArgs{
		VpcId:       b.args.VPCID,
		Description: pulumi.String("Clients of VPN " + b.name),
		Tags:        b.args.Tags.Named(b.name),
	}, b.child()...)
	if err != nil {
		return err
	}
	b.vpn.SecurityGroupID = b.group.ID().ToStringOutput()
	for _, target := range b.args.Targets {
		if err := b.open(target); err != nil {
			return fmt.Errorf("target %q: %w", target.Name, err)
		}
	}
	return nil
}

// open lets clients out to a target, and in at it.
func (b *builder) open(target Target) error {
	out := b.name + "-to-" + target.Name
	_, err := vpc.NewSecurityGroupEgressRule(b.ctx, out, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId:           b.group.ID(),
		Description:               pulumi.String("VPN clients to " + target.Name),
		ReferencedSecurityGroupId: target.SecurityGroupID,
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(target.Port),
		ToPort:                    pulumi.Int(target.Port),
		Tags:                      b.args.Tags.Named(out),
	}, b.child()...)
	if err != nil {
		return err
	}
	in := b.name + "-at-" + target.Name
	_, err = vpc.NewSecurityGroupIngressRule(b.ctx, in, &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           target.SecurityGroupID,
		Description:               pulumi.String("Clients of VPN " + b.name),
		ReferencedSecurityGroupId: b.group.ID(),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(target.Port),
		ToPort:                    pulumi.Int(target.Port),
		Tags:                      b.args.Tags.Named(in),
	}, b.child()...)
	return err
}
