package pulumitest_test

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-eks/sdk/v2/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/component"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

type pair struct {
	pulumi.ResourceState
	VPCID pulumi.IDOutput
}

func newPair(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (*pair, error) {
	p := &pair{}
	if err := component.Register(ctx, "strongroom:test:Pair", name, pulumi.Map{"size": pulumi.Int(2)}, p, opts...); err != nil {
		return nil, err
	}
	vpc, err := ec2.NewVpc(ctx, name+"-vpc", &ec2.VpcArgs{
		CidrBlock: pulumi.String("10.0.0.0/16"),
		Tags:      pulumi.StringMap{"Name": pulumi.String(name), "a.b": pulumi.String("dotted")},
	}, component.Child(p, pulumi.Protect(true))...)
	if err != nil {
		return nil, err
	}
	_, err = ec2.NewSubnet(ctx, name+"-subnet", &ec2.SubnetArgs{
		VpcId: vpc.ID(), CidrBlock: pulumi.String("10.0.0.0/24"),
	}, component.Child(p)...)
	if err != nil {
		return nil, err
	}
	p.VPCID = vpc.ID()
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{"vpcId": vpc.ID(), "password": pulumi.ToSecret(pulumi.String("hunter2"))})
}

func TestRecordsWhatAProgramRegisters(t *testing.T) {
	g := pulumitest.RunBoth(t, func(ctx *pulumi.Context) error {
		p, err := newPair(ctx, "one")
		if err != nil {
			return err
		}
		ctx.Export("vpcId", p.VPCID)
		ctx.Export("region", pulumi.String(config.New(ctx, "strongroom").Require("region")))
		return nil
	}, pulumitest.Options{Config: map[string]string{"strongroom:region": "eu-west-1"}})

	require.Equal(t, "aws:ec2/subnet:Subnet one-subnet\naws:ec2/vpc:Vpc one-vpc\nstrongroom:test:Pair one", g.String())
	vpc, subnet := g.Get(t, "aws:ec2/vpc:Vpc", "one-vpc"), g.Get(t, "aws:ec2/subnet:Subnet", "one-subnet")
	parent := g.Get(t, "strongroom:test:Pair", "one")
	require.Equal(t, parent, g.ParentOf(vpc))
	require.Nil(t, g.ParentOf(parent), "a component at the top has the stack as parent")
	require.True(t, vpc.Protect)
	require.False(t, subnet.Protect)
	require.Equal(t, "10.0.0.0/16", vpc.Get("cidrBlock"))
	require.Equal(t, "one", vpc.Get("tags.Name"))
	require.Equal(t, "dotted", vpc.Get(`tags["a.b"]`))
	require.Equal(t, vpc.ID, subnet.Get("vpcId"))
	require.Equal(t, vpc.ID, g.Output("vpcId"))
	require.Equal(t, "eu-west-1", g.Output("region"))
	require.Equal(t, float64(2), parent.Get("size"))
	require.Equal(t, "hunter2", parent.Output("password"))
	require.True(t, parent.IsSecretOutput("password"))
	require.False(t, parent.IsSecretOutput("vpcId"))
	require.True(t, g.DependsOn(subnet, vpc))
	require.False(t, g.DependsOn(vpc, subnet))
	g.CheckParents(t)
	g.CheckNames(t)
	g.CheckOutputs(t)
	g.CheckProtect(t, true)
	g.CheckNoPlaintext(t, "hunter2")
}

func TestRefusesATypeThatIsNotInTheTable(t *testing.T) {
	_, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
		var r pulumi.CustomResourceState
		return ctx.RegisterResource("aws:quantum/teapot:Teapot", "pot", pulumi.Map{}, &r)
	}, pulumitest.Options{})
	require.ErrorContains(t, err, `resource type "aws:quantum/teapot:Teapot" is not in the table`)
}

func TestAnOutputThatIsNotInTheTableFailsTheRun(t *testing.T) {
	types := map[string]pulumitest.Type{"aws:ec2/vpc:Vpc": {}}
	_, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
		vpc, err := ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{})
		if err != nil {
			return err
		}
		_, err = ec2.NewRouteTable(ctx, "table", &ec2.RouteTableArgs{VpcId: vpc.DefaultNetworkAclId})
		return err
	}, pulumitest.Options{Types: types})
	require.ErrorContains(t, err, `input "vpcId" of aws:ec2/routeTable:RouteTable "table" is unknown: it comes from aws:ec2/vpc:Vpc "vpc"`)

	_, err = pulumitest.RunErr(func(ctx *pulumi.Context) error {
		vpc, err := ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{})
		if err != nil {
			return err
		}
		ctx.Export("acl", vpc.DefaultNetworkAclId)
		return nil
	}, pulumitest.Options{Types: types})
	require.ErrorContains(t, err, `stack output "acl" is unknown`)
}

func TestUnknownOutputsAreUnknown(t *testing.T) {
	applied := false
	g := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		vpc, err := ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{CidrBlock: pulumi.String("10.0.0.0/16")})
		if err != nil {
			return err
		}
		vpc.ID().ApplyT(func(string) string { applied = true; return "" })
		vpc.Arn.ApplyT(func(string) string { applied = true; return "" })
		_, err = ec2.NewSubnet(ctx, "subnet", &ec2.SubnetArgs{VpcId: vpc.ID(), CidrBlock: vpc.CidrBlock})
		return err
	}, pulumitest.Options{Unknown: true})
	require.False(t, applied)
	subnet := g.Get(t, "aws:ec2/subnet:Subnet", "subnet")
	require.Equal(t, pulumitest.UnknownValue, subnet.Get("vpcId"))
	require.Equal(t, "10.0.0.0/16", subnet.Get("cidrBlock"), "an input comes back known, also in a preview")
}

func TestSameResourcesSeesADifference(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		vpc, err := ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{})
		if err != nil {
			return err
		}
		vpc.ID().ApplyT(func(id string) (string, error) {
			_, err := ec2.NewInternetGateway(ctx, "late", &ec2.InternetGatewayArgs{})
			return id, err
		})
		return nil
	}
	known := pulumitest.Run(t, program, pulumitest.Options{})
	unknown := pulumitest.Run(t, program, pulumitest.Options{Unknown: true})
	require.ErrorContains(t, known.SameResources(unknown), "only in the first: ")
	require.ErrorContains(t, unknown.SameResources(known), "only in the second: ")
	require.NoError(t, known.SameResources(known))
}

func TestRemoteComponentAnswersWithTheResourcesItMade(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		awsProvider, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String("eu-central-1")})
		if err != nil {
			return err
		}
		cluster, err := eks.NewCluster(ctx, "cluster", &eks.ClusterArgs{
			Name: pulumi.String("tooling"), VpcId: awsProvider.Region.Elem(),
		}, pulumi.Providers(awsProvider))
		if err != nil {
			return err
		}
		ctx.Export("endpoint", cluster.EksCluster.Endpoint())
		ctx.Export("issuer", cluster.EksCluster.Identities().Index(pulumi.Int(0)).Oidcs().Index(pulumi.Int(0)).Issuer())
		ctx.Export("group", cluster.EksCluster.VpcConfig().ClusterSecurityGroupId())
		ctx.Export("name", cluster.EksCluster.Name())
		ctx.Export("kubeconfig", cluster.KubeconfigJson)
		ctx.Export("nodes", cluster.NodeSecurityGroup.Arn())
		return nil
	}
	g := pulumitest.RunBoth(t, program, pulumitest.Options{})
	require.Equal(t, "tooling", g.Output("name"))
	require.Contains(t, g.Output("endpoint"), "https://")
	require.Contains(t, g.Output("issuer"), "https://oidc.eks.")
	require.Contains(t, g.Output("group"), "sg-")
	require.Contains(t, g.Output("nodes"), "security-group/sg-")
	require.Contains(t, g.Output("kubeconfig"), `"get-token","--cluster-name","tooling"`)
	cluster := g.Get(t, "eks:index:Cluster", "cluster")
	require.True(t, cluster.Remote)
	require.Equal(t, "tooling", cluster.Get("name"))
	require.Contains(t, cluster.Providers, "aws")
	require.Empty(t, g.OfType("aws:eks/cluster:Cluster"), "what a remote component makes is no part of the graph")
}

func TestStackReference(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		ref, err := pulumi.NewStackReference(ctx, "tooling", &pulumi.StackReferenceArgs{Name: pulumi.String("organization/strongroom/tooling")})
		if err != nil {
			return err
		}
		details, err := ref.GetOutputDetails("vpcId")
		if err != nil {
			return err
		}
		ctx.Export("got", pulumi.Any(details.Value))
		missing, err := ref.GetOutputDetails("missing")
		if err != nil {
			return err
		}
		ctx.Export("missing", pulumi.Bool(missing.Value == nil && missing.SecretValue == nil))
		return nil
	}
	outputs := map[string]resource.PropertyMap{
		"organization/strongroom/tooling": {"vpcId": resource.NewProperty("vpc-1")},
	}
	g := pulumitest.RunBoth(t, program, pulumitest.Options{StackOutputs: outputs})
	require.Equal(t, "vpc-1", g.Output("got"))
	require.Equal(t, true, g.Output("missing"))

	_, err := pulumitest.RunErr(program, pulumitest.Options{})
	require.ErrorContains(t, err, `unknown stack "organization/strongroom/tooling"`)
}

func TestInvokes(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		id, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{})
		if err != nil {
			return err
		}
		ctx.Export("account", pulumi.String(id.AccountId))
		return nil
	}
	g := pulumitest.RunBoth(t, program, pulumitest.Options{})
	require.Equal(t, pulumitest.Account, g.Output("account"))
	require.Len(t, g.Calls, 1)

	_, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
		_, err := aws.GetIpRanges(ctx, &aws.GetIpRangesArgs{})
		return err
	}, pulumitest.Options{})
	require.ErrorContains(t, err, `function "aws:index/getIpRanges:getIpRanges" is not in the table`)
}

func TestRefusesWhatTheEngineRefuses(t *testing.T) {
	_, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
		for range 2 {
			if _, err := ec2.NewVpc(ctx, "same", &ec2.VpcArgs{}); err != nil {
				return err
			}
		}
		return nil
	}, pulumitest.Options{})
	require.ErrorContains(t, err, "duplicate resource URN")
}

func TestChecksCanFail(t *testing.T) {
	g := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		p := &pair{}
		if err := component.Register(ctx, "strongroom:test:Pair", "one", pulumi.Map{}, p); err != nil {
			return err
		}
		if _, err := ec2.NewVpc(ctx, "other", &ec2.VpcArgs{Tags: pulumi.StringMap{"k": pulumi.String("s3cret")}}, pulumi.Parent(p)); err != nil {
			return err
		}
		_, err := ec2.NewVpc(ctx, "loose", &ec2.VpcArgs{}, pulumi.Protect(true))
		return err
	}, pulumitest.Options{})
	checks := map[string]func(testing.TB){
		"parents":   g.CheckParents,
		"names":     g.CheckNames,
		"outputs":   g.CheckOutputs,
		"tags":      func(tb testing.TB) { g.CheckTags(tb, map[string]string{"k": "s3cret"}) },
		"providers": func(tb testing.TB) { g.CheckProviders(tb, "aws") },
		"protect":   func(tb testing.TB) { g.CheckProtect(tb, true) },
		"unprotect": func(tb testing.TB) { g.CheckProtect(tb, false) },
		"plaintext": func(tb testing.TB) { g.CheckNoPlaintext(tb, "s3cret") },
	}
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			require.NotEmpty(t, pulumitest.Failures(t, check))
		})
	}
}
