package kubernetes

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Check completes the inputs: apiVersion and kind from the type, a name, a namespace.
// Whether the cluster takes the object is asked by the preview's dry run.
func (p *Provider) Check(ctx context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	ctx, done := p.Running(ctx)
	defer done()
	gvk, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	olds, err := plugin.Unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	if reason := refusedKind(gvk, news); reason != "" {
		return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: []*pulumirpc.CheckFailure{{Property: "kind", Reason: reason}}}, nil
	}
	if v, ok := news["kind"]; !ok || v.IsNull() {
		news["kind"] = resource.NewProperty(gvk.Kind)
	}
	if v, ok := news["apiVersion"]; !ok || v.IsNull() {
		news["apiVersion"] = resource.NewProperty(gvk.GroupVersion().String())
	}
	if gvk.Group == "apiextensions.k8s.io" && gvk.Kind == "CustomResourceDefinition" {
		p.declare(news)
	}
	var failures []*pulumirpc.CheckFailure
	if v, ok := news["metadata"]; ok && !v.IsNull() && !mayBeObject(v) {
		failures = append(failures, &pulumirpc.CheckFailure{Property: "metadata", Reason: "expected an object"})
	} else if metadata, ok := metadataOf(news); ok {
		failures = append(failures, refusedAnnotations(metadata)...)
		metadata = metadata.Copy()
		if err := setName(metadata, olds, req); err != nil {
			failures = append(failures, &pulumirpc.CheckFailure{Property: "metadata.name", Reason: err.Error()})
		}
		if v, ok := metadata["namespace"]; !ok || v.IsNull() {
			// A cluster that does not answer decides nothing: what needs it says so later.
			c, err := p.cluster(ctx)
			if err != nil && ctx.Err() != nil {
				return nil, failed(ctx, req.GetUrn(), err)
			}
			if p.namespaced(gvkOf(news), c) {
				metadata["namespace"] = resource.NewProperty(defaultNamespace(p.options()))
			}
		}
		news["metadata"] = wrapped(news["metadata"], resource.NewProperty(metadata))
	}
	keepSecret(news, nil)
	inputs, err := plugin.Marshal(news)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: inputs, Failures: failures}, nil
}

// refusedAnnotations refuses what the official plugin would act on and this one does not.
func refusedAnnotations(metadata resource.PropertyMap) []*pulumirpc.CheckFailure {
	annotations, _ := plugin.Plain(metadata["annotations"])
	values, _ := annotations.(map[string]any)
	if values[annotationReplaceUnready] != "true" {
		return nil
	}
	return []*pulumirpc.CheckFailure{{
		Property: fmt.Sprintf("metadata.annotations[%q]", annotationReplaceUnready),
		Reason:   "is not modelled by the sandbox's provider: leave it out, or use the official plugin (--plugins official)",
	}}
}

// mayBeObject reports whether a value is an object or may become one.
func mayBeObject(v resource.PropertyValue) bool {
	opened := plugin.Open(resource.PropertyMap{"": v})[""]
	return opened.IsObject() || opened.IsComputed()
}

// wrapped returns v, secret when old was.
func wrapped(old, v resource.PropertyValue) resource.PropertyValue {
	if old.IsSecret() || old.IsOutput() && old.OutputValue().Secret {
		return resource.MakeSecret(v)
	}
	return v
}
