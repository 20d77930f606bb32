package account

import (
	"fmt"
	"strings"
)

const typePodIdentityAssociation = "aws:eks/podIdentityAssociation:PodIdentityAssociation"

// https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/eks/pod_identity_association.go
var _ = register(typePodIdentityAssociation, rules{
	forceNew: []string{"clusterName", "namespace", "serviceAccount"},
	check:    checkPodIdentityAssociation,
	create:   createPodIdentityAssociation,
	update:   updatePodIdentityAssociation,
})

func checkPodIdentityAssociation(in Props) []Failure {
	var failures []Failure
	for _, key := range []string{"clusterName", "namespace", "serviceAccount"} {
		if s, ok := in[key].(string); ok && s == "" {
			failures = append(failures, Failure{Property: key, Reason: "is empty"})
		}
	}
	return failures
}

func createPodIdentityAssociation(v *view, o *Object) error {
	cluster, err := v.activeCluster(o.in().String("clusterName"), o.Region)
	if err != nil {
		return err
	}
	if err := v.associationIsFree(cluster, o.in().String("namespace"), o.in().String("serviceAccount")); err != nil {
		return err
	}
	if err := v.podRole(o.in().String("roleArn")); err != nil {
		return err
	}
	o.ID = associationID()
	o.Outputs["associationId"] = o.ID
	o.Outputs["associationArn"] = associationARN(cluster, o.ID)
	return nil
}

func updatePodIdentityAssociation(v *view, _, o *Object) error {
	return v.podRole(o.in().String("roleArn"))
}

// associationIsFree refuses a second association of one service account.
func (v *view) associationIsFree(cluster *Object, namespace, serviceAccount string) error {
	taken := v.first(typePodIdentityAssociation, func(other *Object) bool {
		out := other.out()
		return out.String("clusterName") == cluster.ID && out.String("namespace") == namespace && out.String("serviceAccount") == serviceAccount
	})
	if taken != nil {
		return refuse("ResourceInUseException", "Association already exists: %s, for service account %q in namespace %q of cluster %q", taken.ID, serviceAccount, namespace, cluster.ID)
	}
	return nil
}

func associationID() string { return "a-" + strings.ToLower(upper(17)) }

func associationARN(cluster *Object, id string) string {
	return arn("eks", cluster.Region, fmt.Sprintf("podidentityassociation/%s/%s", cluster.ID, id))
}
