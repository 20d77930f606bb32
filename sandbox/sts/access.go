package sts

import (
	"errors"
	"slices"
	"strings"
)

// ErrNoAccessEntry is what Access answers for a principal that the cluster does
// not know.
var ErrNoAccessEntry = errors.New("the cluster has no access entry for the principal")

// AccessEntry is what a cluster grants a principal.
// https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
type AccessEntry struct {
	PrincipalARN string
	// Username is the entry's own; empty means the principal's ARN, as for an
	// IAM user in EKS.
	Username string
	// Groups are Kubernetes groups of the entry.
	Groups   []string
	Policies []AccessPolicy
}

// AccessPolicy is an EKS access policy associated with an entry.
type AccessPolicy struct {
	// ARN such as arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy.
	ARN string
	// Namespaces limits the policy; empty means the whole cluster.
	Namespaces []string
}

// Access finds a principal's entry in a cluster. It answers ErrNoAccessEntry
// where there is none.
type Access func(cluster, principalARN string) (AccessEntry, error)

// PolicyGroupPrefix begins the groups that stand for access policies.
const PolicyGroupPrefix = "eks-access-policy:"

// clusterAdminPolicy grants what the group system:masters has.
const clusterAdminPolicy = "AmazonEKSClusterAdminPolicy"

// PolicyGroups are the Kubernetes groups that stand for a policy.
//
// EKS grants access policies in an authorizer of its own. Here they become
// groups, so that RBAC decides: AmazonEKSClusterAdminPolicy over the whole
// cluster is system:masters, every other one is "eks-access-policy:<policy>" or,
// limited to a namespace, "eks-access-policy:<policy>:<namespace>". A group that
// nothing binds grants nothing.
func PolicyGroups(policy AccessPolicy) []string {
	name := policy.ARN[strings.LastIndex(policy.ARN, "/")+1:]
	if len(policy.Namespaces) == 0 {
		if name == clusterAdminPolicy {
			return []string{"system:masters"}
		}
		return []string{PolicyGroupPrefix + name}
	}
	groups := make([]string, len(policy.Namespaces))
	for i, namespace := range policy.Namespaces {
		groups[i] = PolicyGroupPrefix + name + ":" + namespace
	}
	return groups
}

func (e AccessEntry) username() string {
	if e.Username != "" {
		return e.Username
	}
	return e.PrincipalARN
}

func (e AccessEntry) groups() []string {
	groups := slices.Clone(e.Groups)
	for _, policy := range e.Policies {
		groups = append(groups, PolicyGroups(policy)...)
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}
