package workloadrole_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/workloadrole"
	"github.com/strongroom-platform/strongroom/internal/iampolicy"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const (
	componentType   = "strongroom:workloadrole:WorkloadRole"
	roleType        = "aws:iam/role:Role"
	policyType      = "aws:iam/rolePolicy:RolePolicy"
	attachmentType  = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	associationType = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
)

var testTags = tags.Tags{"environment": "test"}

// vault runs a program with the role of Vault's pods, which may use one key that
// is made in the same run.
func vault(change func(*workloadrole.Args)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		s, err := pulumitest.NewSurroundings(ctx, testTags)
		if err != nil {
			return err
		}
		key, err := kms.NewKey(ctx, "surroundings-key", &kms.KeyArgs{Tags: testTags.Map()}, pulumi.Parent(s), pulumi.Protect(true))
		if err != nil {
			return err
		}
		args := &workloadrole.Args{
			// Known only once there is a cluster.
			ClusterName:    pulumi.Sprintf("cluster-of-%s", s.VPCID),
			Namespace:      "vault",
			ServiceAccount: "vault-server",
			Policy: &iampolicy.Document{Statements: []iampolicy.Statement{{
				Sid: "Unseal", Actions: []string{"kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"}, Resources: []pulumi.StringInput{key.Arn},
			}}},
			ManagedPolicyARNs: []string{
				"arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
				"arn:aws:iam::123456789012:policy/team/logs",
			},
			Tags: testTags,
		}
		if change != nil {
			change(args)
		}
		_, err = workloadrole.New(ctx, "vault", args, pulumi.Providers(s.AWS))
		return err
	}
}

func TestWorkloadRole(t *testing.T) {
	g := pulumitest.RunBoth(t, vault(nil), pulumitest.Options{})
	g.CheckParents(t)
	g.CheckNames(t)
	g.CheckOutputs(t)
	g.CheckTags(t, testTags)
	g.CheckProviders(t, "aws")
	g.CheckProtect(t, true)
	found, err := g.Wildcards()
	require.NoError(t, err)
	require.Empty(t, found)

	component := g.Get(t, componentType, "vault")
	cluster := "cluster-of-" + g.Get(t, "aws:ec2/vpc:Vpc", "surroundings-vpc").ID
	require.Equal(t, []string{"vault-role"}, g.Names(roleType))
	require.Equal(t, []string{"vault-policy"}, g.Names(policyType))
	require.Equal(t, []string{"vault-AmazonEBSCSIDriverPolicy", "vault-logs"}, g.Names(attachmentType))
	require.Equal(t, []string{"vault-association"}, g.Names(associationType))

	role := g.Get(t, roleType, "vault-role")
	require.Equal(t, "Pods of service account vault-server in namespace vault of cluster "+cluster, role.Get("description"))
	require.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{
		"Sid": "EksPodIdentity", "Effect": "Allow",
		"Principal": {"Service": ["pods.eks.amazonaws.com"]},
		"Action": ["sts:AssumeRole", "sts:TagSession"],
		"Condition": {"StringEquals": {
			"aws:RequestTag/eks-cluster-name": ["`+cluster+`"],
			"aws:RequestTag/kubernetes-namespace": ["vault"],
			"aws:RequestTag/kubernetes-service-account": ["vault-server"]
		}}
	}]}`, text(t, role, "assumeRolePolicy"))

	policy := g.Get(t, policyType, "vault-policy")
	roleName, ok := role.State["name"]
	require.True(t, ok)
	require.Equal(t, roleName.StringValue(), policy.Get("role"))
	require.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{
		"Sid": "Unseal", "Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"],
		"Resource": ["`+g.Get(t, "aws:kms/key:Key", "surroundings-key").State["arn"].StringValue()+`"]
	}]}`, text(t, policy, "policy"))
	for name, arn := range map[string]string{
		"vault-AmazonEBSCSIDriverPolicy": "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
		"vault-logs":                     "arn:aws:iam::123456789012:policy/team/logs",
	} {
		attachment := g.Get(t, attachmentType, name)
		require.Equal(t, roleName.StringValue(), attachment.Get("role"))
		require.Equal(t, arn, attachment.Get("policyArn"))
	}

	association := g.Get(t, associationType, "vault-association")
	require.Equal(t, cluster, association.Get("clusterName"))
	require.Equal(t, "vault", association.Get("namespace"))
	require.Equal(t, "vault-server", association.Get("serviceAccount"))
	require.Equal(t, role.State["arn"].StringValue(), association.Get("roleArn"))

	children := g.ChildrenOf(component)
	require.Len(t, children, 5, "everything above is a child")
	for _, r := range children {
		require.False(t, r.Protect, "%s holds nothing that cannot be made again", r)
	}
	require.Equal(t, role.State["arn"].StringValue(), component.Output("roleArn"))
	require.Equal(t, roleName.StringValue(), component.Output("roleName"))
	require.False(t, component.IsSecretOutput("roleArn"))
}

// Pods get the role after its rights are there, and lose it before they go.
func TestAssociationFollowsTheRights(t *testing.T) {
	g := pulumitest.Run(t, vault(nil), pulumitest.Options{})
	association := g.Get(t, associationType, "vault-association")
	for _, typ := range []string{roleType, policyType, attachmentType} {
		for _, r := range g.OfType(typ) {
			require.True(t, g.DependsOn(association, r), "%s must depend on %s", association, r)
		}
	}
}

// A role that only proves who the pods are has no policy, not an empty one.
func TestWithoutRights(t *testing.T) {
	g := pulumitest.RunBoth(t, vault(func(a *workloadrole.Args) { a.Policy, a.ManagedPolicyARNs = nil, nil }), pulumitest.Options{})
	require.Empty(t, g.OfType(policyType))
	require.Empty(t, g.OfType(attachmentType))
	require.Len(t, g.OfType(associationType), 1)
}

// A secret in a policy stays one.
func TestSecretResource(t *testing.T) {
	g := pulumitest.Run(t, vault(func(a *workloadrole.Args) {
		a.Policy.Statements[0].Resources = []pulumi.StringInput{
			pulumi.ToSecret(pulumi.String("arn:aws:secretsmanager:eu-central-1:123456789012:secret:hidden")).(pulumi.StringOutput),
		}
	}), pulumitest.Options{})
	require.True(t, g.Get(t, policyType, "vault-policy").IsSecret("policy"))
	g.CheckNoPlaintext(t, "secret:hidden")
}

// The order of the policies is nobody's identity.
func TestOrderOfPoliciesDoesNotMatter(t *testing.T) {
	g := pulumitest.Run(t, vault(nil), pulumitest.Options{})
	other := pulumitest.Run(t, vault(func(a *workloadrole.Args) {
		a.ManagedPolicyARNs[0], a.ManagedPolicyARNs[1] = a.ManagedPolicyARNs[1], a.ManagedPolicyARNs[0]
	}), pulumitest.Options{})
	require.NoError(t, g.SameResources(other))
	for _, r := range g.OfType(attachmentType) {
		require.Equal(t, r.Get("policyArn"), other.Get(t, attachmentType, r.Name).Get("policyArn"))
	}
}

func TestLongestNameFits(t *testing.T) {
	name := strings.Repeat("n", 51)
	g := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		_, err := workloadrole.New(ctx, name, &workloadrole.Args{ClusterName: pulumi.String("c"), Namespace: "n", ServiceAccount: "s"})
		return err
	}, pulumitest.Options{})
	// The provider appends a hyphen and seven digits.
	require.Len(t, g.Get(t, roleType, name+"-role").Name+"-1234567", 64)
}

func TestValidate(t *testing.T) {
	statement := func(a *workloadrole.Args) *iampolicy.Statement { return &a.Policy.Statements[0] }
	for name, test := range map[string]struct {
		change func(*workloadrole.Args)
		want   string
	}{
		"no cluster":           {func(a *workloadrole.Args) { a.ClusterName = nil }, "clusterName is missing: give the cluster whose pods get the role"},
		"no namespace":         {func(a *workloadrole.Args) { a.Namespace = "" }, `namespace "" is not a Kubernetes name: use at most 63 of a-z, 0-9 and -`},
		"namespace with a dot": {func(a *workloadrole.Args) { a.Namespace = "a.b" }, `namespace "a.b" is not a Kubernetes name`},
		"any namespace":        {func(a *workloadrole.Args) { a.Namespace = "*" }, `namespace "*" is not a Kubernetes name`},
		"no service account":   {func(a *workloadrole.Args) { a.ServiceAccount = "" }, `serviceAccount "" is not a Kubernetes name: use at most 253 of a-z, 0-9, . and -`},
		"any service account":  {func(a *workloadrole.Args) { a.ServiceAccount = "*" }, `serviceAccount "*" is not a Kubernetes name`},
		"long service account": {func(a *workloadrole.Args) { a.ServiceAccount = strings.Repeat("s", 254) }, `is not a Kubernetes name: use at most 253`},
		"any resource":         {func(a *workloadrole.Args) { statement(a).Resources = []pulumi.StringInput{pulumi.String("*")} }, `policy: identity policy: statement "Unseal": resource "*": name the ARN, or say in AnyResource why there can be none`},
		"every key": {func(a *workloadrole.Args) {
			statement(a).Resources = []pulumi.StringInput{pulumi.String("arn:aws:kms:eu-central-1:123456789012:key/*")}
		}, `resource "arn:aws:kms:eu-central-1:123456789012:key/*" stands for everything of a kind: name the ARN`},
		"every action":            {func(a *workloadrole.Args) { statement(a).Actions = []string{"kms:*"} }, `policy: identity policy: statement "Unseal": action "kms:*" allows a whole service: name the actions`},
		"not the arn of a policy": {func(a *workloadrole.Args) { a.ManagedPolicyARNs = []string{"AdministratorAccess"} }, `managedPolicyArns: "AdministratorAccess" is not the ARN of an IAM policy: use one such as "arn:aws:iam::aws:policy/ReadOnlyAccess"`},
		"two policies of one name": {func(a *workloadrole.Args) {
			a.ManagedPolicyARNs[1] = "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicy"
		}, `managedPolicyArns: "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy" and "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicy" have the same name: leave one out`},
		"tags": {func(a *workloadrole.Args) { a.Tags = tags.Tags{"": "x"} }, `tags: the key of value "x" is empty: give it one or leave it out`},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := pulumitest.RunErr(vault(test.change), pulumitest.Options{})
			require.ErrorContains(t, err, `workload role "vault": `)
			require.ErrorContains(t, err, test.want)
			require.Empty(t, g.OfType(componentType))
			require.Empty(t, g.OfType(roleType))
		})
	}
	valid := workloadrole.Args{ClusterName: pulumi.String("c"), Namespace: "n", ServiceAccount: "s"}
	require.NoError(t, valid.Validate("vault"))
	require.EqualError(t, valid.Validate("team/vault"), `workload role "team/vault": the name becomes part of an IAM role's: use letters, digits and any of + = , . @ _ -`)
	require.ErrorContains(t, valid.Validate(strings.Repeat("n", 52)), "the name has 52 characters, but IAM role names end at 64: use at most 51")
	_, err := workloadrole.New(nil, "vault", nil)
	require.EqualError(t, err, `workload role "vault": the arguments are nil`)
}

// An ARN that only becomes known later fails the role's policy, and with it the
// association that would hand out the role.
func TestLateWildcardIsRefused(t *testing.T) {
	g, err := pulumitest.RunErr(vault(func(a *workloadrole.Args) {
		a.Policy.Statements[0].Resources = []pulumi.StringInput{pulumi.String("*").ToStringOutput()}
	}), pulumitest.Options{})
	require.ErrorContains(t, err, `statement "Unseal": resource "*": name the ARN`)
	require.Empty(t, g.OfType(policyType))
	require.Empty(t, g.OfType(associationType))
}

// The check that TestWorkloadRole relies on sees a policy, and a trust, that are
// too broad.
func TestWildcardsSeesABrokenRole(t *testing.T) {
	g := pulumitest.Run(t, vault(nil), pulumitest.Options{})
	g.Get(t, policyType, "vault-policy").Inputs["policy"] = resource.NewProperty(
		`{"Statement": [{"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "*"}]}`)
	g.Get(t, roleType, "vault-role").Inputs["assumeRolePolicy"] = resource.NewProperty(
		`{"Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"AWS": "*"}}]}`)
	found, err := g.Wildcards()
	require.NoError(t, err)
	require.Equal(t, []string{
		`aws:iam/role:Role "vault-role", statement 0 is for everybody`,
		`aws:iam/rolePolicy:RolePolicy "vault-policy", statement 0 allows "kms:Decrypt" on every resource`,
	}, found)
}

// text returns an input that holds a JSON document.
func text(t *testing.T, r *pulumitest.Resource, input string) string {
	t.Helper()
	s, ok := r.Get(input).(string)
	require.True(t, ok, "%s: input %q is %v", r, input, r.Get(input))
	require.True(t, json.Valid([]byte(s)))
	return s
}
