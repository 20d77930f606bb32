package network_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const (
	typeVPC         = "aws:ec2/vpc:Vpc"
	typeDefaultSG   = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	typeIGW         = "aws:ec2/internetGateway:InternetGateway"
	typeSubnet      = "aws:ec2/subnet:Subnet"
	typeTable       = "aws:ec2/routeTable:RouteTable"
	typeRoute       = "aws:ec2/route:Route"
	typeAssociation = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	typeNAT         = "aws:ec2/natGateway:NatGateway"
	typeEIP         = "aws:ec2/eip:Eip"
	typeEndpoint    = "aws:ec2/vpcEndpoint:VpcEndpoint"
	typeSG          = "aws:ec2/securityGroup:SecurityGroup"
	typeIngress     = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	typeEgress      = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	typeLogGroup    = "aws:cloudwatch/logGroup:LogGroup"
	typeFlowLog     = "aws:ec2/flowLog:FlowLog"
	typeRole        = "aws:iam/role:Role"
	typeRolePolicy  = "aws:iam/rolePolicy:RolePolicy"
	typeNetwork     = "strongroom:network:Network"
)

// sample is a network with three zones and everything else at its default.
func sample() *network.Args {
	return &network.Args{
		CIDR:   "10.0.0.0/16",
		Region: "eu-central-1",
		Zones:  []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"},
		NAT:    network.NATSingle,
		Tags:   tags.Tags{"environment": "test"},
	}
}

// program makes a network, with what uses its subnets: an interface in each tier.
func program(args *network.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String(args.Region)})
		if err != nil {
			return err
		}
		n, err := network.New(ctx, "net", args, pulumi.Providers(provider))
		if err != nil {
			return err
		}
		for tier, ids := range map[string]pulumi.StringArrayOutput{"private": n.PrivateSubnetIDs, "public": n.PublicSubnetIDs} {
			_, err := ec2.NewNatGateway(ctx, "user-"+tier, &ec2.NatGatewayArgs{
				ConnectivityType: pulumi.String("private"), SubnetId: ids.Index(pulumi.Int(0)), Tags: args.Tags.Map(),
			}, pulumi.Provider(provider))
			if err != nil {
				return err
			}
		}
		tables := pulumi.Map{}
		for _, t := range n.RouteTables() {
			tables[t.Name] = t.ID
		}
		ctx.Export("routeTables", tables)
		return nil
	}
}

// user is what program makes in a tier besides the network.
func user(t *testing.T, g *pulumitest.Graph, tier string) *pulumitest.Resource {
	t.Helper()
	return g.Get(t, typeNAT, "user-"+tier)
}

func run(t *testing.T, change func(*network.Args)) *pulumitest.Graph {
	t.Helper()
	args := sample()
	if change != nil {
		change(args)
	}
	return pulumitest.RunBoth(t, program(args), pulumitest.Options{})
}

// gateways are the NAT gateways of the network itself.
func gateways(g *pulumitest.Graph) []string {
	var names []string
	for _, r := range g.OfType(typeNAT) {
		if g.ParentOf(r) != nil {
			names = append(names, r.Name)
		}
	}
	return names
}

func TestTheWholeOfTheNetwork(t *testing.T) {
	g := run(t, func(a *network.Args) { a.NAT, a.InterfaceEndpoints = network.NATPerZone, []string{"sts", "ecr.api"} })
	for typ, names := range map[string][]string{
		typeVPC:         {"net-vpc"},
		typeDefaultSG:   {"net-default-sg"},
		typeIGW:         {"net-igw"},
		typeSubnet:      {"net-private-a", "net-private-b", "net-private-c", "net-public-a", "net-public-b", "net-public-c"},
		typeTable:       {"net-private-a", "net-private-b", "net-private-c", "net-public"},
		typeAssociation: {"net-private-a", "net-private-b", "net-private-c", "net-public-a", "net-public-b", "net-public-c"},
		typeRoute:       {"net-private-a-nat", "net-private-b-nat", "net-private-c-nat", "net-public-internet"},
		typeEIP:         {"net-nat-a", "net-nat-b", "net-nat-c"},
		typeEndpoint:    {"net-endpoint-ecr.api", "net-endpoint-s3", "net-endpoint-sts"},
		typeSG:          {"net-endpoints-sg"},
		typeIngress:     {"net-endpoints-ingress"},
		typeEgress:      {},
		typeLogGroup:    {"net-flow-logs"},
		typeFlowLog:     {"net-flow-logs"},
		typeRole:        {"net-flow-logs-role"},
		typeRolePolicy:  {"net-flow-logs-policy"},
	} {
		assert.Equal(t, names, g.Names(typ), typ)
	}
	assert.Equal(t, []string{"net-nat-a", "net-nat-b", "net-nat-c"}, gateways(g))
	g.CheckNames(t)
	g.CheckOutputs(t)
	g.CheckTags(t, map[string]string{"environment": "test"})
	g.CheckProviders(t, "aws")
	wildcards, err := g.Wildcards()
	require.NoError(t, err)
	assert.Empty(t, wildcards)
	assert.Empty(t, g.OpenToAll())
	for _, r := range g.Resources {
		if strings.HasPrefix(r.Name, "net-") {
			assert.Equal(t, g.Get(t, typeNetwork, "net"), g.ParentOf(r), "%s", r)
		}
	}
}

func TestVPC(t *testing.T) {
	g := run(t, nil)
	vpc := g.Get(t, typeVPC, "net-vpc")
	assert.Equal(t, map[string]any{
		"cidrBlock": "10.0.0.0/16", "enableDnsSupport": true, "enableDnsHostnames": true,
		"tags": map[string]any{"environment": "test", "Name": "net"},
	}, vpc.Plain())

	group := g.Get(t, typeDefaultSG, "net-default-sg")
	assert.Equal(t, vpc.ID, group.Get("vpcId"))
	assert.Equal(t, []any{}, group.Get("ingress"), "given, and empty")
	assert.Equal(t, []any{}, group.Get("egress"), "given, and empty")

	gateway := g.Get(t, typeIGW, "net-igw")
	assert.Equal(t, vpc.ID, gateway.Get("vpcId"))
	assert.Equal(t, []string{"vpcId"}, gateway.ReplaceOnChanges)
}

func TestProtection(t *testing.T) {
	stateful := map[string]bool{"net-vpc": true, typeLogGroup: true}
	for _, protect := range []bool{true, false} {
		g := run(t, func(a *network.Args) { a.Protect, a.InterfaceEndpoints = protect, []string{"sts"} })
		g.CheckProtect(t, protect)
		for _, r := range g.Resources {
			assert.Equal(t, protect && (stateful[r.Name] || stateful[r.Type]), r.Protect, "%s", r)
		}
	}
}

func TestSubnets(t *testing.T) {
	g := run(t, nil)
	for name, want := range map[string]struct{ cidr, zone, tag string }{
		"net-private-a": {"10.0.0.0/20", "eu-central-1a", "kubernetes.io/role/internal-elb"},
		"net-private-b": {"10.0.16.0/20", "eu-central-1b", "kubernetes.io/role/internal-elb"},
		"net-private-c": {"10.0.32.0/20", "eu-central-1c", "kubernetes.io/role/internal-elb"},
		"net-public-a":  {"10.0.192.0/24", "eu-central-1a", "kubernetes.io/role/elb"},
		"net-public-b":  {"10.0.193.0/24", "eu-central-1b", "kubernetes.io/role/elb"},
		"net-public-c":  {"10.0.194.0/24", "eu-central-1c", "kubernetes.io/role/elb"},
	} {
		assert.Equal(t, map[string]any{
			"vpcId": g.Get(t, typeVPC, "net-vpc").ID, "cidrBlock": want.cidr, "availabilityZone": want.zone,
			"mapPublicIpOnLaunch": false,
			"tags":                map[string]any{"environment": "test", "Name": name, want.tag: "1"},
		}, g.Get(t, typeSubnet, name).Plain(), name)
	}
	n := g.Get(t, typeNetwork, "net")
	for tier, output := range map[string]string{"private": "privateSubnetIds", "public": "publicSubnetIds"} {
		ids := []any{}
		for _, letter := range []string{"a", "b", "c"} {
			ids = append(ids, g.Get(t, typeSubnet, "net-"+tier+"-"+letter).ID)
		}
		assert.Equal(t, ids, n.Output(output))
	}
}

// A zone keeps its resources wherever it stands in the list: their names have its
// letter. (Its addresses come from the place, see internal/cidr.)
func TestNamesDoNotDependOnTheOrderOfTheZones(t *testing.T) {
	one := run(t, func(a *network.Args) { a.NAT = network.NATPerZone })
	other := run(t, func(a *network.Args) {
		a.NAT, a.Zones = network.NATPerZone, []string{"eu-central-1c", "eu-central-1a", "eu-central-1b"}
	})
	require.NoError(t, one.SameResources(other))
	for _, name := range one.Names(typeSubnet) {
		assert.Equal(t, one.Get(t, typeSubnet, name).Get("availabilityZone"), other.Get(t, typeSubnet, name).Get("availabilityZone"))
	}
}

func TestASizeGiven(t *testing.T) {
	g := run(t, func(a *network.Args) { a.PrivatePrefix, a.PublicPrefix = 19, 23 })
	assert.Equal(t, "10.0.96.0/19", g.Get(t, typeSubnet, "net-private-a").Get("cidrBlock"))
	assert.Equal(t, "10.0.224.0/23", g.Get(t, typeSubnet, "net-public-a").Get("cidrBlock"))
}

func TestInputsAndOutputsOfTheComponent(t *testing.T) {
	g := run(t, func(a *network.Args) {
		a.NAT, a.PrivatePrefix, a.FlowLogsRetentionDays, a.Protect = network.NATPerZone, 20, 7, true
	})
	n := g.Get(t, typeNetwork, "net")
	assert.Equal(t, map[string]any{
		"cidr": "10.0.0.0/16", "region": "eu-central-1", "zones": []any{"eu-central-1a", "eu-central-1b", "eu-central-1c"},
		"privatePrefix": 20.0, "nat": "perZone", "interfaceEndpoints": []any{}, "flowLogsRetentionDays": 7.0,
		"tags": map[string]any{"environment": "test"}, "protect": true,
	}, n.Plain())
	assert.Equal(t, []string{"cidr", "natPublicIps", "privateSubnetIds", "publicSubnetIds", "vpcId"}, keys(n))
	assert.Equal(t, g.Get(t, typeVPC, "net-vpc").ID, n.Output("vpcId"))
	assert.Equal(t, "10.0.0.0/16", n.Output("cidr"))
	assert.Len(t, n.Output("natPublicIps"), 3)
	for _, r := range g.Resources {
		assert.False(t, r.Inputs.ContainsSecrets() || r.Outputs.ContainsSecrets(), "%s: nothing in a network is secret", r)
	}
}

func keys(r *pulumitest.Resource) []string {
	out := []string{}
	for key := range r.Outputs {
		out = append(out, string(key))
	}
	slices.Sort(out)
	return out
}
