package kubernetes

import (
	"context"
	"errors"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Diff compares the inputs with those the object was made with, which a refresh brings up
// to what the cluster has. Where only values differ, a dry run of the apply asks the
// server whether they mean a change: a CPU of 1000m is a CPU of 1.
func (p *Provider) Diff(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	ctx, done := p.Running(withURN(ctx, req.GetUrn()))
	defer done()
	if _, err := p.kindOf(req.GetUrn()); err != nil {
		return nil, err
	}
	state, err := plugin.Unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	kept, err := plugin.Unmarshal(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	olds := inputsOf(kept, state)

	// The scope matters only when the namespaces differ: a custom resource checked
	// before its definition existed was given one.
	namespaced := true
	if namespaceOf(olds) != namespaceOf(news) {
		c, err := p.cluster(ctx)
		if err != nil && ctx.Err() != nil {
			return nil, failed(ctx, req.GetUrn(), err)
		}
		namespaced = p.namespaced(gvkOf(news), c)
	}
	before, after := comparable(olds, namespaced), comparable(news, namespaced)
	fields := replacing(news, p.options())
	replaces := func(path resource.PropertyPath) bool { return within(path, fields) }
	diff := plugin.Diff(dataOf(before), dataOf(after), replaces)
	if diff.GetChanges() == pulumirpc.DiffResponse_DIFF_NONE {
		return diff, nil
	}
	if shown := plugin.Diff(before, after, replaces); shown.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
		diff = shown // in the program's own words
	}
	if len(diff.GetReplaces()) == 0 && !removes(diff) {
		same, err := p.unchanged(ctx, req, state, news)
		if err != nil {
			return nil, failed(ctx, req.GetUrn(), err)
		}
		if same {
			return plugin.Diff(nil, nil, nil), nil
		}
	}
	diff.DeleteBeforeReplace = len(diff.GetReplaces()) > 0 && keepsName(before, after)
	return diff, nil
}

// comparable returns inputs without what does not count: secretness, read-only metadata,
// nulls, and the namespace of an object that has none.
func comparable(inputs resource.PropertyMap, namespaced bool) resource.PropertyMap {
	opened := plugin.Open(inputs)
	withoutNulls(opened)
	opened = propertiesRenamed(opened)
	for key := range opened {
		if resource.IsInternalPropertyKey(key) || key == "id" {
			delete(opened, key)
		}
	}
	if v := opened["metadata"]; v.IsObject() {
		metadata := v.ObjectValue()
		for _, field := range readOnly {
			delete(metadata, resource.PropertyKey(field))
		}
		if !namespaced {
			delete(metadata, "namespace")
		} else if v := metadata["namespace"]; !v.IsComputed() && textIn(metadata, "namespace") == "" {
			metadata["namespace"] = resource.NewProperty("default")
		}
	}
	return opened
}

// withoutNulls drops null properties in place: they are not sent.
func withoutNulls(opened resource.PropertyMap) {
	for key, v := range opened {
		switch {
		case v.IsNull():
			delete(opened, key)
		case v.IsObject():
			withoutNulls(v.ObjectValue())
		case v.IsArray():
			for _, element := range v.ArrayValue() {
				if element.IsObject() {
					withoutNulls(element.ObjectValue())
				}
			}
		}
	}
}

// propertiesRenamed returns opened properties with the underscored names of the SDKs,
// which programs may also write with dashes.
func propertiesRenamed(opened resource.PropertyMap) resource.PropertyMap {
	result := make(resource.PropertyMap, len(opened))
	for key, v := range opened {
		if name, ok := underscored[string(key)]; ok {
			key = resource.PropertyKey(name)
		}
		result[key] = valueRenamed(v)
	}
	return result
}

func valueRenamed(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsObject():
		return resource.NewProperty(propertiesRenamed(v.ObjectValue()))
	case v.IsArray():
		list := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, element := range v.ArrayValue() {
			list[i] = valueRenamed(element)
		}
		return resource.NewProperty(list)
	default:
		return v
	}
}

func namespaceOf(inputs resource.PropertyMap) string {
	metadata, _ := metadataOf(inputs)
	return textIn(metadata, "namespace")
}

// removes reports whether a property is taken away: the server's object then no longer
// says what the program says, even if its content stays.
func removes(diff *pulumirpc.DiffResponse) bool {
	for _, d := range diff.GetDetailedDiff() {
		if d.GetKind() == pulumirpc.PropertyDiff_DELETE {
			return true
		}
	}
	return false
}

// keepsName reports whether the new object has the old one's name, given by the program,
// so that the old one has to go first.
func keepsName(before, after resource.PropertyMap) bool {
	old, _ := metadataOf(before)
	metadata, ok := metadataOf(after)
	if !ok || isAutonamed(after) {
		return false
	}
	return textIn(metadata, "name") != "" && textIn(metadata, "name") == textIn(old, "name") &&
		textIn(metadata, "namespace") == textIn(old, "namespace")
}

// unchanged asks the server, by a dry run, whether applying the inputs would change the
// object. What cannot be asked counts as a change.
func (p *Provider) unchanged(ctx context.Context, req *pulumirpc.DiffRequest, state, news resource.PropertyMap) (bool, error) {
	desired, known, err := objectOf(news)
	if err != nil || !known {
		return false, err
	}
	c, err := p.cluster(ctx)
	if err != nil {
		return false, notIfUnreachable(err)
	}
	api, err := c.resource(desired)
	if err != nil {
		return false, notIfMissing(err)
	}
	live, err := api.Get(ctx, desired.GetName(), metav1.GetOptions{})
	if err != nil {
		return false, notIfAnswered(err)
	}
	manager := fieldManager(req.GetUrn(), state, annotationOf(desired, annotationManager))
	applied, err := c.apply(ctx, desired, manager, applyOptions{dryRun: true})
	if err != nil {
		return false, notIfAnswered(err)
	}
	return reflect.DeepEqual(content(live), content(applied)), nil
}

// content is an object without what every write changes.
func content(obj *unstructured.Unstructured) map[string]any {
	obj = obj.DeepCopy()
	for _, field := range []string{"managedFields", "resourceVersion", "generation"} {
		unstructured.RemoveNestedField(obj.Object, "metadata", field)
	}
	return obj.Object
}

// notIfAnswered drops the errors that the server gave: whoever applies will hear them.
func notIfAnswered(err error) error {
	var answer apierrors.APIStatus
	if errors.As(err, &answer) {
		return nil
	}
	return err
}

func notIfMissing(err error) error {
	if missing(err) {
		return nil
	}
	return notIfAnswered(err)
}

func notIfUnreachable(err error) error {
	if isUnreachable(err) {
		return nil
	}
	return err
}
