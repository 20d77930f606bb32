package account

import (
	"slices"
	"strings"
	"time"
)

const (
	typeAccessPolicyAssociation = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
	accessPolicyPrefix          = "arn:aws:eks::aws:cluster-access-policy/"
)

// accessPolicies are those of AWS that people and workloads use; there are more
// for AWS's own services.
// https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
var accessPolicies = []string{
	"AmazonEKSAdminPolicy", "AmazonEKSAdminViewPolicy", "AmazonEKSClusterAdminPolicy", "AmazonEKSEditPolicy", "AmazonEKSViewPolicy",
}

// https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/eks/access_policy_association.go
var _ = register(typeAccessPolicyAssociation, rules{
	forceNew: []string{"accessScope", "clusterName", "policyArn", "principalArn"},
	sets:     []string{"accessScope.namespaces"},
	check:    checkAccessPolicy,
	create:   createAccessPolicy,
})

func policyAssociationID(cluster, principal, policy string) string {
	return strings.Join([]string{cluster, principal, policy}, "#")
}

func checkAccessPolicy(in Props) []Failure {
	scope := in.Props("accessScope")
	failures := within("accessScope", oneOf(scope, "type", "cluster", "namespace"))
	switch namespaces, given := scope["namespaces"]; {
	case scope["type"] == "cluster" && given && !isEmpty(namespaces):
		failures = append(failures, Failure{Property: "accessScope.namespaces", Reason: `must not be given where the type is "cluster"`})
	case scope["type"] == "namespace" && isEmpty(namespaces):
		failures = append(failures, Failure{Property: "accessScope.namespaces", Reason: `is required where the type is "namespace"`})
	}
	return failures
}

func createAccessPolicy(v *view, o *Object) error {
	cluster, err := v.activeCluster(o.in().String("clusterName"), o.Region)
	if err != nil {
		return err
	}
	principal, policy := o.in().String("principalArn"), o.in().String("policyArn")
	name, managed := strings.CutPrefix(policy, accessPolicyPrefix)
	if !managed || !slices.Contains(accessPolicies, name) {
		return refuse("InvalidParameterException", "The policyArn %q is not an access policy: expected %s and one of %s", policy, accessPolicyPrefix, strings.Join(accessPolicies, ", "))
	}
	entry := v.get(typeAccessEntry, accessEntryID(cluster.ID, principal))
	switch {
	case entry == nil:
		return missingReference("ResourceNotFoundException", "The specified principalArn could not be found: %s has no access entry in cluster %q", principal, cluster.ID)
	case entry.out().String("type") != "STANDARD":
		return refuse("InvalidRequestException", "The access entry of %s in cluster %q is of type %s: policies go to STANDARD ones", principal, cluster.ID, entry.out().String("type"))
	}
	o.ID = policyAssociationID(cluster.ID, principal, policy)
	if v.get(typeAccessPolicyAssociation, o.ID) != nil {
		return refuse("ResourceInUseException", "%s is associated with %s in cluster %q already", name, principal, cluster.ID)
	}
	o.Outputs["associatedAt"] = o.Created.Format(time.RFC3339)
	o.Outputs["modifiedAt"] = o.Outputs["associatedAt"]
	return nil
}
