package ekscluster_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-eks/sdk/v2/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const (
	componentType   = "strongroom:ekscluster:EksCluster"
	clusterType     = "eks:index:Cluster"
	keyType         = "aws:kms/key:Key"
	aliasType       = "aws:kms/alias:Alias"
	logGroupType    = "aws:cloudwatch/logGroup:LogGroup"
	roleType        = "aws:iam/role:Role"
	attachmentType  = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	entryType       = "aws:eks/accessEntry:AccessEntry"
	accessType      = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
	addonType       = "aws:eks/addon:Addon"
	nodeGroupType   = "aws:eks/nodeGroup:NodeGroup"
	templateType    = "aws:ec2/launchTemplate:LaunchTemplate"
	eksProviderType = "pulumi:providers:eks"
)

var testTags = tags.Tags{"environment": "test"}

// tooling runs a program with a cluster that uses everything there is.
func tooling(change func(*ekscluster.Args)) pulumi.RunFunc {
	return named("tooling", change, nil)
}

// named runs a program with a cluster component of that name and hands over what
// it made.
func named(name string, change func(*ekscluster.Args), use func(*ekscluster.EksCluster)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		s, err := pulumitest.NewSurroundings(ctx, testTags)
		if err != nil {
			return err
		}
		args := &ekscluster.Args{
			ClusterName:       "tooling",
			Version:           "1.36",
			VPCID:             s.VPCID,
			PrivateSubnetIDs:  s.SubnetIDs,
			PublicAccessCIDRs: []string{"198.51.100.0/24", "203.0.113.7/32"},
			Admins: []string{
				"arn:aws:iam::123456789012:role/team/platform-admin",
				"arn:aws:iam::123456789012:user/alex",
			},
			NodeGroups: []ekscluster.NodeGroup{
				{Name: "general", InstanceTypes: []string{"m7i.large", "m6i.large"}, Min: 2, Max: 6, Desired: 3},
				{
					Name: "jobs", InstanceTypes: []string{"m7g.large"}, Min: 0, Max: 4, Desired: 0, DiskGiB: 100,
					Labels: map[string]string{"strongroom.dev/use": "jobs"}, CapacityType: "SPOT",
				},
			},
			Tags:    testTags,
			Protect: true,
		}
		if change != nil {
			change(args)
		}
		cluster, err := ekscluster.New(ctx, name, args, pulumi.Providers(s.AWS))
		if err != nil {
			return err
		}
		if use != nil {
			use(cluster)
		}
		return nil
	}
}

// check is what holds for every graph with a cluster in it.
func check(t testing.TB, g *pulumitest.Graph) {
	t.Helper()
	g.CheckParents(t)
	g.CheckNames(t)
	g.CheckOutputs(t)
	g.CheckTags(t, testTags)
	g.CheckProviders(t, "aws", "eks")
	found, err := g.Wildcards()
	if err != nil {
		t.Errorf("%v", err)
	}
	for _, f := range append(append(found, g.OpenToAll()...), unencrypted(g)...) {
		t.Errorf("%s", f)
	}
}

// unencrypted lists what holds data of the cluster in plain text.
func unencrypted(g *pulumitest.Graph) []string {
	var found []string
	for _, r := range g.OfType(clusterType) {
		if arn, _ := r.Get("encryptionConfigKeyArn").(string); !strings.HasPrefix(arn, "arn:aws:kms:") {
			found = append(found, r.String()+": Secrets are not encrypted with a key")
		}
	}
	for _, r := range g.OfType(templateType) {
		if r.Get("blockDeviceMappings.0.ebs.encrypted") != "true" {
			found = append(found, r.String()+": disks are not encrypted")
		}
		if r.Get("metadataOptions.httpTokens") != "required" || r.Get("metadataOptions.httpPutResponseHopLimit") != 1.0 {
			found = append(found, r.String()+": pods can read the node's credentials")
		}
	}
	return found
}

func TestCluster(t *testing.T) {
	g := pulumitest.RunBoth(t, tooling(nil), pulumitest.Options{})
	check(t, g)
	g.CheckProtect(t, true)

	want := map[string][]string{
		clusterType:     {"tooling-eks"},
		eksProviderType: {"tooling-eks-provider"},
		keyType:         {"tooling-key"},
		aliasType:       {"tooling-key-alias"},
		logGroupType:    {"tooling-logs"},
		roleType:        {"tooling-aws-ebs-csi-driver-role", "tooling-aws-efs-csi-driver-role", "tooling-node-role", "tooling-vpc-cni-role"},
		attachmentType: {
			"tooling-aws-ebs-csi-driver-AmazonEBSCSIDriverPolicy", "tooling-aws-efs-csi-driver-AmazonEFSCSIDriverPolicy",
			"tooling-node-AmazonEC2ContainerRegistryPullOnly", "tooling-node-AmazonEKSWorkerNodePolicy", "tooling-vpc-cni-AmazonEKS_CNI_Policy",
		},
		entryType:  {"tooling-admin-123456789012-role-platform-admin", "tooling-admin-123456789012-user-alex"},
		accessType: {"tooling-admin-123456789012-role-platform-admin", "tooling-admin-123456789012-user-alex"},
		addonType: {
			"tooling-addon-aws-ebs-csi-driver", "tooling-addon-aws-efs-csi-driver", "tooling-addon-coredns",
			"tooling-addon-eks-pod-identity-agent", "tooling-addon-kube-proxy", "tooling-addon-vpc-cni",
		},
		nodeGroupType: {"tooling-general", "tooling-jobs"},
		templateType:  {"tooling-general-template", "tooling-jobs-template"},
	}
	count := 0
	for typ, names := range want {
		require.Equal(t, names, g.Names(typ), typ)
		count += len(names)
	}
	component := g.Get(t, componentType, "tooling")
	require.Len(t, g.ChildrenOf(component), count, "every child is in the list")
}

func TestControlPlane(t *testing.T) {
	g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
	cluster := g.Get(t, clusterType, "tooling-eks")
	require.NoError(t, cluster.Fits(eks.ClusterArgs{}), "nothing is asked for that the component does not know")
	require.Equal(t, "tooling", cluster.Get("name"))
	require.Equal(t, "1.36", cluster.Get("version"))
	require.Equal(t, g.Get(t, "aws:ec2/vpc:Vpc", "surroundings-vpc").ID, cluster.Get("vpcId"))
	require.Equal(t, subnetIDs(g), cluster.Get("privateSubnetIds"))
	require.Nil(t, cluster.Get("publicSubnetIds"), "nothing of the cluster stands in a public subnet")
	require.Equal(t, true, cluster.Get("endpointPrivateAccess"))
	require.Equal(t, true, cluster.Get("endpointPublicAccess"))
	require.Equal(t, []any{"198.51.100.0/24", "203.0.113.7/32"}, cluster.Get("publicAccessCidrs"))

	require.Equal(t, "API", cluster.Get("authenticationMode"))
	for _, refused := range []string{"instanceRoles", "roleMappings", "userMappings"} {
		require.Nil(t, cluster.Get(refused), "%s is refused with access entries", refused)
	}
	require.Equal(t, g.Get(t, roleType, "tooling-node-role").URN, cluster.Get("instanceRole"))
	require.Equal(t, g.Get(t, keyType, "tooling-key").State["arn"].StringValue(), cluster.Get("encryptionConfigKeyArn"))
	require.Equal(t, []any{"api", "audit", "authenticator", "controllerManager", "scheduler"}, cluster.Get("enabledClusterLogTypes"))
	require.Equal(t, true, cluster.Get("skipDefaultNodeGroup"))
	require.Equal(t, true, cluster.Get("useDefaultVpcCni"), "the add-on is vpc-cni, and a kubectl apply beside it is not")
	require.Equal(t, false, cluster.Get("createOidcProvider"), "Pod Identity needs none, and making one talks to the internet")
	require.Equal(t, "tooling", cluster.Get("clusterTags.Name"))
	require.Contains(t, cluster.Providers, "aws", "its process has no provider but the one it is handed")
	require.Contains(t, cluster.Providers, "eks")
}

// Nobody reaches the Kubernetes API over the internet who was not named.
func TestPrivateByDefault(t *testing.T) {
	g := pulumitest.RunBoth(t, tooling(func(a *ekscluster.Args) { a.PublicAccessCIDRs = nil }), pulumitest.Options{})
	check(t, g)
	cluster := g.Get(t, clusterType, "tooling-eks")
	require.Equal(t, true, cluster.Get("endpointPrivateAccess"))
	require.Equal(t, false, cluster.Get("endpointPublicAccess"))
	require.Nil(t, cluster.Get("publicAccessCidrs"))
}

func TestEncryptionKey(t *testing.T) {
	g := pulumitest.Run(t, tooling(func(a *ekscluster.Args) { a.KMSDeletionWindowDays = 7 }), pulumitest.Options{})
	key := g.Get(t, keyType, "tooling-key")
	require.Equal(t, true, key.Get("enableKeyRotation"))
	require.Equal(t, 7.0, key.Get("deletionWindowInDays"))
	text, ok := key.Get("policy").(string)
	require.True(t, ok)
	var policy struct {
		Statement []struct {
			Effect    string
			Principal map[string][]string
			Action    []string
			Resource  []string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &policy))
	require.Len(t, policy.Statement, 1)
	require.Equal(t, map[string][]string{"AWS": {"arn:aws:iam::123456789012:root"}}, policy.Statement[0].Principal)
	for _, use := range []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt", "kms:GenerateDataKey"} {
		for _, action := range policy.Statement[0].Action {
			require.False(t, strings.HasPrefix(use, strings.TrimSuffix(action, "*")), "%q gives the account's policies %q: only EKS uses the key", action, use)
		}
	}
	for _, need := range []string{"kms:CreateGrant", "kms:DescribeKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"} {
		require.True(t, slices.ContainsFunc(policy.Statement[0].Action, func(action string) bool {
			prefix, open := strings.CutSuffix(action, "*")
			return action == need || open && strings.HasPrefix(need, prefix)
		}), "without %q the account loses its hold on the key, or EKS cannot get a grant", need)
	}
	alias := g.Get(t, aliasType, "tooling-key-alias")
	require.Equal(t, "alias/eks/tooling", alias.Get("name"))
	require.Equal(t, key.State["keyId"].StringValue(), alias.Get("targetKeyId"))

	key = pulumitest.Run(t, tooling(nil), pulumitest.Options{}).Get(t, keyType, "tooling-key")
	require.Equal(t, 30.0, key.Get("deletionWindowInDays"))
}

func TestLogs(t *testing.T) {
	g := pulumitest.Run(t, tooling(func(a *ekscluster.Args) {
		a.LogTypes, a.LogRetentionDays = []string{"audit", "api"}, 365
	}), pulumitest.Options{})
	group := g.Get(t, logGroupType, "tooling-logs")
	require.Equal(t, "/aws/eks/tooling/cluster", group.Get("name"), "EKS writes to no other")
	require.Equal(t, 365.0, group.Get("retentionInDays"))
	require.True(t, group.Protect, "the audit log is in it")
	require.Equal(t, []any{"audit", "api"}, g.Get(t, clusterType, "tooling-eks").Get("enabledClusterLogTypes"))

	group = pulumitest.Run(t, tooling(nil), pulumitest.Options{}).Get(t, logGroupType, "tooling-logs")
	require.Equal(t, 90.0, group.Get("retentionInDays"))
}

func TestAdmins(t *testing.T) {
	g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
	for name, arn := range map[string]string{
		"tooling-admin-123456789012-role-platform-admin": "arn:aws:iam::123456789012:role/team/platform-admin",
		"tooling-admin-123456789012-user-alex":           "arn:aws:iam::123456789012:user/alex",
	} {
		entry, access := g.Get(t, entryType, name), g.Get(t, accessType, name)
		require.Equal(t, arn, entry.Get("principalArn"))
		require.Equal(t, "STANDARD", entry.Get("type"))
		require.Nil(t, entry.Get("kubernetesGroups"))
		require.Equal(t, arn, access.Get("principalArn"))
		require.Equal(t, "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", access.Get("policyArn"))
		require.Equal(t, "cluster", access.Get("accessScope.type"))
		require.Equal(t, "tooling", entry.Get("clusterName"))
		require.Equal(t, "tooling", access.Get("clusterName"))
		require.True(t, g.DependsOn(access, entry))
		require.False(t, entry.Protect, "administrators come and go")
	}
	g = pulumitest.RunBoth(t, tooling(func(a *ekscluster.Args) { a.Admins = nil }), pulumitest.Options{})
	require.Empty(t, g.OfType(entryType))
}

func TestOutputs(t *testing.T) {
	var made *ekscluster.EksCluster
	g := pulumitest.Run(t, named("tooling", nil, func(c *ekscluster.EksCluster) { made = c }), pulumitest.Options{})
	component := g.Get(t, componentType, "tooling")
	for output, want := range map[string]string{
		"clusterName":            "tooling",
		"arn":                    "arn:aws:eks:",
		"endpoint":               "https://",
		"certificateAuthority":   "c2lt",
		"oidcIssuer":             "https://oidc.eks.",
		"clusterSecurityGroupId": "sg-",
		"nodeRoleArn":            "arn:aws:iam::123456789012:role/tooling-node-role",
		"kubeconfig":             `"get-token"`,
	} {
		require.Contains(t, component.Output(output), want, output)
		require.False(t, component.IsSecretOutput(output), "%s holds no credentials", output)
	}
	require.Equal(t, "tooling", made.Name)
	// 2 administrators, 6 add-ons, 2 node groups.
	require.Len(t, made.Ready, 10)
	require.Equal(t, "1.36", component.Get("version"), "the state shows what was asked for")
	require.Equal(t, "general", component.Get("nodeGroups.0.name"))
}

// What uses the cluster's name or kubeconfig is destroyed before the cluster.
func TestOutputsCarryTheOrder(t *testing.T) {
	g := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		var made *ekscluster.EksCluster
		if err := named("tooling", nil, func(c *ekscluster.EksCluster) { made = c })(ctx); err != nil {
			return err
		}
		uses := pulumi.Map{"name": made.ClusterName, "kubeconfig": made.Kubeconfig, "group": made.ClusterSecurityGroupID}
		for what, value := range uses {
			var r pulumi.CustomResourceState
			if err := ctx.RegisterResource("test:index:Use", what, pulumi.Map{"value": value}, &r); err != nil {
				return err
			}
		}
		return nil
	}, pulumitest.Options{Types: map[string]pulumitest.Type{"test:index:Use": {}}})
	cluster := g.Get(t, clusterType, "tooling-eks")
	for _, use := range g.OfType("test:index:Use") {
		require.True(t, g.DependsOn(use, cluster), "%s", use)
	}
}

// With Protect false nothing is protected, or a destroy would stop.
func TestProtectIsASwitch(t *testing.T) {
	g := pulumitest.Run(t, tooling(func(a *ekscluster.Args) { a.Protect = false }), pulumitest.Options{})
	for _, r := range g.ChildrenOf(g.Get(t, componentType, "tooling")) {
		require.False(t, r.Protect, "%s", r)
	}
}

// What comes and goes during the life of a cluster is not protected with it.
func TestOnlyWhatStaysIsProtected(t *testing.T) {
	g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
	var protected []string
	for _, r := range g.ChildrenOf(g.Get(t, componentType, "tooling")) {
		if r.Protect {
			protected = append(protected, r.Name)
		}
	}
	require.ElementsMatch(t, []string{"tooling-eks", "tooling-key", "tooling-logs"}, protected)
}

// A list in another order is the same cluster.
func TestOrderOfListsDoesNotMatter(t *testing.T) {
	g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
	other := pulumitest.Run(t, tooling(func(a *ekscluster.Args) {
		slices.Reverse(a.NodeGroups)
		slices.Reverse(a.Admins)
		a.Addons = ekscluster.DefaultAddons()
		slices.Reverse(a.Addons)
	}), pulumitest.Options{})
	require.NoError(t, g.SameResources(other))
	for _, typ := range []string{nodeGroupType, entryType, addonType, templateType} {
		for _, r := range g.OfType(typ) {
			require.Equal(t, r.Plain(), other.Get(t, typ, r.Name).Plain(), "%s", r)
		}
	}
}

// Names of roles end at 64 characters, those of node groups at 63.
func TestLongestNamesFit(t *testing.T) {
	name := "n" + strings.Repeat("x", 31)
	g := pulumitest.Run(t, named(name, func(a *ekscluster.Args) {
		a.ClusterName = "c" + strings.Repeat("y", 99)
		a.NodeGroups[0].Name = strings.Repeat("g", 32)
	}, nil), pulumitest.Options{})
	for _, role := range g.OfType(roleType) {
		require.LessOrEqual(t, len(role.Name+"-1234567"), 64, "%s", role)
	}
	for _, group := range g.OfType(nodeGroupType) {
		prefix, ok := group.Get("nodeGroupNamePrefix").(string)
		require.True(t, ok)
		require.LessOrEqual(t, len(prefix)+26, 63, "%s", group)
	}
}

func subnetIDs(g *pulumitest.Graph) []any {
	var ids []any
	for _, subnet := range g.OfType("aws:ec2/subnet:Subnet") {
		ids = append(ids, subnet.ID)
	}
	return ids
}
