package controlplane

import (
	"context"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// AccessPolicyGroupPrefix begins the group that stands for an EKS access
// policy associated with a principal for the whole cluster:
// "eks-access-policy:AmazonEKSViewPolicy". AmazonEKSClusterAdminPolicy has no
// such group, it is the group system:masters.
const AccessPolicyGroupPrefix = "eks-access-policy:"

// adminViewRole is what AmazonEKSAdminViewPolicy grants: reading everything,
// Secrets included. Kubernetes has no role of its own for it.
const adminViewRole = "eks-access-policy:admin-view"

// accessPolicyRoles says which role gives what an EKS access policy gives.
// https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
var accessPolicyRoles = map[string]string{
	"AmazonEKSAdminPolicy":     "admin",
	"AmazonEKSEditPolicy":      "edit",
	"AmazonEKSViewPolicy":      "view",
	"AmazonEKSAdminViewPolicy": adminViewRole,
}

// grantAccess binds the groups of the EKS access policies, and lets everybody
// read the OIDC discovery documents, which EKS publishes to the world.
func grantAccess(ctx context.Context, client kubernetes.Interface) error {
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: adminViewRole},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"get", "list", "watch"}},
			{NonResourceURLs: []string{"*"}, Verbs: []string{"get"}},
		},
	}
	_, err := client.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{})
	if err := ignoreExists(err); err != nil {
		return fmt.Errorf("cluster role %q: %w", role.Name, err)
	}
	bindings := []*rbacv1.ClusterRoleBinding{
		binding("eks:oidc-issuer-discovery", "system:service-account-issuer-discovery", "system:authenticated", "system:unauthenticated"),
	}
	for policy, role := range accessPolicyRoles {
		group := AccessPolicyGroupPrefix + policy
		bindings = append(bindings, binding(group, role, group))
	}
	for _, b := range bindings {
		_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, b, metav1.CreateOptions{})
		if err := ignoreExists(err); err != nil {
			return fmt.Errorf("cluster role binding %q: %w", b.Name, err)
		}
	}
	return nil
}

func binding(name, role string, groups ...string) *rbacv1.ClusterRoleBinding {
	b := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
	}
	for _, group := range groups {
		b.Subjects = append(b.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: group})
	}
	return b
}

func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
