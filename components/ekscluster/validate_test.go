package ekscluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

// Every error names the key, says what was expected and what to do, and comes
// before anything is registered.
func TestValidate(t *testing.T) {
	group := func(change func(*ekscluster.NodeGroup)) func(*ekscluster.Args) {
		return func(a *ekscluster.Args) { change(&a.NodeGroups[0]) }
	}
	ranges := func(cidrs ...string) func(*ekscluster.Args) {
		return func(a *ekscluster.Args) { a.PublicAccessCIDRs = cidrs }
	}
	admins := func(arns ...string) func(*ekscluster.Args) {
		return func(a *ekscluster.Args) { a.Admins = arns }
	}
	addons := func(list ...ekscluster.Addon) func(*ekscluster.Args) {
		return func(a *ekscluster.Args) { a.Addons = list }
	}
	label := func(key, value string) func(*ekscluster.Args) {
		return group(func(g *ekscluster.NodeGroup) { g.Labels = map[string]string{key: value} })
	}
	cni, agent := ekscluster.Addon{Name: "vpc-cni"}, ekscluster.Addon{Name: "eks-pod-identity-agent"}
	var many []string
	for i := range 41 {
		many = append(many, fmt.Sprintf("198.51.100.%d/32", i))
	}
	for name, test := range map[string]struct {
		change func(*ekscluster.Args)
		want   string
	}{
		"no name":             {func(a *ekscluster.Args) { a.ClusterName = "" }, `cluster.name: "" is not a cluster name: use at most 100 letters, digits, hyphens and underscores, beginning with a letter or digit`},
		"name with a dot":     {func(a *ekscluster.Args) { a.ClusterName = "a.b" }, `cluster.name: "a.b" is not a cluster name`},
		"long name":           {func(a *ekscluster.Args) { a.ClusterName = strings.Repeat("n", 101) }, `is not a cluster name: use at most 100`},
		"no version":          {func(a *ekscluster.Args) { a.Version = "" }, `cluster.version: Kubernetes "" is not supported: use one of 1.34, 1.35, 1.36`},
		"version too old":     {func(a *ekscluster.Args) { a.Version = "1.33" }, `cluster.version: Kubernetes "1.33" is not supported: use one of 1.34, 1.35, 1.36`},
		"version of a patch":  {func(a *ekscluster.Args) { a.Version = "1.36.1" }, `cluster.version: Kubernetes "1.36.1" is not supported`},
		"no vpc":              {func(a *ekscluster.Args) { a.VPCID = nil }, `cluster.vpcId is missing: give the VPC that the subnets are in`},
		"no subnets":          {func(a *ekscluster.Args) { a.PrivateSubnetIDs = nil }, `cluster.privateSubnetIds are missing: give private subnets of at least two zones`},
		"retention":           {func(a *ekscluster.Args) { a.LogRetentionDays = 100 }, `cluster.logRetentionDays: CloudWatch Logs does not take 100: use one of 1, 3, 5, 7, 14, 30, 60, 90, 120,`},
		"deletion window":     {func(a *ekscluster.Args) { a.KMSDeletionWindowDays = 6 }, `cluster.kmsDeletionWindowDays: 6 is out of range: use 7 to 30`},
		"long window":         {func(a *ekscluster.Args) { a.KMSDeletionWindowDays = 31 }, `cluster.kmsDeletionWindowDays: 31 is out of range: use 7 to 30`},
		"log type":            {func(a *ekscluster.Args) { a.LogTypes = []string{"Audit"} }, `cluster.logTypes: "Audit" is not a log of the control plane: use api, audit, authenticator, controllerManager, scheduler`},
		"log type twice":      {func(a *ekscluster.Args) { a.LogTypes = []string{"api", "api"} }, `cluster.logTypes: "api" is given twice: leave one out`},
		"range":               {ranges("198.51.100.7"), `cluster.publicAccessCidrs: "198.51.100.7" is no IPv4 range: use one such as "198.51.100.0/24"`},
		"range: IPv6":         {ranges("2001:db8::/32"), `cluster.publicAccessCidrs: "2001:db8::/32" is no IPv4 range`},
		"range: bits":         {ranges("198.51.100.7/24"), `cluster.publicAccessCidrs: "198.51.100.7/24" has bits set after its prefix: use "198.51.100.0/24"`},
		"range: everyone":     {ranges("0.0.0.0/0"), `cluster.publicAccessCidrs: "0.0.0.0/0" opens the Kubernetes API to everyone: name the ranges you come from, each of /8 or longer`},
		"range: two halves":   {ranges("0.0.0.0/1", "128.0.0.0/1"), `cluster.publicAccessCidrs: "0.0.0.0/1" opens the Kubernetes API to everyone`},
		"range: private":      {ranges("10.0.0.0/16"), `cluster.publicAccessCidrs: "10.0.0.0/16" is private, and does not occur on the internet: leave it out, the private endpoint needs no range`},
		"range: loopback":     {ranges("127.0.0.1/32"), `cluster.publicAccessCidrs: "127.0.0.1/32" is private`},
		"range: twice":        {ranges("198.51.100.0/24", "198.51.100.0/24"), `cluster.publicAccessCidrs: "198.51.100.0/24" is given twice: leave one out`},
		"ranges: too many":    {ranges(many...), `cluster.publicAccessCidrs: 41 ranges are given, EKS takes 40: join or remove some`},
		"admin":               {admins("alex"), `cluster.admins: "alex" is not the ARN of an IAM role or user: use one such as "arn:aws:iam::123456789012:role/platform-admin"`},
		"admin: everybody":    {admins("arn:aws:iam::123456789012:root"), `cluster.admins: "arn:aws:iam::123456789012:root" is not the ARN of an IAM role or user`},
		"admin: session":      {admins("arn:aws:sts::123456789012:assumed-role/admin/alex"), `cluster.admins: "arn:aws:sts::123456789012:assumed-role/admin/alex" is a session of a role: use the role itself, arn:aws:iam::<account>:role/<name>`},
		"admin: twice":        {admins("arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/x/a"), `cluster.admins: "arn:aws:iam::123456789012:role/a" and "arn:aws:iam::123456789012:role/x/a" are the same role or user: leave one out`},
		"no node groups":      {func(a *ekscluster.Args) { a.NodeGroups = nil }, `cluster.nodeGroups: none is given: add one, or the add-ons have nowhere to run`},
		"group twice":         {func(a *ekscluster.Args) { a.NodeGroups[1].Name = "general" }, `cluster.nodeGroups[general]: the name is given twice: use names that differ`},
		"group: name":         {group(func(g *ekscluster.NodeGroup) { g.Name = "General" }), `cluster.nodeGroups[General]: name "General" is not possible: use at most 32 lower-case letters, digits and hyphens`},
		"group: long name":    {group(func(g *ekscluster.NodeGroup) { g.Name = strings.Repeat("g", 33) }), `is not possible: use at most 32`},
		"group: no types":     {group(func(g *ekscluster.NodeGroup) { g.InstanceTypes = nil }), `cluster.nodeGroups[general]: instanceTypes are missing: give at least one, such as "m7i.large"`},
		"group: type":         {group(func(g *ekscluster.NodeGroup) { g.InstanceTypes = []string{"large"} }), `cluster.nodeGroups[general]: instanceTypes: "large" is not an EC2 instance type: use one such as "m7i.large"`},
		"group: type twice":   {group(func(g *ekscluster.NodeGroup) { g.InstanceTypes = []string{"m7i.large", "m7i.large"} }), `cluster.nodeGroups[general]: instanceTypes: "m7i.large" is given twice: leave one out`},
		"group: processors":   {group(func(g *ekscluster.NodeGroup) { g.InstanceTypes = []string{"m7i.large", "m7g.large"} }), `cluster.nodeGroups[general]: instanceTypes: "m7i.large" and "m7g.large" have different processors: put them into different groups`},
		"group: min":          {group(func(g *ekscluster.NodeGroup) { g.Min = -1 }), `cluster.nodeGroups[general]: min -1 is negative: use 0 or more`},
		"group: max":          {group(func(g *ekscluster.NodeGroup) { g.Min, g.Max, g.Desired = 0, 0, 0 }), `cluster.nodeGroups[general]: max 0 is too small: use 1 or more`},
		"group: min over max": {group(func(g *ekscluster.NodeGroup) { g.Min = 7 }), `cluster.nodeGroups[general]: min 7 is greater than max 6: lower min or raise max`},
		"group: desired":      {group(func(g *ekscluster.NodeGroup) { g.Desired = 1 }), `cluster.nodeGroups[general]: desired 1 is not between min 2 and max 6: use a number that is`},
		"group: small disk":   {group(func(g *ekscluster.NodeGroup) { g.DiskGiB = 19 }), `cluster.nodeGroups[general]: diskGiB 19 is out of range: use 20 to 16384`},
		"group: large disk":   {group(func(g *ekscluster.NodeGroup) { g.DiskGiB = 16385 }), `cluster.nodeGroups[general]: diskGiB 16385 is out of range: use 20 to 16384`},
		"group: capacity":     {group(func(g *ekscluster.NodeGroup) { g.CapacityType = "spot" }), `cluster.nodeGroups[general]: capacityType "spot" is unknown: use ON_DEMAND or SPOT`},
		"label: key":          {label("a b", "x"), `cluster.nodeGroups[general]: labels: "a b" is not the key of a Kubernetes label: use at most 63 letters, digits, - _ and ., with a domain and / before them or without`},
		"label: long domain":  {label(strings.Repeat("a", 254)+"/x", "x"), "is not the key of a Kubernetes label"},
		"label: reserved":     {label("node-role.kubernetes.io/x", "x"), `cluster.nodeGroups[general]: labels: "node-role.kubernetes.io/x" belongs to Kubernetes or EKS: use a prefix of your own`},
		"label: EKS's":        {label("eks.amazonaws.com/nodegroup", "x"), `labels: "eks.amazonaws.com/nodegroup" belongs to Kubernetes or EKS: use a prefix of your own`},
		"label: value":        {label("use", "-"), `cluster.nodeGroups[general]: labels: "-", the value of "use", is not that of a Kubernetes label: use at most 63 letters, digits, - _ and ., beginning and ending with a letter or digit`},
		"add-on: name":        {addons(cni, agent, ekscluster.Addon{Name: "CoreDNS"}), "cluster.addons: \"CoreDNS\" is not the name of an EKS add-on: use one that `aws eks describe-addon-versions` lists"},
		"add-on: twice":       {addons(cni, agent, cni), `cluster.addons[vpc-cni]: the add-on is given twice: leave one out`},
		"add-on: no network":  {addons(agent), `cluster.addons: "vpc-cni" is missing, and without it no node becomes ready: add it`},
		"add-on: no agent":    {addons(cni), `cluster.addons: "eks-pod-identity-agent" is missing, and without it no node becomes ready: add it`},
		"add-on: no JSON": {addons(cni, agent, ekscluster.Addon{Name: "coredns", Configuration: map[string]any{"f": func() {}}}),
			`cluster.addons[coredns]: configuration is not JSON: json: unsupported type: func(): use strings, numbers, booleans, lists and maps`},
		"tags": {func(a *ekscluster.Args) { a.Tags = tags.Tags{"aws:x": "y"} }, `tags: key "aws:x" starts with "aws:", which AWS keeps for itself: use another prefix`},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := pulumitest.RunErr(tooling(test.change), pulumitest.Options{})
			require.ErrorContains(t, err, test.want)
			require.Empty(t, g.OfType(componentType))
			require.Empty(t, g.OfType(keyType))
		})
	}
	_, err := ekscluster.New(nil, "tooling", nil)
	require.EqualError(t, err, "cluster: the arguments are nil")
}

func TestValidateComponentName(t *testing.T) {
	args := &ekscluster.Args{
		ClusterName: "tooling", Version: "1.36", VPCID: pulumi.String("vpc-1"), PrivateSubnetIDs: pulumi.StringArray{},
		NodeGroups: []ekscluster.NodeGroup{{Name: "general", InstanceTypes: []string{"m7i.large"}, Max: 1}},
	}
	for name, want := range map[string]string{
		strings.Repeat("n", 33): `the name has 33 characters, but IAM role names end at 64: use at most 32`,
		"":                      `cluster component "": the name becomes part of IAM role names: use letters, digits and hyphens, beginning with a letter`,
		"team/tooling":          `cluster component "team/tooling": the name becomes part of IAM role names`,
	} {
		g, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
			_, err := ekscluster.New(ctx, name, args)
			return err
		}, pulumitest.Options{})
		require.ErrorContains(t, err, want)
		require.Empty(t, g.Resources)
	}
}

// Every supported version is accepted, and they are in order without a gap: EKS
// goes up one minor version at a time.
func TestSupportedVersions(t *testing.T) {
	var before int
	for i, version := range ekscluster.SupportedVersions {
		var minor int
		_, err := fmt.Sscanf(version, "1.%d", &minor)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("1.%d", minor), version)
		if i > 0 {
			require.Equal(t, before+1, minor)
		}
		before = minor
		g := pulumitest.Run(t, tooling(func(a *ekscluster.Args) { a.Version = version }), pulumitest.Options{})
		require.Equal(t, version, g.Get(t, clusterType, "tooling-eks").Get("version"))
		require.Equal(t, version, g.Get(t, nodeGroupType, "tooling-general").Get("version"))
	}
}
