package network_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const (
	typePeering    = "strongroom:network:Peering"
	typeConnection = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
	typeAccepter   = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
	typeOptions    = "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions"
)

// samplePeering joins a new network to a VPC that another stack has.
func samplePeering() *network.PeeringArgs {
	return &network.PeeringArgs{
		Requester: network.Side{
			VPCID: pulumi.String("vpc-here"), CIDR: "10.20.0.0/16", Region: "eu-central-1",
			RouteTables: []network.RouteTable{{Name: "public", ID: pulumi.String("rtb-1")}, {Name: "private-a", ID: pulumi.String("rtb-2")}},
		},
		Accepter: network.Side{
			VPCID: pulumi.String("vpc-there"), CIDR: "10.10.0.0/16", Region: "eu-central-1",
			RouteTables: []network.RouteTable{{Name: "public", ID: pulumi.String("rtb-3")}, {Name: "private-a", ID: pulumi.String("rtb-4")}},
		},
		Tags: tags.Tags{"environment": "test"},
	}
}

func runPeering(t *testing.T, regions [2]string) *pulumitest.Graph {
	t.Helper()
	return pulumitest.RunBoth(t, func(ctx *pulumi.Context) error {
		args := samplePeering()
		for i, side := range []*network.Side{&args.Requester, &args.Accepter} {
			provider, err := aws.NewProvider(ctx, []string{"here", "there"}[i], &aws.ProviderArgs{Region: pulumi.String(regions[i])})
			if err != nil {
				return err
			}
			side.Region, side.Provider = regions[i], provider
		}
		p, err := network.NewPeering(ctx, "peer", args)
		if err != nil {
			return err
		}
		ctx.Export("id", p.ID)
		return nil
	}, pulumitest.Options{})
}

func TestPeering(t *testing.T) {
	for name, regions := range map[string][2]string{
		"one region":  {"eu-central-1", "eu-central-1"},
		"two regions": {"eu-central-1", "eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			g := runPeering(t, regions)
			g.CheckParents(t)
			g.CheckNames(t)
			g.CheckOutputs(t)
			g.CheckProviders(t, "aws")
			g.CheckTags(t, map[string]string{"environment": "test"})

			connection := g.Get(t, typeConnection, "peer-connection")
			named := map[string]any{"environment": "test", "Name": "peer"}
			assert.Equal(t, map[string]any{
				"vpcId": "vpc-here", "peerVpcId": "vpc-there", "peerRegion": regions[1], "tags": named,
			}, connection.Plain(), "no autoAccept: AWS refuses it across regions")
			accepter := g.Get(t, typeAccepter, "peer-accepter")
			assert.Equal(t, map[string]any{
				"vpcPeeringConnectionId": connection.ID, "autoAccept": true, "tags": named,
			}, accepter.Plain(), "the same tags: within a region it is the same object")

			resolve := map[string]any{"allowRemoteVpcDnsResolution": true}
			assert.Equal(t, map[string]any{"vpcPeeringConnectionId": connection.ID, "requester": resolve},
				g.Get(t, typeOptions, "peer-requester-options").Plain())
			assert.Equal(t, map[string]any{"vpcPeeringConnectionId": connection.ID, "accepter": resolve},
				g.Get(t, typeOptions, "peer-accepter-options").Plain())

			for name, want := range map[string][2]string{
				"peer-requester-public":    {"rtb-1", "10.10.0.0/16"},
				"peer-requester-private-a": {"rtb-2", "10.10.0.0/16"},
				"peer-accepter-public":     {"rtb-3", "10.20.0.0/16"},
				"peer-accepter-private-a":  {"rtb-4", "10.20.0.0/16"},
			} {
				assert.Equal(t, map[string]any{
					"routeTableId": want[0], "destinationCidrBlock": want[1], "vpcPeeringConnectionId": connection.ID,
				}, g.Get(t, typeRoute, name).Plain())
			}
			require.Len(t, g.OfType(typeRoute), 4)
			assert.Equal(t, connection.ID, g.Output("id"))
			assert.Equal(t, connection.ID, g.Get(t, typePeering, "peer").Output("id"))
		})
	}
}

// Each side's resources are made in that side's region, and what needs an accepted
// connection comes after the acceptance.
func TestPeeringProvidersAndOrder(t *testing.T) {
	g := runPeering(t, [2]string{"eu-central-1", "eu-west-1"})
	here, there := g.Get(t, "pulumi:providers:aws", "here"), g.Get(t, "pulumi:providers:aws", "there")
	accepter := g.Get(t, typeAccepter, "peer-accepter")
	for _, typ := range []string{typeConnection, typeAccepter, typeOptions, typeRoute} {
		for _, r := range g.OfType(typ) {
			provider := here
			if strings.HasPrefix(r.Name, "peer-accepter") {
				provider = there
			}
			assert.True(t, strings.HasPrefix(r.Provider, provider.URN+"::"), "%s: %s", r, r.Provider)
			if typ == typeOptions || typ == typeRoute {
				assert.Contains(t, r.Dependencies, accepter.URN, "%s", r)
			}
		}
	}
}

// Within one region the component's own provider is enough.
func TestPeeringInheritsTheProvider(t *testing.T) {
	g := pulumitest.RunBoth(t, func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String("eu-central-1")})
		if err != nil {
			return err
		}
		_, err = network.NewPeering(ctx, "peer", samplePeering(), pulumi.Providers(provider))
		return err
	}, pulumitest.Options{})
	g.CheckProviders(t, "aws")
}

// The routes of a network's own tables are named as RouteTables names them, and
// wait for the tables.
func TestPeeringOfANetwork(t *testing.T) {
	g := pulumitest.RunBoth(t, func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String("eu-central-1")})
		if err != nil {
			return err
		}
		n, err := network.New(ctx, "net", sample(), pulumi.Providers(provider))
		if err != nil {
			return err
		}
		args := samplePeering()
		args.Requester.VPCID, args.Requester.CIDR, args.Requester.RouteTables = n.VPCID, n.CIDR, n.RouteTables()
		_, err = network.NewPeering(ctx, "peer", args, pulumi.Providers(provider))
		return err
	}, pulumitest.Options{})
	for _, table := range g.OfType(typeTable) {
		route := g.Get(t, typeRoute, strings.Replace(table.Name, "net-", "peer-requester-", 1))
		assert.Equal(t, table.ID, route.Get("routeTableId"))
		assert.True(t, g.DependsOn(route, table))
	}
}

func TestBadPeerings(t *testing.T) {
	twice := []network.RouteTable{{Name: "public", ID: pulumi.String("rtb-1")}, {Name: "public", ID: pulumi.String("rtb-2")}}
	cases := map[string]struct {
		change func(*network.PeeringArgs)
		want   string
	}{
		"no vpc":      {func(a *network.PeeringArgs) { a.Requester.VPCID = nil }, `peering "peer": requester: vpcId is missing`},
		"no peer":     {func(a *network.PeeringArgs) { a.Accepter.VPCID = nil }, `peering "peer": accepter: vpcId is missing`},
		"region":      {func(a *network.PeeringArgs) { a.Accepter.Region = "x" }, `accepter: region: "x" is not an AWS region`},
		"no region":   {func(a *network.PeeringArgs) { a.Accepter.Region = "" }, "accepter: region: missing"},
		"range":       {func(a *network.PeeringArgs) { a.Requester.CIDR = "10.0.0.1/16" }, `requester: cidr: "10.0.0.1/16" has host bits set`},
		"peer range":  {func(a *network.PeeringArgs) { a.Accepter.CIDR = "" }, "accepter: cidr: missing"},
		"overlap":     {func(a *network.PeeringArgs) { a.Accepter.CIDR = "10.20.128.0/17" }, "the requester's range 10.20.0.0/16 overlaps the accepter's, 10.20.128.0/17"},
		"no tables":   {func(a *network.PeeringArgs) { a.Accepter.RouteTables = nil }, "accepter: routeTables: none given"},
		"table twice": {func(a *network.PeeringArgs) { a.Requester.RouteTables = twice }, `requester: routeTables: the name "public" is given twice`},
		"table name":  {func(a *network.PeeringArgs) { a.Requester.RouteTables[0].Name = "" }, `requester: routeTables: "" is not a name`},
		"table id":    {func(a *network.PeeringArgs) { a.Requester.RouteTables[0].ID = nil }, `requester: routeTables: the id of "public" is missing`},
		"no provider": {func(a *network.PeeringArgs) { a.Accepter.Region = "eu-west-1" }, "the sides are in eu-central-1 and eu-west-1: each needs the provider of its region"},
		"tag":         {func(a *network.PeeringArgs) { a.Tags = tags.Tags{"": "x"} }, "tags: the key of value"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			args := samplePeering()
			c.change(args)
			g, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
				_, err := network.NewPeering(ctx, "peer", args)
				return err
			}, pulumitest.Options{})
			require.ErrorContains(t, err, c.want)
			assert.Empty(t, g.Resources)
		})
	}
	require.ErrorContains(t, (*network.PeeringArgs)(nil).Validate("peer"), "the arguments are nil")
}
