package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/cidr"
)

// tier is a kind of subnets, of which every zone has one.
type tier struct {
	name string
	// roleTag tells Kubernetes' load balancer controllers which of their load
	// balancers belong into these subnets:
	// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/subnet_discovery/.
	roleTag string
}

var (
	publicTier  = tier{name: "public", roleTag: "kubernetes.io/role/elb"}
	privateTier = tier{name: "private", roleTag: "kubernetes.io/role/internal-elb"}
)

// zoneSubnet is the subnet of a tier in a zone.
type zoneSubnet struct {
	letter string
	subnet *ec2.Subnet
}

// subnets makes the subnets of a tier. Nothing in them gets a public address
// without asking for one.
func (b *builder) subnets(t tier, plan []cidr.Subnet) ([]zoneSubnet, error) {
	var made []zoneSubnet
	for _, planned := range plan {
		letter := b.args.letter(planned.Zone)
		name := b.name + "-" + t.name + "-" + letter
		subnet, err := ec2.NewSubnet(b.ctx, name, &ec2.SubnetArgs{
			VpcId:               b.vpc.ID(),
			AvailabilityZone:    pulumi.String(planned.Zone),
			CidrBlock:           pulumi.String(planned.CIDR.String()),
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                b.args.Tags.With(t.roleTag, "1").Named(name),
		}, b.child()...)
		if err != nil {
			return nil, fmt.Errorf("%s subnet in %s: %w", t.name, planned.Zone, err)
		}
		made = append(made, zoneSubnet{letter: letter, subnet: subnet})
	}
	return made, nil
}

func subnetIDs(subnets []zoneSubnet) pulumi.StringArray {
	ids := pulumi.StringArray{}
	for _, s := range subnets {
		ids = append(ids, s.subnet.ID().ToStringOutput())
	}
	return ids
}

// routedIDs are the ids of subnets for users outside, who come after what routes
// them and go before it. That is an edge of the graph and not of the values: ids
// that are known stay known while a route is new.
func (b *builder) routedIDs(subnets []zoneSubnet, routed []pulumi.Resource) pulumi.StringArrayOutput {
	ids := subnetIDs(subnets).ToStringArrayOutput()
	return pulumi.OutputWithDependencies(b.ctx.Context(), ids, routed...).(pulumi.StringArrayOutput)
}
