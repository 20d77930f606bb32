package pulumitest_test

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi-eks/sdk/v2/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

func TestOpenToAll(t *testing.T) {
	g := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		for name, cidr := range map[string]string{"all": "0.0.0.0/0", "half": "0.0.0.0/1", "wide": "10.0.0.0/8", "one": "10.0.0.1/32"} {
			_, err := vpc.NewSecurityGroupIngressRule(ctx, name, &vpc.SecurityGroupIngressRuleArgs{
				SecurityGroupId: pulumi.String("sg-1"), IpProtocol: pulumi.String("tcp"), CidrIpv4: pulumi.String(cidr),
			})
			if err != nil {
				return err
			}
		}
		_, err := vpc.NewSecurityGroupIngressRule(ctx, "all-v6", &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: pulumi.String("sg-1"), IpProtocol: pulumi.String("tcp"), CidrIpv6: pulumi.String("::/0"),
		})
		if err != nil {
			return err
		}
		_, err = ec2.NewSecurityGroup(ctx, "inline", &ec2.SecurityGroupArgs{Ingress: ec2.SecurityGroupIngressArray{
			ec2.SecurityGroupIngressArgs{
				Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(1), ToPort: pulumi.Int(1),
				CidrBlocks: pulumi.ToStringArray([]string{"10.0.0.0/16", "0.0.0.0/0"}),
			},
		}})
		if err != nil {
			return err
		}
		_, err = eks.NewCluster(ctx, "default", &eks.ClusterArgs{})
		if err != nil {
			return err
		}
		_, err = eks.NewCluster(ctx, "private", &eks.ClusterArgs{EndpointPublicAccess: pulumi.Bool(false)})
		return err
	}, pulumitest.Options{})
	require.Equal(t, []string{
		`aws:ec2/securityGroup:SecurityGroup "inline" lets the internet in: 0.0.0.0/0`,
		`aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule "all" lets the internet in: 0.0.0.0/0`,
		`aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule "all-v6" lets the internet in: ::/0`,
		`aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule "half" lets the internet in: 0.0.0.0/1`,
		`eks:index:Cluster "default" lets the internet in: 0.0.0.0/0`,
	}, g.OpenToAll())
}

func TestWildcards(t *testing.T) {
	policies := map[string]string{
		"any-resource":  `{"Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}]}`,
		"whole-service": `{"Statement":[{"Effect":"Allow","Action":["kms:*"],"Resource":["arn:aws:kms:eu-central-1:1:key/a"]}]}`,
		"everything":    `{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":["arn:aws:s3:::b"]}]}`,
		"no-other-way":  `{"Statement":[{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}]}`,
		"denied":        `{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`,
		"named":         `{"Statement":[{"Effect":"Allow","Action":["kms:Decrypt"],"Resource":["arn:aws:kms:eu-central-1:1:key/a"]}]}`,
	}
	program := func(ctx *pulumi.Context) error {
		for name, text := range policies {
			if _, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: pulumi.String("r"), Policy: pulumi.String(text)}); err != nil {
				return err
			}
		}
		_, err := kms.NewKey(ctx, "key", &kms.KeyArgs{Policy: pulumi.String(
			`{"Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*","Principal":{"AWS":["arn:aws:iam::1:root"]}}]}`)})
		return err
	}
	found, err := pulumitest.Run(t, program, pulumitest.Options{}).Wildcards()
	require.NoError(t, err)
	require.Equal(t, []string{
		`aws:iam/rolePolicy:RolePolicy "any-resource", statement 0 allows "kms:Decrypt" on every resource`,
		`aws:iam/rolePolicy:RolePolicy "everything", statement 1 allows the action "*"`,
		`aws:iam/rolePolicy:RolePolicy "whole-service", statement 0 allows the action "kms:*"`,
	}, found)

	policies["broken"] = `{`
	_, err = pulumitest.Run(t, program, pulumitest.Options{}).Wildcards()
	require.ErrorContains(t, err, `aws:iam/rolePolicy:RolePolicy "broken": input "policy" is no policy`)
}

func TestReplacementTrigger(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		made, err := ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{})
		if err != nil {
			return err
		}
		_, err = ec2.NewSecurityGroup(ctx, "group", &ec2.SecurityGroupArgs{}, pulumi.ReplacementTrigger(made.ID()))
		return err
	}
	group := "aws:ec2/securityGroup:SecurityGroup"
	g := pulumitest.Run(t, program, pulumitest.Options{})
	require.Equal(t, g.Get(t, "aws:ec2/vpc:Vpc", "vpc").ID, g.Get(t, group, "group").ReplacementTrigger)
	require.Nil(t, g.Get(t, "aws:ec2/vpc:Vpc", "vpc").ReplacementTrigger)
	g = pulumitest.Run(t, program, pulumitest.Options{Unknown: true})
	require.Equal(t, pulumitest.UnknownValue, g.Get(t, group, "group").ReplacementTrigger)
}
