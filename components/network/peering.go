package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
)

const peeringToken = "strongroom:network:Peering"

// Peering joins two VPCs of one account, in one region or in two: each reaches the
// other's addresses, and resolves the other's public names to private addresses.
type Peering struct {
	pulumi.ResourceState

	// ID of the connection, once it is accepted.
	ID pulumi.StringOutput
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
