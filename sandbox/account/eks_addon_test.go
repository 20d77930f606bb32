package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddonLifecycle(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	cni, _ := w.network()
	require.Equal(t, "tooling:vpc-cni", cni.ID)
	require.Regexp(t, addonVersionForm.String(), cni.Outputs["addonVersion"])
	associations := func() []Object {
		return w.a.filter(func(o *Object) bool { return o.Type == typePodIdentityAssociation })
	}
	require.Len(t, associations(), 1)
	w.settled(cni)
	require.Len(t, associations(), 1)

	proxy := w.create(typeAddon, m{"clusterName": "tooling", "addonName": "kube-proxy", "addonVersion": "v1.34.1-eksbuild.2"})
	w.settled(proxy)
	require.NoError(t, w.update(proxy, m{"addonVersion": "v1.33.5-eksbuild.2"}))
	refused(t, w.update(proxy, m{"addonVersion": "v1.35.0-eksbuild.2"}), "InvalidParameterException")

	w.nodeGroup(nil)
	w.settled(w.create(typeAddon, m{"clusterName": "tooling", "addonName": "coredns"}))
	require.NoError(t, w.delete(cni))
	require.Empty(t, associations(), "they go with their add-on")
}

func TestAddonIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(w *eksWorld) m
		code   string
	}{
		"no such cluster":      {func(*eksWorld) m { return m{"clusterName": "other"} }, "ResourceNotFoundException"},
		"no such add-on":       {func(*eksWorld) m { return m{"addonName": "vpc-cnj"} }, "InvalidParameterException"},
		"no such version":      {func(*eksWorld) m { return m{"addonVersion": "v9.9.9-eksbuild.1"} }, "InvalidParameterException"},
		"no such role":         {func(*eksWorld) m { return m{"serviceAccountRoleArn": "arn:aws:iam::123456789012:role/nobody"} }, "InvalidParameterException"},
		"not JSON":             {func(*eksWorld) m { return m{"configurationValues": "enableNetworkPolicy: true"} }, "InvalidParameterException"},
		"against its schema":   {func(*eksWorld) m { return m{"configurationValues": `{"enableNetworkPolicy":true}`} }, "InvalidParameterException"},
		"pods without nodes":   {func(*eksWorld) m { return m{"addonName": "coredns"} }, "InsufficientNumberOfReplicas"},
		"a stranger's account": {func(w *eksWorld) m { return association("default", w.podRole) }, "InvalidParameterException"},
		"a role not for pods":  {func(w *eksWorld) m { return association("aws-node", w.nodeRole) }, "InvalidParameterException"},
		"the second of a name": {func(w *eksWorld) m {
			w.create(typeAddon, m{"clusterName": "tooling", "addonName": "vpc-cni"})
			return nil
		}, "ResourceInUseException"},
		"an account that is taken": {func(w *eksWorld) m {
			w.create(typePodIdentityAssociation, m{"clusterName": "tooling", "namespace": "kube-system", "serviceAccount": "aws-node", "roleArn": w.podRole.Outputs["arn"]})
			return association("aws-node", w.podRole)
		}, "ResourceInUseException"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEKSWorld(t)
			w.cluster()
			inputs := with(m{"clusterName": "tooling", "addonName": "vpc-cni"}, test.change(w))
			before := w.a.Objects()
			_, err := w.try(typeAddon, inputs)
			refused(t, err, test.code)
			require.Equal(t, before, w.a.Objects())
		})
	}
}

func association(account string, role *Object) m {
	return m{"podIdentityAssociations": l(m{"serviceAccount": account, "roleArn": role.Outputs["arn"]})}
}

func TestAddonDiff(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	cni, _ := w.network()
	require.Equal(t, Diff{Changed: []string{"addonVersion"}}, w.diff(cni, m{"addonVersion": "v1.20.0-eksbuild.1"}))
	require.Equal(t, Diff{Changed: []string{"addonName"}, Replaces: []string{"addonName"}}, w.diff(cni, m{"addonName": "coredns"}))
	require.Equal(t, Diff{}, w.diff(cni, m{"configurationValues": nil}), "it stays, as in the provider")
}
