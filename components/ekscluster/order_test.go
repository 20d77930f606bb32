package ekscluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

// edge says that every one of later is made after, and destroyed before, every
// one of sooner.
type edge struct {
	later, sooner []string // "<type> <name>"
	why           string
}

var (
	cluster   = []string{clusterType + " tooling-eks"}
	entries   = []string{entryType + " tooling-admin-123456789012-role-platform-admin", entryType + " tooling-admin-123456789012-user-alex"}
	nodes     = []string{nodeGroupType + " tooling-general", nodeGroupType + " tooling-jobs"}
	earlyOnes = addons("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
	lateOnes  = addons("coredns", "aws-ebs-csi-driver", "aws-efs-csi-driver")
)

var edges = []edge{
	{cluster, []string{logGroupType + " tooling-logs"}, "EKS makes a log group that it does not find, and nobody owns it"},
	{cluster, []string{keyType + " tooling-key"}, "without its key a cluster is lost"},
	{slices.Concat(entries, nodes, earlyOnes, lateOnes), cluster, "they are in the cluster"},
	{[]string{accessType + " tooling-admin-123456789012-user-alex"}, entries[1:], "the policy is the entry's"},
	{nodes, earlyOnes, "a node without network or credentials does not become ready"},
	{nodes, attachments("node-AmazonEKSWorkerNodePolicy", "node-AmazonEC2ContainerRegistryPullOnly"), "a node without rights neither joins nor leaves"},
	{nodes[1:], []string{templateType + " tooling-jobs-template"}, "a template in use is not deleted"},
	{lateOnes, nodes, "their pods need a node"},
	{addons("vpc-cni"), attachments("vpc-cni-AmazonEKS_CNI_Policy"), "it starts with its rights"},
	{addons("aws-ebs-csi-driver"), attachments("aws-ebs-csi-driver-AmazonEBSCSIDriverPolicy"), "it deletes volumes with its rights"},
	{addons("aws-efs-csi-driver"), attachments("aws-efs-csi-driver-AmazonEFSCSIDriverPolicy"), "it deletes access points with its rights"},
}

func addons(names ...string) []string {
	return prefixed(addonType+" tooling-addon-", names)
}

func attachments(names ...string) []string {
	return prefixed(attachmentType+" tooling-", names)
}

func prefixed(prefix string, names []string) []string {
	var out []string
	for _, name := range names {
		out = append(out, prefix+name)
	}
	return out
}

func find(t *testing.T, g *pulumitest.Graph, what string) *pulumitest.Resource {
	t.Helper()
	typ, name, _ := strings.Cut(what, " ")
	return g.Get(t, typ, name)
}

// missing lists what the graph lacks of an edge.
func (e edge) missing(t *testing.T, g *pulumitest.Graph) []string {
	t.Helper()
	var out []string
	for _, later := range e.later {
		for _, sooner := range e.sooner {
			if !g.DependsOn(find(t, g, later), find(t, g, sooner)) {
				out = append(out, fmt.Sprintf("%s must depend on %s: %s", later, sooner, e.why))
			}
		}
	}
	return out
}

// Created in this order, destroyed in the opposite one. Whether AWS needs it is
// for the tests with an account to prove.
func TestOrder(t *testing.T) {
	g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
	for _, e := range edges {
		require.Empty(t, e.missing(t, g))
	}
	for _, addon := range earlyOnes {
		for _, group := range nodes {
			require.False(t, g.DependsOn(find(t, g, addon), find(t, g, group)), "%s would wait for a node that waits for it", addon)
		}
	}
	// What is read from the control plane's component depends on all of it, not
	// only on the cluster in it: the access entry that it makes for the node role
	// goes after the nodes, or they could not leave in order.
	for _, group := range nodes {
		require.Contains(t, find(t, g, group).Dependencies, find(t, g, cluster[0]).URN)
	}
}

// Each of the edges above is seen to be missing when it is.
func TestOrderCanFail(t *testing.T) {
	for _, e := range edges {
		t.Run(e.why, func(t *testing.T) {
			g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
			for _, sooner := range e.sooner {
				cut(g, find(t, g, sooner))
			}
			require.Len(t, e.missing(t, g), len(e.later)*len(e.sooner))
		})
	}
}

// cut takes r, and what it made itself, out of everybody's dependencies.
func cut(g *pulumitest.Graph, r *pulumitest.Resource) {
	for _, other := range g.Resources {
		other.Dependencies = slices.DeleteFunc(other.Dependencies, func(urn string) bool {
			return urn == r.URN || r.Remote && strings.Contains(urn, "$"+r.Type+"$")
		})
	}
}
