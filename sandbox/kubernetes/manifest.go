package kubernetes

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// annotationDependsOn orders objects by hand, in a form this provider does not read.
const annotationDependsOn = "config.kubernetes.io/depends-on"

// parseManifest reads the objects of a manifest. Lists are replaced by their items.
func parseManifest(manifest string) ([]*unstructured.Unstructured, error) {
	decoder := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096)
	var objects []*unstructured.Unstructured
	for {
		var content map[string]any
		if err := decoder.Decode(&content); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, fmt.Errorf("the chart renders something that is no YAML: %w", err)
		}
		found, err := expand(content)
		if err != nil {
			return nil, err
		}
		objects = append(objects, found...)
	}
}

func expand(content map[string]any) ([]*unstructured.Unstructured, error) {
	if len(content) == 0 {
		return nil, nil
	}
	obj := &unstructured.Unstructured{Object: content}
	if items, ok := content["items"].([]any); ok && strings.HasSuffix(obj.GetKind(), "List") {
		var objects []*unstructured.Unstructured
		for _, item := range items {
			content, ok := item.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("the chart renders a %s with an item that is no object", obj.GetKind())
			}
			found, err := expand(content)
			if err != nil {
				return nil, err
			}
			objects = append(objects, found...)
		}
		return objects, nil
	}
	gvk := obj.GroupVersionKind()
	switch {
	case gvk.Kind == "" || gvk.Version == "":
		return nil, fmt.Errorf("the chart renders an object without apiVersion or kind (name %q)", obj.GetName())
	case obj.GetName() == "":
		return nil, fmt.Errorf("the chart renders a %s without metadata.name", gvk.Kind)
	case annotationOf(obj, annotationDependsOn) != "":
		return nil, fmt.Errorf("the chart renders %s %q with the annotation %s, which the sandbox's provider does not follow: "+
			"use the official plugin (--plugins official)", gvk.Kind, idOf(obj), annotationDependsOn)
	}
	if gvk.Group == "core" {
		obj.SetAPIVersion(gvk.Version)
	}
	return []*unstructured.Unstructured{obj}, nil
}

// placeObjects gives the objects that live in a namespace and name none this one.
func (p *Provider) placeObjects(objects []*unstructured.Unstructured, namespace string, c *cluster) {
	for _, obj := range objects {
		if isDefinition(obj) {
			p.declare(propertiesOf(obj.Object))
		}
	}
	for _, obj := range objects {
		if obj.GetNamespace() == "" && p.namespaced(obj.GroupVersionKind(), c) {
			obj.SetNamespace(namespace)
		}
	}
}

// refuseTwins refuses a chart that renders an object twice: the second would overwrite
// the first.
func refuseTwins(objects []*unstructured.Unstructured) error {
	seen := map[string]bool{}
	for _, obj := range objects {
		key := obj.GroupVersionKind().GroupKind().String() + " " + idOf(obj)
		if seen[key] {
			return fmt.Errorf("the chart renders %s %q twice", obj.GetKind(), idOf(obj))
		}
		seen[key] = true
	}
	return nil
}

func isDefinition(obj *unstructured.Unstructured) bool {
	gvk := obj.GroupVersionKind()
	return gvk.Group == "apiextensions.k8s.io" && gvk.Kind == "CustomResourceDefinition"
}

// dependencies returns for each object those that must be there before: the definition
// of its kind and its namespace.
func dependencies(objects []*unstructured.Unstructured) map[*unstructured.Unstructured][]*unstructured.Unstructured {
	definitions := map[string]*unstructured.Unstructured{}
	namespaces := map[string]*unstructured.Unstructured{}
	for _, obj := range objects {
		gvk := obj.GroupVersionKind()
		switch {
		case isDefinition(obj):
			group, _, _ := unstructured.NestedString(obj.Object, "spec", "group")
			kind, _, _ := unstructured.NestedString(obj.Object, "spec", "names", "kind")
			definitions[group+"/"+kind] = obj
		case gvk.Group == "" && gvk.Kind == "Namespace":
			namespaces[obj.GetName()] = obj
		}
	}
	result := map[*unstructured.Unstructured][]*unstructured.Unstructured{}
	for _, obj := range objects {
		gvk := obj.GroupVersionKind()
		if definition, ok := definitions[gvk.Group+"/"+gvk.Kind]; ok {
			result[obj] = append(result[obj], definition)
		}
		if namespace, ok := namespaces[obj.GetNamespace()]; ok {
			result[obj] = append(result[obj], namespace)
		}
	}
	return result
}
