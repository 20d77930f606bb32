package network

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/cidr"
	"github.com/strongroom-platform/strongroom/internal/component"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const peeringToken = "strongroom:network:Peering"

// Peering joins two VPCs of one account, in one region or in two: each reaches the
// other's addresses, and resolves the other's public names to private addresses.
type Peering struct {
	pulumi.ResourceState

	// ID of the connection, once it is accepted.
	ID pulumi.StringOutput
}

// Side is one of the two VPCs.
type Side struct {
	VPCID pulumi.StringInput
	// CIDR of the VPC, which the other side gets routes to.
	CIDR string
	// RouteTables that get a route to the other side. Their names are unique.
	RouteTables []RouteTable
	Region      string
	// Provider for the region. It may be left out where the component's own is for
	// that region.
	Provider pulumi.ProviderResource
}

// PeeringArgs are the two sides. Which of them requests makes no difference to
// what the peering does.
type PeeringArgs struct {
	Requester Side
	Accepter  Side
	Tags      tags.Tags
}

// NewPeering makes the connection and accepts it; then the DNS options and the
// routes of each side, with that side's provider.
func NewPeering(ctx *pulumi.Context, name string, args *PeeringArgs, opts ...pulumi.ResourceOption) (*Peering, error) {
	if err := args.Validate(name); err != nil {
		return nil, err
	}
	p := &Peering{}
	if err := component.Register(ctx, peeringToken, name, args.inputs(), p, opts...); err != nil {
		return nil, err
	}
	b := &peeringBuilder{ctx: ctx, name: name, args: args, peering: p}

	if err := b.connect(); err != nil {
		return nil, fmt.Errorf("peering %q: %w", name, err)
	}
	if err := b.resolveNames(); err != nil {
		return nil, fmt.Errorf("peering %q: DNS options: %w", name, err)
	}
	if err := b.route("requester", args.Requester, args.Accepter.CIDR); err != nil {
		return nil, fmt.Errorf("peering %q: %w", name, err)
	}
	if err := b.route("accepter", args.Accepter, args.Requester.CIDR); err != nil {
		return nil, fmt.Errorf("peering %q: %w", name, err)
	}
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{"id": p.ID})
}

// peeringBuilder is what the concerns share while one peering is made.
type peeringBuilder struct {
	ctx     *pulumi.Context
	name    string
	args    *PeeringArgs
	peering *Peering
}

// child returns the options for a child of the component in the region of a side.
func (b *peeringBuilder) child(side Side) []pulumi.ResourceOption {
	options := component.Child(b.peering)
	if side.Provider != nil {
		options = append(options, pulumi.Provider(side.Provider))
	}
	return options
}

// connect makes the connection and accepts it. Acceptance is a resource of its
// own in one region too, where the connection could accept itself: so a change of
// the region changes no kind of resource.
func (b *peeringBuilder) connect() error {
	// Within a region both are the same object to AWS, so both have the same tags.
	named := b.args.Tags.Named(b.name)
	connection, err := ec2.NewVpcPeeringConnection(b.ctx, b.name+"-connection", &ec2.VpcPeeringConnectionArgs{
		VpcId:      b.args.Requester.VPCID,
		PeerVpcId:  b.args.Accepter.VPCID,
		PeerRegion: pulumi.String(b.args.Accepter.Region),
		Tags:       named,
	}, b.child(b.args.Requester)...)
	if err != nil {
		return fmt.Errorf("connection: %w", err)
	}
	accepter, err := ec2.NewVpcPeeringConnectionAccepter(b.ctx, b.name+"-accepter", &ec2.VpcPeeringConnectionAccepterArgs{
		VpcPeeringConnectionId: connection.ID(),
		AutoAccept:             pulumi.Bool(true),
		Tags:                   named,
	}, b.child(b.args.Accepter)...)
	if err != nil {
		return fmt.Errorf("acceptance: %w", err)
	}
	b.peering.ID = accepter.VpcPeeringConnectionId
	return nil
}

// resolveNames sets the option on both sides. AWS takes it only from the side's
// own region, and only after acceptance.
func (b *peeringBuilder) resolveNames() error {
	_, err := ec2.NewPeeringConnectionOptions(b.ctx, b.name+"-requester-options", &ec2.PeeringConnectionOptionsArgs{
		VpcPeeringConnectionId: b.peering.ID,
		Requester:              ec2.PeeringConnectionOptionsRequesterArgs{AllowRemoteVpcDnsResolution: pulumi.Bool(true)},
	}, b.child(b.args.Requester)...)
	if err != nil {
		return err
	}
	_, err = ec2.NewPeeringConnectionOptions(b.ctx, b.name+"-accepter-options", &ec2.PeeringConnectionOptionsArgs{
		VpcPeeringConnectionId: b.peering.ID,
		Accepter:               ec2.PeeringConnectionOptionsAccepterArgs{AllowRemoteVpcDnsResolution: pulumi.Bool(true)},
	}, b.child(b.args.Accepter)...)
	return err
}

// route leads from every table of a side to the other side.
func (b *peeringBuilder) route(role string, side Side, destination string) error {
	for _, table := range side.RouteTables {
		_, err := ec2.NewRoute(b.ctx, b.name+"-"+role+"-"+table.Name, &ec2.RouteArgs{
			RouteTableId:           table.ID,
			DestinationCidrBlock:   pulumi.String(destination),
			VpcPeeringConnectionId: b.peering.ID.ToStringPtrOutput(),
		}, b.child(side)...)
		if err != nil {
			return fmt.Errorf("route of %s table %q: %w", role, table.Name, err)
		}
	}
	return nil
}

// Validate reports the first argument that AWS would refuse.
func (a *PeeringArgs) Validate(name string) error {
	if a == nil {
		return fmt.Errorf("peering %q: the arguments are nil", name)
	}
	if err := a.validate(); err != nil {
		return fmt.Errorf("peering %q: %w", name, err)
	}
	return nil
}

func (a *PeeringArgs) validate() error {
	if err := a.Requester.validate(); err != nil {
		return fmt.Errorf("requester: %w", err)
	}
	if err := a.Accepter.validate(); err != nil {
		return fmt.Errorf("accepter: %w", err)
	}
	requester, err := cidr.Parse(a.Requester.CIDR)
	if err != nil {
		return fmt.Errorf("requester: cidr: %w", err)
	}
	accepter, err := cidr.Parse(a.Accepter.CIDR)
	if err != nil {
		return fmt.Errorf("accepter: cidr: %w", err)
	}
	if cidr.Overlap(requester, accepter) {
		return fmt.Errorf("the requester's range %s overlaps the accepter's, %s, and addresses that both have cannot be routed: choose ranges apart", requester, accepter)
	}
	if a.Requester.Region != a.Accepter.Region && (a.Requester.Provider == nil || a.Accepter.Provider == nil) {
		return fmt.Errorf("the sides are in %s and %s: each needs the provider of its region", a.Requester.Region, a.Accepter.Region)
	}
	return a.Tags.Validate()
}

func (s *Side) validate() error {
	if s.VPCID == nil {
		return errors.New("vpcId is missing")
	}
	if err := checkRegion(s.Region); err != nil {
		return err
	}
	if len(s.RouteTables) == 0 {
		return errors.New("routeTables: none given: without a route nothing reaches the other side")
	}
	seen := map[string]bool{}
	for _, table := range s.RouteTables {
		switch {
		case !nameForm.MatchString(table.Name):
			return fmt.Errorf("routeTables: %q is not a name: use letters, digits and single hyphens", table.Name)
		case table.ID == nil:
			return fmt.Errorf("routeTables: the id of %q is missing", table.Name)
		case seen[table.Name]:
			return fmt.Errorf("routeTables: the name %q is given twice", table.Name)
		}
		seen[table.Name] = true
	}
	return nil
}

// inputs are what the state shows for the component.
func (a *PeeringArgs) inputs() pulumi.Map {
	side := func(s Side) pulumi.Map {
		tables := pulumi.StringArray{}
		for _, table := range s.RouteTables {
			tables = append(tables, pulumi.String(table.Name))
		}
		return pulumi.Map{
			"vpcId":       s.VPCID,
			"cidr":        pulumi.String(s.CIDR),
			"region":      pulumi.String(s.Region),
			"routeTables": tables,
		}
	}
	return pulumi.Map{"requester": side(a.Requester), "accepter": side(a.Accepter), "tags": a.Tags.Map()}
}
