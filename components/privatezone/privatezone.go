// Package privatezone makes a private hosted zone in Route 53: names that only
// the VPCs associated with it can resolve.
package privatezone

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const token = "strongroom:privatezone:PrivateZone"

// PrivateZone is the zone and its first VPC.
type PrivateZone struct {
	pulumi.ResourceState

	ZoneID pulumi.StringOutput
	ARN    pulumi.StringOutput
	// Domain is the name as given, without a dot at the end.
	Domain string
}

// Args of a PrivateZone.
type Args struct {
	// Domain such as "tooling.internal".
	Domain string
	// VPCID is the first VPC: a private zone cannot be without one. Further ones
	// join through Associate.
	VPCID pulumi.StringInput
	// Region of that VPC.
	Region string
	Tags   tags.Tags
	// Protect the zone against deletion: with it go all records, and the names
	// of every VPC that joined.
	Protect bool
}

// New makes the zone.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*PrivateZone, error) {
	if err := args.Validate(name); err != nil {
		return nil, err
	}
	z := &PrivateZone{Domain: args.Domain}
	inputs := pulumi.Map{
		"domain":  pulumi.String(args.Domain),
		"vpcId":   args.VPCID,
		"region":  pulumi.String(args.Region),
		"tags":    args.Tags.Map(),
		"protect": pulumi.Bool(args.Protect),
	}
	if err := component.Register(ctx, token, name, inputs, z, opts...); err != nil {
		return nil, err
	}

	zone, err := route53.NewZone(ctx, name+"-zone", &route53.ZoneArgs{
		Name:    pulumi.String(args.Domain),
		Comment: pulumi.String("Private names of " + name),
		Vpcs: route53.ZoneVpcArray{route53.ZoneVpcArgs{
			VpcId:     args.VPCID,
			VpcRegion: pulumi.String(args.Region),
		}},
		Tags: args.Tags.Named(name),
	}, component.Child(z,
		pulumi.Protect(args.Protect),
		// Every association adds to this list, those of other stacks too: without
		// this an up would remove them.
		pulumi.IgnoreChanges([]string{"vpcs"}),
		// Ignored changes include a new VPC in the place of the first one, and the
		// zone would stay with the one that is going away.
		pulumi.ReplacementTrigger(args.VPCID),
	)...)
	if err != nil {
		return nil, fmt.Errorf("private zone %q: zone: %w", name, err)
	}

	z.ZoneID, z.ARN = zone.ZoneId, zone.Arn
	return z, ctx.RegisterResourceOutputs(z, pulumi.Map{
		"zoneId": z.ZoneID,
		"arn":    z.ARN,
		"domain": pulumi.String(z.Domain),
	})
}

var (
	domainForm = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d+$`)
)

// Validate reports the first argument that AWS would refuse.
func (a *Args) Validate(name string) error {
	switch {
	case a == nil:
		return fmt.Errorf("private zone %q: the arguments are nil", name)
	case !domainForm.MatchString(a.Domain) || len(a.Domain) > 253:
		return fmt.Errorf("private zone %q: domain %q is not a domain in lower case with at least two parts: use one such as %q", name, a.Domain, "tooling.internal")
	case strings.HasSuffix(a.Domain, ".local"):
		// https://datatracker.ietf.org/doc/html/rfc6762#appendix-G
		return fmt.Errorf("private zone %q: domain %q ends in %q, which belongs to multicast DNS: use %q", name, a.Domain, ".local", ".internal")
	case a.VPCID == nil:
		return fmt.Errorf("private zone %q: vpcId is missing: give the VPC that resolves the names first", name)
	}
	if err := checkRegion(a.Region); err != nil {
		return fmt.Errorf("private zone %q: %w", name, err)
	}
	if err := a.Tags.Validate(); err != nil {
		return fmt.Errorf("private zone %q: %w", name, err)
	}
	return nil
}

func checkRegion(region string) error {
	if region == "" {
		return errors.New("region is missing: give that of the VPC")
	}
	if !regionForm.MatchString(region) {
		return fmt.Errorf("region %q is not an AWS region: use one such as %q", region, "eu-central-1")
	}
	return nil
}
