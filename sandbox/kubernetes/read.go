package kubernetes

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Read returns the object as the cluster has it, and as inputs its values for what the
// program gave, so that a refresh shows what others changed. An object that is gone, or
// whose kind is, has no id. Without inputs it is an import.
func (p *Provider) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
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
	kept, err := plugin.Unmarshal(req.GetInputs())
	if err != nil {
		return nil, err
	}
	c, err := p.cluster(ctx)
	if isUnreachable(err) && p.options().deleteUnreachable {
		p.Log(ctx, plugin.Warning, req.GetUrn(), fmt.Sprintf("%v: taken out of the state, because deleteUnreachable is set", err))
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), err)
	}

	inputs := inputsOf(kept, state)
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetGroupVersionKind(gvk)
	if given := gvkOf(inputs); given.Kind != "" && given.Version != "" {
		obj.SetGroupVersionKind(given)
	}
	namespace, name := parseID(req.GetId())
	if name == "" {
		return nil, failed(ctx, req.GetUrn(), fmt.Errorf("id %q: expected \"namespace/name\", or \"name\" outside namespaces", req.GetId()))
	}
	if namespace == "" && p.namespaced(obj.GroupVersionKind(), c) {
		namespace = defaultNamespace(p.options())
	}
	obj.SetNamespace(namespace)
	obj.SetName(name)
	api, err := c.resource(obj)
	if missing(err) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), explained(obj, err))
	}
	live, err := api.Get(ctx, name, metav1.GetOptions{})
	if missing(err) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), explained(obj, err))
	}

	var current resource.PropertyMap
	if len(inputs) == 0 {
		current = importedInputs(live)
	} else {
		current = liveInputs(live, inputs)
	}
	manager := fieldManager(req.GetUrn(), state, annotationOf(live, annotationManager))
	newState := stateOf(live, current, initialAPIVersion(state, current), manager)
	properties, err := plugin.Marshal(newState)
	if err != nil {
		return nil, err
	}
	currentInputs, err := plugin.Marshal(current)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: properties, Inputs: currentInputs}, nil
}
