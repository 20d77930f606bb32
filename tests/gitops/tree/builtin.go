package tree

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	"sigs.k8s.io/yaml"
)

// builtIns are the types of Kubernetes itself that the tree uses.
var builtIns = map[string]func() any{
	"v1 Namespace":                                    func() any { return &corev1.Namespace{} },
	"v1 ServiceAccount":                               func() any { return &corev1.ServiceAccount{} },
	"v1 ConfigMap":                                    func() any { return &corev1.ConfigMap{} },
	"v1 Secret":                                       func() any { return &corev1.Secret{} },
	"v1 Service":                                      func() any { return &corev1.Service{} },
	"batch/v1 Job":                                    func() any { return &batchv1.Job{} },
	"batch/v1 CronJob":                                func() any { return &batchv1.CronJob{} },
	"networking.k8s.io/v1 NetworkPolicy":              func() any { return &networkingv1.NetworkPolicy{} },
	"rbac.authorization.k8s.io/v1 Role":               func() any { return &rbacv1.Role{} },
	"rbac.authorization.k8s.io/v1 RoleBinding":        func() any { return &rbacv1.RoleBinding{} },
	"rbac.authorization.k8s.io/v1 ClusterRole":        func() any { return &rbacv1.ClusterRole{} },
	"rbac.authorization.k8s.io/v1 ClusterRoleBinding": func() any { return &rbacv1.ClusterRoleBinding{} },
	"storage.k8s.io/v1 StorageClass":                  func() any { return &storagev1.StorageClass{} },
}

// builtInGroups are the API groups of Kubernetes itself.
var builtInGroups = map[string]bool{
	"": true, "apps": true, "batch": true, "policy": true, "autoscaling": true, "extensions": true,
	"networking.k8s.io": true, "rbac.authorization.k8s.io": true, "storage.k8s.io": true, "scheduling.k8s.io": true,
	"admissionregistration.k8s.io": true, "apiextensions.k8s.io": true,
}

func builtIn(o object) bool { return builtInGroups[o.group()] }

// validateBuiltIn reads an object into its Go type, where a field that is not there is an
// error. An old version of an API is not in the list, and neither is a new kind: add it.
func validateBuiltIn(o object) []error {
	make, ok := builtIns[o.text("apiVersion")+" "+o.kind()]
	if !ok {
		return []error{fmt.Errorf("%s %s is none of the types that the tree uses: is it deprecated? If not, add it to builtIns in tests/gitops/tree", o.text("apiVersion"), o.kind())}
	}
	text, err := yaml.Marshal(o)
	if err != nil {
		return []error{err}
	}
	if err := yaml.UnmarshalStrict(text, make()); err != nil {
		return []error{err}
	}
	return nil
}
