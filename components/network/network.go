// Package network makes a VPC and what it needs to be lived in: subnets in every
// zone, ways out and ways to AWS itself, flow logs; and the peering of two VPCs.
package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
)

const token = "strongroom:network:Network"

// Network is a VPC with its subnets.
type Network struct {
	pulumi.ResourceState

	// VPCID and CIDR, the latter as given.
	VPCID pulumi.StringOutput
	CIDR  string
	// PrivateSubnetIDs and PublicSubnetIDs have the order of the zones. What uses
	// them comes after the routes of these subnets, and goes before them; what uses
	// the private ones also comes after the NAT gateways and the VPC endpoints.
	PrivateSubnetIDs pulumi.StringArrayOutput
	PublicSubnetIDs  pulumi.StringArrayOutput
	// NATPublicIPs are the addresses with which the private subnets appear on the
	// internet, in the order of the zones. They stay when a NAT gateway is replaced.
	NATPublicIPs pulumi.StringArrayOutput

	routeTables []RouteTable
}

// RouteTable is one that needs a route to every network that joins.
type RouteTable struct {
	// Name in its VPC, such as "public" or "private-a".
	Name string
	ID   pulumi.StringInput
}

// RouteTables are all of the VPC that have subnets: the public one, then those of
// the private subnets in the order of the zones.
func (n *Network) RouteTables() []RouteTable {
	return append([]RouteTable(nil), n.routeTables...)
}

// New makes the VPC with its flow logs, the subnets, the way out of the public
// ones, the NAT gateways, the way out of the private ones, and the endpoints of
// AWS services.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Network, error) {
	if err := args.Validate(name); err != nil {
		return nil, err
	}
	plan, err := args.plan()
	if err != nil {
		return nil, err
	}
	n := &Network{CIDR: args.CIDR}
	if err := component.Register(ctx, token, name, args.inputs(), n, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, name: name, args: args, network: n}

	if err := b.makeVPC(); err != nil {
		return nil, fmt.Errorf("network %q: VPC: %w", name, err)
	}
	if err := b.flowLogs(); err != nil {
		return nil, fmt.Errorf("network %q: flow logs: %w", name, err)
	}
	gateway, err := b.internetGateway()
	if err != nil {
		return nil, fmt.Errorf("network %q: internet gateway: %w", name, err)
	}
	public, err := b.subnets(publicTier, plan.Public)
	if err != nil {
		return nil, fmt.Errorf("network %q: %w", name, err)
	}
	private, err := b.subnets(privateTier, plan.Private)
	if err != nil {
		return nil, fmt.Errorf("network %q: %w", name, err)
	}
	publicRouted, err := b.publicRoutes(public, gateway)
	if err != nil {
		return nil, fmt.Errorf("network %q: public routes: %w", name, err)
	}
	nat, err := b.natGateways(public, gateway, publicRouted)
	if err != nil {
		return nil, fmt.Errorf("network %q: %w", name, err)
	}
	tables, err := b.privateTables(private, nat)
	if err != nil {
		return nil, fmt.Errorf("network %q: private routes: %w", name, err)
	}
	endpoints, err := b.endpoints(private, plan.Private[0].CIDR.Bits())
	if err != nil {
		return nil, fmt.Errorf("network %q: %w", name, err)
	}
	privateRouted, err := b.associatePrivate(private, tables, endpoints)
	if err != nil {
		return nil, fmt.Errorf("network %q: private routes: %w", name, err)
	}

	n.PublicSubnetIDs = b.routedIDs(public, publicRouted)
	n.PrivateSubnetIDs = b.routedIDs(private, privateRouted)
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{
		"vpcId":            n.VPCID,
		"cidr":             pulumi.String(n.CIDR),
		"privateSubnetIds": n.PrivateSubnetIDs,
		"publicSubnetIds":  n.PublicSubnetIDs,
		"natPublicIps":     n.NATPublicIPs,
	})
}

// builder is what the concerns share while one network is made.
type builder struct {
	ctx     *pulumi.Context
	name    string
	args    *Args
	network *Network
	vpc     *ec2.Vpc
}

// child returns the options for a child of the component.
func (b *builder) child(extra ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return component.Child(b.network, extra...)
}
