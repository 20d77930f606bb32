package privatezone

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// AssociateArgs name the zone and the VPC that is to resolve its names.
type AssociateArgs struct {
	ZoneID pulumi.StringInput
	VPCID  pulumi.StringInput
	// Region of the VPC.
	Region string
}

// Associate lets one more VPC of the same account resolve the zone's names. The
// VPC needs DNS support and DNS hostnames.
func Associate(ctx *pulumi.Context, name string, args *AssociateArgs, opts ...pulumi.ResourceOption) (*route53.ZoneAssociation, error) {
	switch {
	case args == nil:
		return nil, fmt.Errorf("zone association %q: the arguments are nil", name)
	case args.ZoneID == nil:
		return nil, fmt.Errorf("zone association %q: zoneId is missing: give the zone whose names are to be resolved", name)
	case args.VPCID == nil:
		return nil, fmt.Errorf("zone association %q: vpcId is missing: give the VPC that is to resolve them", name)
	}
	if err := checkRegion(args.Region); err != nil {
		return nil, fmt.Errorf("zone association %q: %w", name, err)
	}
	association, err := route53.NewZoneAssociation(ctx, name, &route53.ZoneAssociationArgs{
		ZoneId:    args.ZoneID,
		VpcId:     args.VPCID,
		VpcRegion: pulumi.String(args.Region),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("zone association %q: %w", name, err)
	}
	return association, nil
}
