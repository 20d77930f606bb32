package flux

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	clusterRoles    = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"}
	roleBindings    = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"}
)

// names of the cluster-wide objects, those of Flux's own installation.
const (
	controllerRole    = "crd-controller"
	reconcilerBinding = "cluster-reconciler"
)

// reconcilers make anything that the tree says, and impersonate the accounts
// that its objects name.
var reconcilers = []string{"kustomize-controller", "helm-controller"}

// accounts are the objects that let the controllers work: every controller may
// do what concerns Flux, the reconcilers everything.
// https://github.com/fluxcd/flux2/tree/main/manifests/rbac
func accounts() map[schema.GroupVersionResource][]*unstructured.Unstructured {
	rule := func(groups, resources, verbs []any) any {
		return map[string]any{"apiGroups": groups, "resources": resources, "verbs": verbs}
	}
	all := []any{"*"}
	var groups []any
	for _, name := range []string{"source", "kustomize", "helm", "notification", "image"} {
		groups = append(groups, name+".toolkit.fluxcd.io")
	}
	role := object("rbac.authorization.k8s.io/v1", "ClusterRole", controllerRole)
	role.Object["rules"] = []any{
		rule(groups, all, all),
		rule([]any{""}, []any{"namespaces", "secrets", "configmaps", "serviceaccounts"}, []any{"get", "list", "watch"}),
		rule([]any{""}, []any{"events"}, []any{"create", "patch"}),
		rule([]any{""}, []any{"configmaps"}, all),
		rule([]any{"coordination.k8s.io"}, []any{"leases"}, all),
		rule([]any{""}, []any{"serviceaccounts/token"}, []any{"create"}),
	}
	var made []*unstructured.Unstructured
	for _, name := range controllerNames {
		account := object("v1", "ServiceAccount", name)
		account.SetNamespace(Namespace)
		made = append(made, account)
	}
	return map[schema.GroupVersionResource][]*unstructured.Unstructured{
		serviceAccounts: made,
		clusterRoles:    {role},
		roleBindings: {
			bind(controllerRole, controllerRole, controllerNames),
			bind(reconcilerBinding, "cluster-admin", reconcilers),
		},
	}
}

func bind(name, role string, names []string) *unstructured.Unstructured {
	binding := object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", name)
	binding.Object["roleRef"] = map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
	var subjects []any
	for _, account := range names {
		subjects = append(subjects, map[string]any{"kind": "ServiceAccount", "name": account, "namespace": Namespace})
	}
	binding.Object["subjects"] = subjects
	return binding
}

func object(apiVersion, kind, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind}}
	o.SetName(name)
	o.SetLabels(map[string]string{partOf: partOfFlux})
	return o
}

func (f *Flux) applyAccounts(ctx context.Context) error {
	for kind, objects := range accounts() {
		for _, o := range objects {
			if err := f.apply(ctx, kind, o); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *Flux) removeAccounts(ctx context.Context) error {
	var errs []error
	for kind, objects := range accounts() {
		for _, o := range objects {
			err := f.dynamic.Resource(kind).Namespace(o.GetNamespace()).Delete(ctx, o.GetName(), metav1.DeleteOptions{})
			if err != nil && !gone(err) {
				errs = append(errs, fmt.Errorf("delete %s %q: %w", kind.Resource, o.GetName(), err))
			}
		}
	}
	return errors.Join(errs...)
}
