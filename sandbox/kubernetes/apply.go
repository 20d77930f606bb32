package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// applyOptions say how an object is applied.
type applyOptions struct {
	// dryRun asks what the result would be.
	dryRun bool
	// force takes fields over from whoever manages them.
	force bool
}

// apply applies an object on the server's side and returns the result. A field that
// another manager has set to another value is a conflict, unless the object's
// pulumi.com/patchForce annotation is "true".
func (c *cluster) apply(ctx context.Context, desired *unstructured.Unstructured, manager string, options applyOptions) (*unstructured.Unstructured, error) {
	api, err := c.resource(desired)
	if err != nil {
		return nil, err
	}
	sent := desired.DeepCopy()
	encodeStringData(sent)
	if mapping, ok := c.namespaced(sent.GroupVersionKind()); ok && !mapping {
		sent.SetNamespace("")
	}
	for _, field := range readOnly {
		unstructured.RemoveNestedField(sent.Object, "metadata", field)
	}
	body, err := json.Marshal(sent.Object)
	if err != nil {
		return nil, fmt.Errorf("cannot be written as JSON: %w", err)
	}
	force := options.force || annotationOf(desired, annotationPatchForce) == "true"
	patch := metav1.PatchOptions{FieldManager: manager, Force: &force, FieldValidation: metav1.FieldValidationWarn}
	if options.dryRun {
		patch.DryRun = []string{metav1.DryRunAll}
	}
	applied, err := api.Patch(ctx, sent.GetName(), types.ApplyPatchType, body, patch)
	if apierrors.IsConflict(err) {
		return nil, conflict(desired, err)
	}
	return applied, err
}

// conflict explains which fields somebody else manages.
func conflict(obj *unstructured.Unstructured, err error) error {
	var fields []string
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			if cause.Type == metav1.CauseTypeFieldManagerConflict {
				fields = append(fields, fmt.Sprintf("%s (%s)", cause.Field, cause.Message))
			}
		}
	}
	if len(fields) == 0 {
		return err
	}
	slices.Sort(fields)
	return fmt.Errorf("%s %q already exists and others manage fields that this would change: %s. "+
		"Give the object another name, leave these fields out, or take them over with the annotation %s: \"true\": %w",
		obj.GetKind(), idOf(obj), strings.Join(fields, "; "), annotationPatchForce, err)
}

// missing reports whether an object failed for something that another one may still
// bring: its kind's definition or its namespace.
func missing(err error) bool { return meta.IsNoMatchError(err) || apierrors.IsNotFound(err) }

// explained adds what to do to an error of the API server.
func explained(obj *unstructured.Unstructured, err error) error {
	switch {
	case meta.IsNoMatchError(err):
		return fmt.Errorf("the cluster has no kind %s: its CustomResourceDefinition must be made before, "+
			"for example by dependsOn: %w", obj.GroupVersionKind(), err)
	case apierrors.IsNotFound(err) && obj.GetNamespace() != "":
		return fmt.Errorf("namespace %q does not exist: make it before, for example by using its name as an output: %w",
			obj.GetNamespace(), err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the cluster refused the kubeconfig's credentials: %w", err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("the kubeconfig's identity may not do this: %w", err)
	}
	return err
}
