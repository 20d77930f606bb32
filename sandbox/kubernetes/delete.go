package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// skipsAwaitOnDelete are the kinds whose pulumi.com/skipAwait annotation also skips the
// wait for their deletion, as in the official plugin.
var skipsAwaitOnDelete = map[schema.GroupKind]bool{
	{Kind: "Namespace"}: true, {Kind: "Pod"}: true, {Kind: "ReplicationController"}: true,
	{Group: "apps", Kind: "DaemonSet"}: true, {Group: "apps", Kind: "Deployment"}: true,
	{Group: "apps", Kind: "StatefulSet"}: true, {Group: "batch", Kind: "Job"}: true,
}

// Delete deletes the object and what it owns, and waits until it is gone.
func (p *Provider) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	ctx, done := p.Running(ctx)
	defer done()
	gvk, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	state, err := plugin.Unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	obj, err := recorded(gvk, req.GetId(), state)
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), err)
	}
	c, err := p.cluster(ctx)
	if isUnreachable(err) && p.options().deleteUnreachable {
		p.Log(ctx, plugin.Warning, req.GetUrn(), fmt.Sprintf("%v: taken out of the state, because deleteUnreachable is set", err))
		return &emptypb.Empty{}, nil
	}
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), err)
	}
	api, err := c.resource(obj)
	if missing(err) {
		return &emptypb.Empty{}, nil
	}
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), explained(obj, err))
	}
	policy := propagation(obj)
	if err := api.Delete(ctx, obj.GetName(), metav1.DeleteOptions{PropagationPolicy: &policy}); missing(err) {
		return &emptypb.Empty{}, nil
	} else if err != nil {
		return nil, failed(ctx, req.GetUrn(), explained(obj, err))
	}
	if annotationOf(obj, annotationSkipAwait) == "true" && skipsAwaitOnDelete[gvk.GroupKind()] {
		return &emptypb.Empty{}, nil
	}
	if err := p.awaitGone(ctx, api, req.GetUrn(), obj, req.GetTimeout()); err != nil {
		return nil, failed(ctx, req.GetUrn(), err)
	}
	if gvk.Kind == "CustomResourceDefinition" {
		c.forget()
	}
	return &emptypb.Empty{}, nil
}

// recorded is the object of a state: its kind, name and annotations.
func recorded(gvk schema.GroupVersionKind, id string, state resource.PropertyMap) (*unstructured.Unstructured, error) {
	own := state.Copy()
	for _, key := range []resource.PropertyKey{inputsKey, initialAPIVersionKey, fieldManagerKey, "status"} {
		delete(own, key)
	}
	obj, _, err := objectOf(own)
	if err != nil {
		return nil, err
	}
	if obj.GetKind() == "" || obj.GetAPIVersion() == "" {
		obj.SetGroupVersionKind(gvk)
	}
	namespace, name := parseID(id)
	if name == "" {
		return nil, fmt.Errorf("id %q: expected \"namespace/name\", or \"name\" outside namespaces", id)
	}
	obj.SetName(name)
	if namespace != "" {
		obj.SetNamespace(namespace)
	}
	return obj, nil
}

// propagation is what becomes of the objects that this one owns.
func propagation(obj *unstructured.Unstructured) metav1.DeletionPropagation {
	switch strings.ToLower(annotationOf(obj, annotationPropagation)) {
	case "orphan":
		return metav1.DeletePropagationOrphan
	case "background":
		return metav1.DeletePropagationBackground
	default:
		return metav1.DeletePropagationForeground
	}
}

// awaitGone waits until the object is gone or another one has its name.
func (p *Provider) awaitGone(ctx context.Context, api dynamic.ResourceInterface, urn string, obj *unstructured.Unstructured, seconds float64) error {
	limit := timeout(obj, seconds)
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	shown, held := "", ""
	err := wait.PollUntilContextCancel(waiting, pollInterval, true, func(context.Context) (bool, error) {
		live, err := look(ctx, api, obj.GetName())
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if obj.GetUID() != "" && live.GetUID() != obj.GetUID() {
			return true, nil
		}
		if held = holding(live); held != shown {
			shown = held
			p.Status(ctx, urn, "waiting: "+held)
		}
		return false, nil
	})
	switch {
	case err == nil:
		p.Status(ctx, urn, "")
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case waiting.Err() != nil:
		return fmt.Errorf("%s %q is marked for deletion, but still there after %s: %s", obj.GetKind(), idOf(obj), limit, held)
	default:
		return err
	}
}

// holding says what keeps a deleted object: its finalizers, and for a namespace what is
// left inside. The garbage collector's own finalizers only mean that it is at work.
func holding(obj *unstructured.Unstructured) string {
	var reasons, finalizers []string
	for _, finalizer := range obj.GetFinalizers() {
		if finalizer != metav1.FinalizerDeleteDependents && finalizer != metav1.FinalizerOrphanDependents {
			finalizers = append(finalizers, finalizer)
		}
	}
	slices.Sort(finalizers)
	if len(finalizers) > 0 {
		reasons = append(reasons, fmt.Sprintf("held by finalizer %s: whoever set it has to remove it", strings.Join(finalizers, ", ")))
	}
	if obj.GetKind() == "Namespace" {
		conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
		for _, condition := range conditions {
			fields, _ := condition.(map[string]any)
			kind, _ := fields["type"].(string)
			message, _ := fields["message"].(string)
			if fields["status"] == "True" && strings.HasPrefix(kind, "Namespace") {
				reasons = append(reasons, message)
			}
		}
	}
	if len(reasons) == 0 {
		return "the cluster has not finished it"
	}
	return strings.Join(reasons, "; ")
}
