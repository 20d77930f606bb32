package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func (w *eksWorld) nodes(group *Object) []Object {
	return w.a.filter(func(o *Object) bool { return o.Type == typeNetworkInterface && o.Owner == group.key() })
}

func TestNodeGroupLifecycle(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	w.network()
	template := w.template(nil)
	group := w.nodeGroup(m{"launchTemplate": m{"id": template.ID, "version": "1"}})
	require.Regexp(t, `^tooling:tooling-system-\d{18}[0-9a-f]{8}$`, group.ID)
	require.Len(t, Props(group.Outputs).String("nodeGroupName"), len("tooling-system-")+uniqueSuffix)
	require.Equal(t, "ACTIVE", group.Outputs["status"])
	require.Equal(t, m{"id": template.ID, "name": template.Outputs["name"], "version": "1"}, group.Outputs["launchTemplate"])
	require.Len(t, w.nodes(group), 3)
	clusterGroup := Props(cluster.Outputs).Props("vpcConfig").String("clusterSecurityGroupId")
	for _, node := range w.nodes(group) {
		require.Equal(t, l(clusterGroup), node.Outputs["securityGroups"])
	}
	w.settled(group)
	require.Len(t, w.nodes(group), 3)

	require.NoError(t, w.update(group, m{"scalingConfig": m{"minSize": 1, "maxSize": 5, "desiredSize": 5}}))
	require.Len(t, w.nodes(group), 5)
	require.NoError(t, w.update(group, m{"scalingConfig": m{"minSize": 1, "maxSize": 5, "desiredSize": 1}}))
	require.Len(t, w.nodes(group), 1)
	require.NoError(t, w.delete(group))
	require.Empty(t, w.nodes(group))
}

// A subnet and a security group cannot go before the nodes in them.
func TestNodesBlockWhatTheyStandIn(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	w.network()
	subnet := w.subnet(w.vpc, "10.0.2.0/24", "a")
	group := w.nodeGroup(m{"subnetIds": l(subnet.ID)})
	refused(t, w.delete(subnet), "DependencyViolation")
	require.NoError(t, w.delete(group))
	require.NoError(t, w.delete(subnet))
}

func TestNodeGroupIsRefused(t *testing.T) {
	scaling := func(least, wanted, most int) m {
		return m{"scalingConfig": m{"minSize": least, "desiredSize": wanted, "maxSize": most}}
	}
	for name, test := range map[string]struct {
		change func(w *eksWorld) m
		code   string
	}{
		"no such cluster":          {func(*eksWorld) m { return m{"clusterName": "other"} }, "ResourceNotFoundException"},
		"no such role":             {func(*eksWorld) m { return m{"nodeRoleArn": "arn:aws:iam::123456789012:role/nobody"} }, "InvalidParameterException"},
		"a role not for EC2":       {func(w *eksWorld) m { return m{"nodeRoleArn": w.podRole.Outputs["arn"]} }, "InvalidParameterException"},
		"no such subnet":           {func(*eksWorld) m { return m{"subnetIds": l("subnet-0")} }, "InvalidParameterException"},
		"min above desired":        {func(*eksWorld) m { return scaling(3, 2, 5) }, "InvalidParameterException"},
		"desired above max":        {func(*eksWorld) m { return scaling(1, 6, 5) }, "InvalidParameterException"},
		"ahead of the cluster":     {func(*eksWorld) m { return m{"version": "1.35"} }, "InvalidParameterException"},
		"unknown version":          {func(*eksWorld) m { return m{"version": "1.2"} }, "InvalidParameterException"},
		"another processor":        {func(*eksWorld) m { return m{"instanceTypes": l("m7g.large")} }, "InvalidParameterException"},
		"no such instance type":    {func(*eksWorld) m { return m{"instanceTypes": l("large")} }, "InvalidParameterException"},
		"no such launch template":  {func(*eksWorld) m { return m{"launchTemplate": m{"id": "lt-0", "version": "1"}} }, "InvalidRequestException"},
		"no such template version": {func(w *eksWorld) m { return m{"launchTemplate": m{"id": w.template(nil).ID, "version": "2"}} }, "InvalidParameterException"},
		"two sizes of disk": {func(w *eksWorld) m {
			return m{"diskSize": 20, "launchTemplate": m{"id": w.template(nil).ID, "version": "1"}}
		}, "InvalidParameterException"},
		"a name that is taken": {func(w *eksWorld) m {
			w.nodeGroup(m{"nodeGroupName": "a", "nodeGroupNamePrefix": nil})
			return m{"nodeGroupName": "a", "nodeGroupNamePrefix": nil}
		}, "ResourceInUseException"},
		"no rights to join":         {func(w *eksWorld) m { return w.without(w.worker) }, "NodeCreationFailure"},
		"no rights to pull images":  {func(w *eksWorld) m { return w.without(w.pull) }, "NodeCreationFailure"},
		"no rights for the network": {func(w *eksWorld) m { return w.without(w.cni) }, "NodeCreationFailure"},
		"subnets of another VPC": {func(w *eksWorld) m {
			return m{"subnetIds": l(w.subnet(w.world.vpc("10.1.0.0/16"), "10.1.0.0/24", "a").ID)}
		}, "InvalidParameterException"},
		"a group of another VPC": {func(w *eksWorld) m {
			template := w.template(m{"vpcSecurityGroupIds": l(w.world.vpc("10.1.0.0/16").Outputs["defaultSecurityGroupId"])})
			return m{"launchTemplate": m{"id": template.ID, "version": "1"}}
		}, "InvalidParameterException"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEKSWorld(t)
			w.cluster()
			w.network()
			inputs := w.nodeGroupInputs(test.change(w))
			before := w.a.Objects()
			_, err := w.try(typeNodeGroup, inputs)
			refused(t, err, test.code)
			require.Equal(t, before, w.a.Objects(), "a refused creation leaves nothing")
		})
	}
}

// Without the first add-ons no node becomes ready, whichever of them is missing.
func TestNodesNeedTheFirstAddons(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	cni, agent := w.network()
	require.NoError(t, w.delete(agent))
	_, err := w.try(typeNodeGroup, w.nodeGroupInputs(nil))
	refused(t, err, "NodeCreationFailure")
	w.create(typeAddon, m{"clusterName": "tooling", "addonName": "eks-pod-identity-agent"})
	require.NoError(t, w.delete(cni))
	_, err = w.try(typeNodeGroup, w.nodeGroupInputs(nil))
	refused(t, err, "NodeCreationFailure")
	w.nodeGroup(m{"scalingConfig": m{"minSize": 0, "maxSize": 5, "desiredSize": 0}})
}

func TestNodeGroupInputsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		changes m
		want    string
	}{
		"both names":        {m{"nodeGroupName": "a"}, "cannot be given together"},
		"a long prefix":     {m{"nodeGroupNamePrefix": strings.Repeat("a", 38)}, "at most 37"},
		"negative min":      {m{"scalingConfig": m{"minSize": -1, "maxSize": 1, "desiredSize": 1}}, "at least 0"},
		"no max":            {m{"scalingConfig": m{"minSize": 0, "maxSize": 0, "desiredSize": 0}}, "at least 1"},
		"another image":     {m{"amiType": "AL1"}, "expected one of"},
		"another capacity":  {m{"capacityType": "FREE"}, "expected one of"},
		"no subnets":        {m{"subnetIds": l()}, "subnetIds: is required"},
		"both ways":         {m{"updateConfig": m{"maxUnavailable": 1, "maxUnavailablePercentage": 33}}, "not both"},
		"more than all":     {m{"updateConfig": m{"maxUnavailablePercentage": 101}}, "1 to 100"},
		"an unknown effect": {m{"taints": l(m{"key": "a", "effect": "NoSchedule"})}, "expected one of"},
		"SSH":               {m{"remoteAccess": m{"ec2SshKey": "key"}}, "not modelled"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEKSWorld(t)
			_, err := w.try(typeNodeGroup, w.nodeGroupInputs(test.changes))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestNodeGroupDiff(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	w.network()
	template := w.template(nil)
	group := w.nodeGroup(m{"launchTemplate": m{"id": template.ID, "version": "1"}})
	replaced := func(keys ...string) Diff { return Diff{Changed: keys, Replaces: keys} }
	for name, test := range map[string]struct {
		changes m
		want    Diff
	}{
		"its size":              {m{"scalingConfig": m{"minSize": 1, "maxSize": 9, "desiredSize": 4}}, Diff{Changed: []string{"scalingConfig"}}},
		"a label":               {m{"labels": m{"a": "b"}}, Diff{Changed: []string{"labels"}}},
		"a tag":                 {m{"tags": m{"a": "b"}}, Diff{Changed: []string{"tags"}}},
		"the version":           {m{"version": "1.35"}, Diff{Changed: []string{"version"}}},
		"version left to AWS":   {m{"version": nil}, Diff{}},
		"the template's next":   {m{"launchTemplate": m{"id": template.ID, "version": "2"}}, Diff{Changed: []string{"launchTemplate"}}},
		"another template":      {m{"launchTemplate": m{"id": Unknown{}, "version": Unknown{}}}, replaced("launchTemplate")},
		"instance types":        {m{"instanceTypes": l("m7i.xlarge")}, replaced("instanceTypes")},
		"subnets":               {m{"subnetIds": l(w.subnetA.ID)}, replaced("subnetIds")},
		"subnets, reordered":    {m{"subnetIds": l(w.subnetB.ID, w.subnetA.ID)}, Diff{}},
		"the image":             {m{"amiType": "BOTTLEROCKET_x86_64"}, replaced("amiType")},
		"the capacity":          {m{"capacityType": "SPOT"}, replaced("capacityType")},
		"the role":              {m{"nodeRoleArn": Unknown{}}, replaced("nodeRoleArn")},
		"the prefix":            {m{"nodeGroupNamePrefix": "other-"}, replaced("nodeGroupNamePrefix")},
		"how nodes are updated": {m{"updateConfig": m{"maxUnavailable": 1}}, Diff{Changed: []string{"updateConfig"}}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, w.diff(group, test.changes)) })
	}
}

// A group with a prefix can be replaced while the old one stands.
func TestNodeGroupsStandSideBySide(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	w.network()
	old := w.nodeGroup(nil)
	w.nodeGroup(m{"instanceTypes": l("m7i.xlarge")})
	require.NoError(t, w.delete(old))
}

func TestNodesFollowTheControlPlane(t *testing.T) {
	w := newEKSWorld(t)
	cluster := w.cluster()
	w.network()
	group := w.nodeGroup(nil)
	refused(t, w.update(group, m{"version": "1.35"}), "InvalidParameterException")
	require.NoError(t, w.update(cluster, m{"version": "1.35"}))
	require.NoError(t, w.update(group, m{"version": "1.35"}))
	require.Equal(t, "1.35", w.read(group).Outputs["version"])
	refused(t, w.update(group, m{"version": "1.34"}), "InvalidParameterException")
	w.settled(group)
}

// EKS makes the entry with which nodes join, where the program has not: then the
// program comes too late.
func TestNodeRoleHasAnEntry(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	w.network()
	role := w.nodeRole.Outputs["arn"]
	entry := m{"clusterName": "tooling", "principalArn": role, "type": "EC2_LINUX"}

	group, second := w.nodeGroup(nil), w.nodeGroup(nil)
	_, err := w.try(typeAccessEntry, entry)
	refused(t, err, "ResourceInUseException")
	require.NoError(t, w.delete(group))
	_, err = w.try(typeAccessEntry, entry)
	refused(t, err, "ResourceInUseException")
	require.NoError(t, w.delete(second))

	own := w.create(typeAccessEntry, entry)
	third := w.nodeGroup(nil)
	require.NoError(t, w.delete(third))
	w.settled(own)
}
