package account

import (
	"fmt"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/sts"
)

// AccessEntry finds what a cluster grants a principal. It answers
// sts.ErrNoAccessEntry where the cluster has no entry for it, so it can be used
// as an sts.Access.
func (a *Account) AccessEntry(cluster, principalARN string) (sts.AccessEntry, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	if v.get(typeCluster, cluster) == nil {
		return sts.AccessEntry{}, fmt.Errorf("%w: there is no cluster %q", sts.ErrNoAccessEntry, cluster)
	}
	stored := v.get(typeAccessEntry, accessEntryID(cluster, principalARN))
	if stored == nil {
		return sts.AccessEntry{}, fmt.Errorf("%w: %s in cluster %q", sts.ErrNoAccessEntry, principalARN, cluster)
	}
	entry := sts.AccessEntry{PrincipalARN: principalARN, Groups: stored.out().Strings("kubernetesGroups")}
	// A name with a placeholder is for sessions and nodes, which the simulated
	// account does not have.
	if user := stored.out().String("userName"); !strings.Contains(user, "{{") {
		entry.Username = user
	}
	ofEntry := func(o *Object) bool {
		return o.out().String("clusterName") == cluster && o.out().String("principalArn") == principalARN
	}
	for _, association := range v.all(typeAccessPolicyAssociation, ofEntry) {
		scope := association.out().Props("accessScope")
		entry.Policies = append(entry.Policies, sts.AccessPolicy{
			ARN: association.out().String("policyArn"), Namespaces: scope.Strings("namespaces"),
		})
	}
	return entry, nil
}
