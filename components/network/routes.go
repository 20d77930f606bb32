package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// everywhere is the destination of default routes.
const everywhere = "0.0.0.0/0"

// publicRoutes makes the one table of the public subnets, and returns what makes
// a public subnet lead to the internet.
func (b *builder) publicRoutes(public []zoneSubnet, gateway *ec2.InternetGateway) ([]pulumi.Resource, error) {
	table, err := b.routeTable("public")
	if err != nil {
		return nil, err
	}
	route, err := ec2.NewRoute(b.ctx, b.name+"-public-internet", &ec2.RouteArgs{
		RouteTableId:         table.ID(),
		DestinationCidrBlock: pulumi.String(everywhere),
		GatewayId:            gateway.ID(),
	}, b.child()...)
	if err != nil {
		return nil, err
	}
	var routed []pulumi.Resource
	for _, s := range public {
		association, err := b.associate(publicTier, s, table, []pulumi.Resource{route})
		if err != nil {
			return nil, err
		}
		routed = append(routed, association)
	}
	return routed, nil
}

// privateTable is the route table of the private subnet in a zone, and what
// leads out of it.
type privateTable struct {
	table  *ec2.RouteTable
	routes []pulumi.Resource
}

// privateTables makes a table for each zone, whatever the NAT strategy: another
// one changes a route in each table and nothing else in a private subnet.
func (b *builder) privateTables(private []zoneSubnet, nat map[string]*ec2.NatGateway) (map[string]privateTable, error) {
	made := map[string]privateTable{}
	for _, s := range private {
		what := "private-" + s.letter
		table, err := b.routeTable(what)
		if err != nil {
			return nil, err
		}
		t := privateTable{table: table}
		if gateway := nat[b.args.natZone(s.letter)]; gateway != nil {
			route, err := ec2.NewRoute(b.ctx, b.name+"-"+what+"-nat", &ec2.RouteArgs{
				RouteTableId:         table.ID(),
				DestinationCidrBlock: pulumi.String(everywhere),
				NatGatewayId:         gateway.ID(),
			}, b.child()...)
			if err != nil {
				return nil, err
			}
			t.routes = append(t.routes, route)
		}
		made[s.letter] = t
	}
	return made, nil
}

// associatePrivate gives the private subnets their tables, after the ways out
// that are in the tables and the endpoints: who waits for the associations has
// all that a node needs to start.
func (b *builder) associatePrivate(private []zoneSubnet, tables map[string]privateTable, endpoints []pulumi.Resource) ([]pulumi.Resource, error) {
	var routed []pulumi.Resource
	for _, s := range private {
		t := tables[s.letter]
		needs := append(append([]pulumi.Resource{}, t.routes...), endpoints...)
		association, err := b.associate(privateTier, s, t.table, needs)
		if err != nil {
			return nil, err
		}
		routed = append(routed, association)
	}
	return routed, nil
}

// routeTable makes a table and lists it among those of the network.
func (b *builder) routeTable(what string) (*ec2.RouteTable, error) {
	name := b.name + "-" + what
	table, err := ec2.NewRouteTable(b.ctx, name, &ec2.RouteTableArgs{
		VpcId: b.vpc.ID(),
		Tags:  b.args.Tags.Named(name),
	}, b.child()...)
	if err != nil {
		return nil, fmt.Errorf("table %q: %w", what, err)
	}
	b.network.routeTables = append(b.network.routeTables, RouteTable{Name: what, ID: table.ID().ToStringOutput()})
	return table, nil
}

// associate gives a subnet its table. The needs are edges between resources and
// not between values: one of them can be deleted before its replacement, as a NAT
// gateway is, without what stands in the subnet being replaced too.
func (b *builder) associate(t tier, s zoneSubnet, table *ec2.RouteTable, needs []pulumi.Resource) (*ec2.RouteTableAssociation, error) {
	association, err := ec2.NewRouteTableAssociation(b.ctx, b.name+"-"+t.name+"-"+s.letter, &ec2.RouteTableAssociationArgs{
		SubnetId:     s.subnet.ID().ToStringOutput().ToStringPtrOutput(),
		RouteTableId: table.ID(),
	}, b.child(pulumi.DependsOn(needs))...)
	if err != nil {
		return nil, fmt.Errorf("association of the %s subnet in zone %s: %w", t.name, s.letter, err)
	}
	return association, nil
}
