package account

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClusterLifecycle(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	require.Equal(t, "tooling", cluster.ID)
	require.Equal(t, "1.34", w.cp.running["tooling"])
	out := cluster.Outputs
	require.Equal(t, "arn:aws:eks:eu-central-1:123456789012:cluster/tooling", out["arn"])
	require.Equal(t, "ACTIVE", out["status"])
	require.Equal(t, "https://127.0.0.1:6443", out["endpoint"])
	require.Equal(t, m{"data": "Q0E="}, out["certificateAuthority"])
	require.Equal(t, l(m{"oidcs": l(m{"issuer": "https://127.0.0.1:6443/oidc/tooling"})}), out["identities"])
	require.NotEmpty(t, out["platformVersion"])
	require.Equal(t, w.vpc.ID, Props(out).Props("vpcConfig").String("vpcId"))
	w.settled(cluster)

	group := Props(out).Props("vpcConfig").String("clusterSecurityGroupId")
	made := w.read(&Object{Type: typeSecurityGroup, ID: group})
	require.Regexp(t, `^eks-cluster-sg-tooling-\d+$`, made.Outputs["name"])
	require.Len(t, made.Outputs["ingress"], 1)
	require.Len(t, made.Outputs["egress"], 1)
	refused(t, w.delete(made), "DependencyViolation")
	for _, subnet := range []*Object{w.subnetA, w.subnetB} {
		refused(t, w.delete(subnet), "DependencyViolation")
	}
	refused(t, w.delete(w.group), "DependencyViolation")

	require.NoError(t, w.delete(cluster))
	require.NoError(t, w.delete(w.group))
	require.Empty(t, w.cp.running)
	require.NotContains(t, ids(w.a.Objects()), group)
	gone(t, w.delete(cluster))
	require.NoError(t, w.delete(w.subnetA))
	require.NoError(t, w.delete(w.subnetB))
}

func TestClusterIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(w *eksWorld) m
		code   string
	}{
		"no such role": {func(*eksWorld) m { return m{"roleArn": "arn:aws:iam::123456789012:role/nobody"} }, "InvalidParameterException"},
		"a role that does not trust EKS": {
			func(w *eksWorld) m { return m{"roleArn": w.nodeRole.Outputs["arn"]} }, "InvalidParameterException"},
		"a role without rights": {
			func(w *eksWorld) m { return w.without(w.clusterPolicy) }, "InvalidParameterException"},
		"an old version":    {func(*eksWorld) m { return m{"version": "1.20"} }, "InvalidParameterException"},
		"a version to come": {func(*eksWorld) m { return m{"version": "1.99"} }, "InvalidParameterException"},
		"one zone":          {func(w *eksWorld) m { return m{"vpcConfig": w.vpcConfig(m{"subnetIds": l(w.subnetA.ID)})} }, "InvalidParameterException"},
		"no such subnet":    {func(w *eksWorld) m { return m{"vpcConfig": w.vpcConfig(m{"subnetIds": l(w.subnetA.ID, "subnet-0")})} }, "InvalidParameterException"},
		"no such group":     {func(w *eksWorld) m { return m{"vpcConfig": w.vpcConfig(m{"securityGroupIds": l("sg-0")})} }, "InvalidParameterException"},
		"no such key": {func(*eksWorld) m {
			return m{"encryptionConfig": m{"provider": m{"keyArn": "arn:aws:kms:eu-central-1:123456789012:key/none"}, "resources": l("secrets")}}
		}, "InvalidParameterException"},
		"subnets of two VPCs": {func(w *eksWorld) m {
			other := w.subnet(w.world.vpc("10.1.0.0/16"), "10.1.0.0/24", "b")
			return m{"vpcConfig": w.vpcConfig(m{"subnetIds": l(w.subnetA.ID, other.ID)})}
		}, "InvalidParameterException"},
		"a group of another VPC": {func(w *eksWorld) m {
			other := w.world.vpc("10.1.0.0/16")
			return m{"vpcConfig": w.vpcConfig(m{"securityGroupIds": l(other.Outputs["defaultSecurityGroupId"])})}
		}, "InvalidParameterException"},
		"a name that is taken": {func(w *eksWorld) m { w.cluster(); return nil }, "ResourceInUseException"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEKSWorld(t)
			changes := test.change(w)
			before := len(w.a.Objects())
			_, err := w.try(typeCluster, w.clusterInputs(changes))
			refused(t, err, test.code)
			require.Len(t, w.a.Objects(), before, "a refused creation leaves nothing")
		})
	}
}

func TestOneClusterOfANameInAllRegions(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	_, err := w.tryIn("eu-west-1", typeCluster, w.clusterInputs(nil))
	refused(t, err, "ResourceInUseException")
	require.ErrorContains(t, err, "all its regions")
}

func TestClusterInputsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		change func(w *eksWorld) m
		want   string
	}{
		"a wrong name":          {func(*eksWorld) m { return m{"name": "-x"} }, "not a cluster name"},
		"aws-auth":              {func(*eksWorld) m { return m{"accessConfig": m{"authenticationMode": "CONFIG_MAP"}} }, "access entries and no aws-auth"},
		"aws-auth, by default":  {func(*eksWorld) m { return m{"accessConfig": nil} }, "access entries and no aws-auth"},
		"no endpoint":           {func(w *eksWorld) m { return m{"vpcConfig": w.vpcConfig(m{"endpointPrivateAccess": false})} }, "nothing reaches the cluster"},
		"no subnets":            {func(w *eksWorld) m { return m{"vpcConfig": w.vpcConfig(m{"subnetIds": l()})} }, "subnetIds: is required"},
		"a CIDR with host bits": {func(w *eksWorld) m { return m{"vpcConfig": w.vpcConfig(m{"publicAccessCidrs": l("198.51.100.1/24")})} }, "did you mean"},
		"another resource": {func(w *eksWorld) m {
			return m{"encryptionConfig": m{"provider": m{"keyArn": "x"}, "resources": l("configmaps")}}
		}, `only "secrets"`},
		"another log":            {func(*eksWorld) m { return m{"enabledClusterLogTypes": l("kubelet")} }, "expected one of"},
		"AWS's security group":   {func(w *eksWorld) m { return m{"vpcConfig": w.vpcConfig(m{"clusterSecurityGroupId": "sg-0"})} }, "not modelled"},
		"a network for Services": {func(*eksWorld) m { return m{"kubernetesNetworkConfig": m{"serviceIpv4Cidr": "10.100.0.0/16"}} }, "not modelled"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEKSWorld(t)
			_, err := w.try(typeCluster, w.clusterInputs(test.change(w)))
			require.ErrorContains(t, err, test.want)
		})
	}
	cluster, err := Lookup(typeCluster)
	require.NoError(t, err)
	_, failures := cluster.Check(nil, m{"roleArn": Unknown{}, "vpcConfig": m{"subnetIds": Unknown{}}, "accessConfig": m{"authenticationMode": "API"},
		"encryptionConfig": m{"provider": m{"keyArn": Unknown{}}, "resources": l("secrets")}, "enabledClusterLogTypes": Unknown{}}, "cluster", nil)
	require.Empty(t, failures, "what a preview does not know yet")
}

// What terraform-provider-aws replaces and what it updates.
func TestClusterDiff(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	fixedName := func(keys ...string) Diff { return Diff{Changed: keys, Replaces: keys, DeleteBeforeReplace: true} }
	for name, test := range map[string]struct {
		changes m
		want    Diff
	}{
		"a tag":               {m{"tags": m{"Name": "other"}}, Diff{Changed: []string{"tags"}}},
		"the version":         {m{"version": "1.35"}, Diff{Changed: []string{"version"}}},
		"version left to AWS": {m{"version": nil}, Diff{}},
		"logs, reordered":     {m{"enabledClusterLogTypes": l("api", "audit")}, Diff{}},
		"other logs":          {m{"enabledClusterLogTypes": l("api")}, Diff{Changed: []string{"enabledClusterLogTypes"}}},
		"other subnets":       {m{"vpcConfig": w.vpcConfig(m{"subnetIds": Unknown{}})}, Diff{Changed: []string{"vpcConfig"}}},
		"public access":       {m{"vpcConfig": w.vpcConfig(m{"endpointPublicAccess": true})}, Diff{Changed: []string{"vpcConfig"}}},
		"the role":            {m{"roleArn": "arn:aws:iam::123456789012:role/other"}, fixedName("roleArn")},
		"no encryption":       {m{"encryptionConfig": nil}, fixedName("encryptionConfig")},
		"the creator's rights": {m{"accessConfig": m{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": false}},
			fixedName("accessConfig")},
		"its own add-ons": {m{"bootstrapSelfManagedAddons": false}, fixedName("bootstrapSelfManagedAddons")},
		"the name":        {m{"name": "other"}, Diff{Changed: []string{"name"}, Replaces: []string{"name"}}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, w.diff(cluster, test.changes)) })
	}
}

func TestClusterGoesUpOneVersionAtATime(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	refused(t, w.update(cluster, m{"version": "1.33"}), "InvalidParameterException")
	refused(t, w.update(cluster, m{"version": "1.36"}), "InvalidParameterException")
	refused(t, w.update(cluster, m{"version": "1.34.1"}), "InvalidParameterException")
	require.Equal(t, "1.34", w.cp.running["tooling"])
	require.NoError(t, w.update(cluster, m{"version": "1.35"}))
	require.Equal(t, "1.35", w.cp.running["tooling"])
	require.Equal(t, "ACTIVE", w.read(cluster).Outputs["status"])
	refused(t, w.update(cluster, m{"version": "1.34"}), "InvalidParameterException")
	w.settled(cluster)
}

func TestClusterTakesOtherSubnetsOfItsZones(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	largerA, largerB := w.subnet(w.vpc, "10.0.16.0/20", "a"), w.subnet(w.vpc, "10.0.32.0/20", "b")
	elsewhere := w.subnet(w.vpc, "10.0.48.0/20", "c")
	refused(t, w.update(cluster, m{"vpcConfig": w.vpcConfig(m{"subnetIds": l(largerA.ID, elsewhere.ID)})}), "InvalidParameterException")
	require.NoError(t, w.update(cluster, m{"vpcConfig": w.vpcConfig(m{"subnetIds": l(largerA.ID, largerB.ID)})}))
	w.settled(cluster)
	require.NoError(t, w.delete(w.subnetA), "the interfaces have moved")
	refused(t, w.delete(largerA), "DependencyViolation")
}

func TestClusterKeepsItsKey(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	other := w.create(typeKey, m{})
	refused(t, w.update(cluster, m{"encryptionConfig": m{"provider": m{"keyArn": other.Outputs["arn"]}, "resources": l("secrets")}}), "InvalidRequestException")
}

func TestClusterWithNodeGroupsIsNotDeleted(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	w.network()
	group := w.nodeGroup(nil)
	refused(t, w.delete(cluster), "ResourceInUseException")
	require.NoError(t, w.delete(group))
	require.NoError(t, w.delete(cluster))
	for _, o := range w.a.Objects() {
		require.NotContains(t, []string{typeAddon, typeAccessEntry, typeAccessPolicyAssociation, typePodIdentityAssociation, typeNetworkInterface}, o.Type,
			"what is in a cluster goes with it")
	}
}

// Where the program does not make the log group first, EKS does, and the
// program can no longer make it.
func TestClusterMakesItsLogGroup(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.create(typeCluster, w.clusterInputs(nil))
	group := &Object{Type: typeLogGroup, ID: "/aws/eks/tooling/cluster"}
	require.Contains(t, ids(w.a.Objects()), group.ID)
	require.NoError(t, w.delete(cluster))
	require.Contains(t, ids(w.a.Objects()), group.ID, "it stays, as in AWS")
}

func ids(objects []Object) []string {
	var out []string
	for _, o := range objects {
		out = append(out, o.ID)
	}
	return out
}

func TestClusterSecurityGroupInUseStays(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	group := Props(cluster.Outputs).Props("vpcConfig").String("clusterSecurityGroupId")
	w.plant(typeNetworkInterface, "eni-0", m{"subnetId": w.subnetA.ID, "vpcId": w.vpc.ID, "securityGroups": l(group)})
	require.NoError(t, w.delete(cluster))
	require.Contains(t, ids(w.a.Objects()), group, "AWS leaves a group that is in use")
}

func TestClusterThatDoesNotStartIsRolledBack(t *testing.T) {
	w := newEKSWorld(t)
	before := w.a.Objects()
	w.cp.fail = errors.New("no port is free")
	_, err := w.try(typeCluster, w.clusterInputs(nil))
	require.ErrorContains(t, err, "no port is free")
	require.Equal(t, before, w.a.Objects())
	w.cp.fail = nil
	w.cluster()
}

func TestFailedUpgradeKeepsTheVersion(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	before := w.read(cluster)
	w.cp.fail = errors.New("the binary is damaged")
	require.ErrorContains(t, w.update(cluster, m{"version": "1.35"}), "the binary is damaged")
	require.Equal(t, before, w.read(cluster))
}

// A process that is killed leaves the object in its state; the next one undoes a
// creation and finishes an upgrade and a deletion.
func TestKilledOperationsAreRecovered(t *testing.T) {
	for name, test := range map[string]struct {
		state   State
		pending bool
		want    string // version afterwards; empty: no cluster
	}{
		"creating": {Creating, false, ""},
		"updating": {Updating, true, "1.35"},
		"deleting": {Deleting, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir, cp := t.TempDir(), newPlanes()
			a, err := Open(dir, cp, Options{})
			require.NoError(t, err)
			w := newEKSWorldOn(t, &world{t: t, a: a, cp: cp})
			before := w.a.Objects()
			cluster := w.create(typeCluster, w.clusterInputs(m{"enabledClusterLogTypes": nil}))
			require.NoError(t, a.Edit(typeCluster, cluster.ID, func(o *Object) {
				o.State = test.state
				if test.pending {
					o.Pending = with(o.Inputs, m{"version": "1.35"})
				}
			}))
			require.NoError(t, a.Close())

			a, err = Open(dir, cp, Options{})
			require.NoError(t, err)
			defer func() { require.NoError(t, a.Close()) }()
			require.Equal(t, test.want, cp.running["tooling"])
			if test.want == "" {
				require.Equal(t, before, a.Objects())
				return
			}
			current, err := a.Read(t.Context(), typeCluster, "tooling")
			require.NoError(t, err)
			require.Equal(t, test.want, current.Outputs["version"])
			require.Equal(t, "ACTIVE", current.Outputs["status"])
			require.Empty(t, current.State)
		})
	}
}

func TestNothingIsMadeInAClusterThatIsBeingMade(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	require.NoError(t, w.a.Edit(typeCluster, "tooling", func(o *Object) { o.State = Deleting }))
	_, err := w.try(typeAddon, m{"clusterName": "tooling", "addonName": "vpc-cni"})
	refused(t, err, "ResourceInUseException")
}

// The versions here are those that the component takes.
func TestVersionsAreTheComponents(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "components", "ekscluster", "versions.go"), nil, 0)
	require.NoError(t, err)
	var versions []string
	ast.Inspect(file, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
			version, err := strconv.Unquote(text.Value)
			require.NoError(t, err)
			versions = append(versions, version)
		}
		return true
	})
	require.Equal(t, kubernetesVersions, versions)
}
