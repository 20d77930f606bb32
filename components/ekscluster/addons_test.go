package ekscluster_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

// The drivers and vpc-cni get their rights through Pod Identity, each from a role
// that only its own service account in this cluster can have.
func TestAddonRoles(t *testing.T) {
	g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
	accounts := map[string]struct{ account, policy string }{
		"vpc-cni":            {"aws-node", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"},
		"aws-ebs-csi-driver": {"ebs-csi-controller-sa", "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"},
		"aws-efs-csi-driver": {"efs-csi-controller-sa", "arn:aws:iam::aws:policy/service-role/AmazonEFSCSIDriverPolicy"},
	}
	for _, addon := range g.OfType(addonType) {
		name, ok := addon.Get("addonName").(string)
		require.True(t, ok)
		require.Equal(t, "tooling-addon-"+name, addon.Name)
		want, has := accounts[name]
		if !has {
			require.Nil(t, addon.Get("podIdentityAssociations"), "%s needs no rights", addon)
			continue
		}
		role := g.Get(t, roleType, "tooling-"+name+"-role")
		require.Equal(t, []any{map[string]any{"serviceAccount": want.account, "roleArn": role.State["arn"].StringValue()}},
			addon.Get("podIdentityAssociations"))
		require.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{
			"Sid": "EksPodIdentity", "Effect": "Allow", "Principal": {"Service": ["pods.eks.amazonaws.com"]},
			"Action": ["sts:AssumeRole", "sts:TagSession"],
			"Condition": {"StringEquals": {
				"aws:RequestTag/eks-cluster-name": ["tooling"],
				"aws:RequestTag/kubernetes-namespace": ["kube-system"],
				"aws:RequestTag/kubernetes-service-account": ["`+want.account+`"]
			}}
		}]}`, role.Get("assumeRolePolicy").(string))
		policy := want.policy[strings.LastIndex(want.policy, "/")+1:]
		attachment := g.Get(t, attachmentType, "tooling-"+name+"-"+policy)
		require.Equal(t, want.policy, attachment.Get("policyArn"))
		require.Equal(t, role.State["name"].StringValue(), attachment.Get("role"))
	}
}

func TestAddonInputs(t *testing.T) {
	g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
	for _, addon := range g.OfType(addonType) {
		require.Equal(t, "tooling", addon.Get("clusterName"))
		require.Equal(t, "OVERWRITE", addon.Get("resolveConflictsOnCreate"), "a new cluster has some of them already")
		require.Equal(t, "OVERWRITE", addon.Get("resolveConflictsOnUpdate"))
		require.Nil(t, addon.Get("addonVersion"))
		require.Nil(t, addon.Get("serviceAccountRoleArn"), "that is for clusters with an OIDC provider")
	}
	require.JSONEq(t, `{"enableNetworkPolicy": "true"}`, g.Get(t, addonType, "tooling-addon-vpc-cni").Get("configurationValues").(string))
	require.Nil(t, g.Get(t, addonType, "tooling-addon-coredns").Get("configurationValues"))
}

func TestOwnAddons(t *testing.T) {
	g := pulumitest.RunBoth(t, tooling(func(a *ekscluster.Args) {
		a.Addons = []ekscluster.Addon{
			{Name: "vpc-cni", Configuration: map[string]any{"env": map[string]any{"WARM_IP_TARGET": "5", "ENABLE_PREFIX_DELEGATION": "true"}}},
			{Name: "eks-pod-identity-agent"},
			{Name: "coredns", Version: "v1.12.1-eksbuild.2", Configuration: map[string]any{"replicaCount": 3}},
			{Name: "metrics-server"},
		}
	}), pulumitest.Options{})
	check(t, g)
	require.Len(t, g.OfType(addonType), 4)
	require.Equal(t, []string{"tooling-node-role", "tooling-vpc-cni-role"}, g.Names(roleType), "no role for an add-on that is not there")
	// Beside what is asked for, and as the same text in every run.
	require.Equal(t, `{"enableNetworkPolicy":"true","env":{"ENABLE_PREFIX_DELEGATION":"true","WARM_IP_TARGET":"5"}}`,
		g.Get(t, addonType, "tooling-addon-vpc-cni").Get("configurationValues"))
	coredns := g.Get(t, addonType, "tooling-addon-coredns")
	require.Equal(t, "v1.12.1-eksbuild.2", coredns.Get("addonVersion"))
	require.Equal(t, `{"replicaCount":3}`, coredns.Get("configurationValues"))
	// What this package knows nothing about runs as pods, and waits for nodes.
	unknown := g.Get(t, addonType, "tooling-addon-metrics-server")
	for _, group := range g.OfType(nodeGroupType) {
		require.True(t, g.DependsOn(unknown, group))
	}
}

// The defaults of one caller are not those of the next.
func TestDefaultAddonsAreACopy(t *testing.T) {
	ekscluster.DefaultAddons()[0].Name = "changed"
	require.Equal(t, "vpc-cni", ekscluster.DefaultAddons()[0].Name)
}
