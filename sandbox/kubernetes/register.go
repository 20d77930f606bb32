package kubernetes

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// annotationKeep is Helm's way to say that an object outlives its release.
const annotationKeep = "helm.sh/resource-policy"

// registration registers the objects of a chart below its component.
type registration struct {
	component *chartComponent
	prefix    string
	skipAwait bool
	// inputs are the chart's: what is rendered from them depends on what they depend on,
	// and is secret when one of them is.
	inputs pulumi.MapOutput
	// dependsOn are the resources the chart was told to wait for.
	dependsOn []pulumi.Resource
}

// register registers definitions and namespaces first, then the rest, in the chart's
// order.
func (r registration) register(ctx *pulumi.Context, objects []*unstructured.Unstructured) (pulumi.ArrayOutput, error) {
	needs := dependencies(objects)
	made := map[*unstructured.Unstructured]pulumi.Resource{}
	resources := pulumi.Array{}
	var visit func(obj *unstructured.Unstructured) error
	visit = func(obj *unstructured.Unstructured) error {
		if made[obj] != nil {
			return nil
		}
		before := append([]pulumi.Resource{}, r.dependsOn...)
		for _, needed := range needs[obj] {
			if err := visit(needed); err != nil {
				return err
			}
			before = append(before, made[needed])
		}
		child, err := r.one(ctx, obj, before)
		if err != nil {
			return fmt.Errorf("%s %q: %w", obj.GetKind(), idOf(obj), err)
		}
		made[obj] = child
		resources = append(resources, pulumi.NewResourceOutput(child))
		return nil
	}
	for _, obj := range objects {
		if err := visit(obj); err != nil {
			return pulumi.ArrayOutput{}, err
		}
	}
	return resources.ToArrayOutputWithContext(ctx.Context()), nil
}

// one registers an object as "<prefix>:<namespace>/<name>".
func (r registration) one(ctx *pulumi.Context, obj *unstructured.Unstructured, before []pulumi.Resource) (pulumi.Resource, error) {
	if r.skipAwait {
		annotations := obj.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[annotationSkipAwait] = "true"
		obj.SetAnnotations(annotations)
	}
	options := []pulumi.ResourceOption{pulumi.Parent(r.component), pulumi.Version(Version)}
	if len(before) > 0 {
		options = append(options, pulumi.DependsOn(before))
	}
	switch policy := annotationOf(obj, annotationKeep); policy {
	case "":
	case "keep":
		options = append(options, pulumi.RetainOnDelete(true))
	default:
		if err := ctx.Log.Warn(fmt.Sprintf("%s %q: unknown %s %q: expected keep", obj.GetKind(), idOf(obj), annotationKeep, policy),
			&pulumi.LogArgs{Resource: r.component}); err != nil {
			return nil, err
		}
	}
	name := idOf(obj)
	if r.prefix != "" {
		name = r.prefix + ":" + name
	}
	var child pulumi.CustomResourceState
	if err := ctx.RegisterResource(tokenOf(obj), name, r.inputsOf(obj), &child, options...); err != nil {
		return nil, err
	}
	return &child, nil
}

// tokenOf is the type token of an object's kind.
func tokenOf(obj *unstructured.Unstructured) string {
	gvk := obj.GroupVersionKind()
	group := gvk.Group
	if group == "" {
		group = "core"
	}
	return fmt.Sprintf("kubernetes:%s/%s:%s", group, gvk.Version, gvk.Kind)
}

// inputsOf are the inputs of an object's resource. What identifies it stays open when a
// value of the chart is secret: it is in its URN anyway.
func (r registration) inputsOf(obj *unstructured.Unstructured) pulumi.Map {
	content, _ := renamed(obj.Object, underscored).(map[string]any)
	from := func(v any) pulumi.Output {
		return r.inputs.ApplyT(func(map[string]any) any { return v })
	}
	inputs := pulumi.Map{}
	for key, v := range content {
		switch key {
		case "apiVersion", "kind":
			inputs[key] = pulumi.Any(v)
		case "metadata":
			metadata := pulumi.Map{}
			fields, _ := v.(map[string]any)
			for field, v := range fields {
				if v == nil {
					continue
				}
				metadata[field] = from(v)
				if field == "name" || field == "namespace" {
					metadata[field] = pulumi.Unsecret(from(v))
				}
			}
			inputs[key] = metadata
		case "data", "stringData":
			inputs[key] = from(v)
			if obj.GetKind() == "Secret" {
				inputs[key] = pulumi.ToSecret(from(v))
			}
		default:
			if v != nil {
				inputs[key] = from(v)
			}
		}
	}
	return inputs
}
