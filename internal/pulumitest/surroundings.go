package pulumitest

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Surroundings are what a component finds when a stack makes it: an explicit
// provider, and a VPC whose identifiers are unknown in a first preview.
type Surroundings struct {
	pulumi.ResourceState

	AWS       *aws.Provider
	VPCID     pulumi.StringOutput
	SubnetIDs pulumi.StringArray // private, of two zones
}

// NewSurroundings makes them, named "surroundings-…", with the tags on what can
// have them and protected, so that the checks of a whole graph hold for them.
func NewSurroundings(ctx *pulumi.Context, tags map[string]string) (*Surroundings, error) {
	s := &Surroundings{}
	var err error
	if s.AWS, err = aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String(Region)}); err != nil {
		return nil, err
	}
	err = ctx.RegisterComponentResource("strongroom:test:Surroundings", "surroundings", s, pulumi.Providers(s.AWS))
	if err != nil {
		return nil, err
	}
	vpc, err := ec2.NewVpc(ctx, "surroundings-vpc", &ec2.VpcArgs{
		CidrBlock: pulumi.String("10.0.0.0/16"),
		Tags:      pulumi.ToStringMap(tags),
	}, pulumi.Parent(s), pulumi.Protect(true))
	if err != nil {
		return nil, err
	}
	s.VPCID = vpc.ID().ToStringOutput()
	for zone, cidr := range []string{"10.0.0.0/20", "10.0.16.0/20"} {
		letter := string(rune('a' + zone))
		subnet, err := ec2.NewSubnet(ctx, "surroundings-private-"+letter, &ec2.SubnetArgs{
			VpcId: vpc.ID(), CidrBlock: pulumi.String(cidr), AvailabilityZone: pulumi.String(Region + letter),
			Tags: pulumi.ToStringMap(tags),
		}, pulumi.Parent(s))
		if err != nil {
			return nil, err
		}
		s.SubnetIDs = append(s.SubnetIDs, subnet.ID().ToStringOutput())
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{})
}
