package flux

import (
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// uninstall does what the operator does with a FluxInstance that is deleted:
// the controllers stop first, so that nothing is pruned, then Flux's objects
// lose their finalizers and go with their CRDs. What Flux made in the cluster
// stays, and goes with the cluster.
func (f *Flux) uninstall(ctx context.Context, instance *unstructured.Unstructured) error {
	if err := f.halt(ctx); err != nil {
		return err
	}
	kinds, err := f.fluxKinds(ctx)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		if err := f.strip(ctx, kind); err != nil {
			return err
		}
	}
	for _, kind := range kinds {
		name := kind.Resource + "." + kind.Group
		if err := f.dynamic.Resource(definitions).Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !gone(err) {
			return fmt.Errorf("delete the CRD %q: %w", name, err)
		}
	}
	if err := f.removeAccounts(ctx); err != nil {
		return err
	}
	instance.SetFinalizers(slices.DeleteFunc(instance.GetFinalizers(), func(s string) bool { return s == finalizer }))
	_, err = f.dynamic.Resource(instances).Namespace(Namespace).Update(ctx, instance, metav1.UpdateOptions{FieldManager: manager})
	if gone(err) {
		return nil
	}
	return err
}

// fluxKinds lists the kinds of Flux that the cluster has.
func (f *Flux) fluxKinds(ctx context.Context) ([]schema.GroupVersionResource, error) {
	found, err := f.dynamic.Resource(definitions).List(ctx, metav1.ListOptions{LabelSelector: partOf + "=" + partOfFlux})
	if err != nil {
		return nil, fmt.Errorf("list the CRDs of Flux: %w", err)
	}
	var kinds []schema.GroupVersionResource
	for _, crd := range found.Items {
		group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
		plural, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "plural")
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		for _, v := range versions {
			version, _ := v.(map[string]any)
			if stored, _ := version["storage"].(bool); stored {
				name, _ := version["name"].(string)
				kinds = append(kinds, schema.GroupVersionResource{Group: group, Version: name, Resource: plural})
			}
		}
	}
	return kinds, nil
}

// strip takes the finalizers from every object of a kind.
func (f *Flux) strip(ctx context.Context, kind schema.GroupVersionResource) error {
	list, err := f.dynamic.Resource(kind).List(ctx, metav1.ListOptions{})
	if gone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", kind.Resource, err)
	}
	var errs []error
	for _, object := range list.Items {
		if len(object.GetFinalizers()) == 0 {
			continue
		}
		_, err := f.dynamic.Resource(kind).Namespace(object.GetNamespace()).Patch(ctx, object.GetName(), types.MergePatchType,
			[]byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{FieldManager: manager})
		if err != nil && !gone(err) {
			errs = append(errs, fmt.Errorf("finalizers of %s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err))
		}
	}
	return errors.Join(errs...)
}
