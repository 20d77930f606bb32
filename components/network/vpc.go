package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// makeVPC makes the VPC and takes away what AWS puts into its default security
// group, so that what forgets to name a group reaches nothing.
func (b *builder) makeVPC() error {
	vpc, err := ec2.NewVpc(b.ctx, b.name+"-vpc", &ec2.VpcArgs{
		CidrBlock: pulumi.String(b.args.CIDR),
		// Private zones, private names of endpoints and of the EKS API need both.
		EnableDnsSupport:   pulumi.Bool(true),
		EnableDnsHostnames: pulumi.Bool(true),
		Tags:               b.args.Tags.Named(b.name),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return err
	}
	_, err = ec2.NewDefaultSecurityGroup(b.ctx, b.name+"-default-sg", &ec2.DefaultSecurityGroupArgs{
		VpcId: vpc.ID(),
		// Empty and not absent: rules that someone adds by hand are a difference too.
		Ingress: ec2.DefaultSecurityGroupIngressArray{},
		Egress:  ec2.DefaultSecurityGroupEgressArray{},
		Tags:    b.args.Tags.Named(b.name + "-default"),
	}, b.child()...)
	if err != nil {
		return fmt.Errorf("default security group: %w", err)
	}
	b.vpc, b.network.VPCID = vpc, vpc.ID().ToStringOutput()
	return nil
}

// internetGateway makes the VPC's way to the internet.
func (b *builder) internetGateway() (*ec2.InternetGateway, error) {
	return ec2.NewInternetGateway(b.ctx, b.name+"-igw", &ec2.InternetGatewayArgs{
		VpcId: b.vpc.ID(),
		Tags:  b.args.Tags.Named(b.name),
	}, b.child(
		// Otherwise it moves to a new VPC while the NAT gateways of the old one still
		// have their addresses, and AWS refuses to detach it.
		pulumi.ReplaceOnChanges([]string{"vpcId"}),
	)...)
}
