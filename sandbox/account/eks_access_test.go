package account

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/sts"
)

var _ sts.Access = (*Account)(nil).AccessEntry

func TestCreatorIsAdministrator(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	entry, err := w.a.AccessEntry("tooling", OperatorARN)
	require.NoError(t, err)
	require.Equal(t, sts.AccessEntry{
		PrincipalARN: OperatorARN, Username: OperatorARN,
		Policies: []sts.AccessPolicy{{ARN: accessPolicyPrefix + "AmazonEKSClusterAdminPolicy"}},
	}, entry)
	_, err = w.a.AccessEntry("tooling", StrangerARN)
	require.ErrorIs(t, err, sts.ErrNoAccessEntry)
	_, err = w.a.AccessEntry("other", OperatorARN)
	require.ErrorIs(t, err, sts.ErrNoAccessEntry)
	_, err = w.try(typeAccessEntry, m{"clusterName": "tooling", "principalArn": OperatorARN})
	refused(t, err, "ResourceInUseException")
}

func TestAnotherCallerIsAdministrator(t *testing.T) {
	w := newEKSWorld(t)
	_, _, err := w.a.Create(t.Context(), CreateRequest{Type: typeCluster, Region: testRegion, Caller: StrangerARN, Inputs: w.clusterInputs(nil)})
	require.NoError(t, err)
	_, err = w.a.AccessEntry("tooling", StrangerARN)
	require.NoError(t, err)
	_, err = w.a.AccessEntry("tooling", OperatorARN)
	require.ErrorIs(t, err, sts.ErrNoAccessEntry)
}

func TestClusterWithoutRightsForItsCreator(t *testing.T) {
	w := newEKSWorld(t)
	w.create(typeCluster, w.clusterInputs(m{"accessConfig": m{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": false}}))
	_, err := w.a.AccessEntry("tooling", OperatorARN)
	require.ErrorIs(t, err, sts.ErrNoAccessEntry)
}

func TestAccessEntryLifecycle(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	entry := w.create(typeAccessEntry, m{"clusterName": "tooling", "principalArn": StrangerARN, "kubernetesGroups": l("viewers")})
	require.Equal(t, "tooling:"+StrangerARN, entry.ID)
	require.Equal(t, "STANDARD", entry.Outputs["type"])
	require.Equal(t, StrangerARN, entry.Outputs["userName"])
	w.settled(entry)
	policy := w.create(typeAccessPolicyAssociation, m{
		"clusterName": "tooling", "principalArn": StrangerARN, "policyArn": accessPolicyPrefix + "AmazonEKSViewPolicy",
		"accessScope": m{"type": "namespace", "namespaces": l("shop", "web")},
	})
	require.Equal(t, "tooling#"+StrangerARN+"#"+accessPolicyPrefix+"AmazonEKSViewPolicy", policy.ID)
	w.settled(policy)

	granted, err := w.a.AccessEntry("tooling", StrangerARN)
	require.NoError(t, err)
	require.Equal(t, []string{"viewers"}, granted.Groups)
	require.Equal(t, []sts.AccessPolicy{{ARN: accessPolicyPrefix + "AmazonEKSViewPolicy", Namespaces: []string{"shop", "web"}}}, granted.Policies)

	require.NoError(t, w.update(entry, m{"kubernetesGroups": l("editors")}))
	require.NoError(t, w.delete(entry))
	gone(t, w.delete(policy))
	_, err = w.a.AccessEntry("tooling", StrangerARN)
	require.ErrorIs(t, err, sts.ErrNoAccessEntry)
}

func TestEntriesOfRoles(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	nodes := w.create(typeAccessEntry, m{"clusterName": "tooling", "principalArn": w.nodeRole.Outputs["arn"], "type": "EC2_LINUX"})
	require.Equal(t, "system:node:{{EC2PrivateDNSName}}", nodes.Outputs["userName"])
	require.Equal(t, l("system:nodes"), nodes.Outputs["kubernetesGroups"])
	w.settled(nodes)
	people := w.create(typeAccessEntry, m{"clusterName": "tooling", "principalArn": w.podRole.Outputs["arn"]})
	require.Equal(t, "arn:aws:sts::123456789012:assumed-role/pod/{{SessionName}}", people.Outputs["userName"])
	require.Equal(t, Diff{Changed: []string{"type"}, Replaces: []string{"type"}}, w.diff(people, m{"type": "EC2_LINUX"}))
}

func TestAccessIsRefused(t *testing.T) {
	scope := m{"type": "cluster"}
	admin := accessPolicyPrefix + "AmazonEKSClusterAdminPolicy"
	for name, test := range map[string]struct {
		typ    string
		inputs func(w *eksWorld) m
		want   string
	}{
		"entry, no such cluster": {typeAccessEntry, func(*eksWorld) m { return m{"clusterName": "other", "principalArn": StrangerARN} }, "ResourceNotFoundException"},
		"entry of nobody": {typeAccessEntry, func(*eksWorld) m {
			return m{"clusterName": "tooling", "principalArn": "arn:aws:iam::123456789012:role/nobody"}
		}, "InvalidParameterException"},
		"group of Kubernetes": {typeAccessEntry, func(*eksWorld) m {
			return m{"clusterName": "tooling", "principalArn": StrangerARN, "kubernetesGroups": l("system:masters")}
		}, "belongs to Kubernetes"},
		"groups of nodes": {typeAccessEntry, func(w *eksWorld) m {
			return m{"clusterName": "tooling", "principalArn": w.nodeRole.Outputs["arn"], "type": "EC2_LINUX", "kubernetesGroups": l("a")}
		}, "cannot have"},
		"unknown type": {typeAccessEntry, func(*eksWorld) m { return m{"clusterName": "tooling", "principalArn": StrangerARN, "type": "USER"} }, "expected one of"},
		"policy without entry": {typeAccessPolicyAssociation, func(*eksWorld) m {
			return m{"clusterName": "tooling", "principalArn": StrangerARN, "policyArn": admin, "accessScope": scope}
		}, "ResourceNotFoundException"},
		"policy of IAM": {typeAccessPolicyAssociation, func(*eksWorld) m {
			return m{"clusterName": "tooling", "principalArn": OperatorARN, "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess", "accessScope": scope}
		}, "InvalidParameterException"},
		"policy twice": {typeAccessPolicyAssociation, func(*eksWorld) m {
			return m{"clusterName": "tooling", "principalArn": OperatorARN, "policyArn": admin, "accessScope": scope}
		}, "ResourceInUseException"},
		"no namespaces": {typeAccessPolicyAssociation, func(*eksWorld) m {
			return m{"clusterName": "tooling", "principalArn": OperatorARN, "policyArn": admin, "accessScope": m{"type": "namespace"}}
		}, "is required"},
		"needless namespaces": {typeAccessPolicyAssociation, func(*eksWorld) m {
			return m{"clusterName": "tooling", "principalArn": OperatorARN, "policyArn": admin, "accessScope": m{"type": "cluster", "namespaces": l("a")}}
		}, "must not be given"},
		"policy for nodes": {typeAccessPolicyAssociation, func(w *eksWorld) m {
			w.create(typeAccessEntry, m{"clusterName": "tooling", "principalArn": w.nodeRole.Outputs["arn"], "type": "EC2_LINUX"})
			return m{"clusterName": "tooling", "principalArn": w.nodeRole.Outputs["arn"], "policyArn": admin, "accessScope": scope}
		}, "InvalidRequestException"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEKSWorld(t)
			w.cluster()
			_, err := w.try(test.typ, test.inputs(w))
			require.ErrorContains(t, err, test.want)
		})
	}
}
