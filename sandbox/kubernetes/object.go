package kubernetes

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// dashed are the field names that the SDKs write with underscores.
var dashed = map[string]string{
	"x_kubernetes_embedded_resource":       "x-kubernetes-embedded-resource",
	"x_kubernetes_int_or_string":           "x-kubernetes-int-or-string",
	"x_kubernetes_list_map_keys":           "x-kubernetes-list-map-keys",
	"x_kubernetes_list_type":               "x-kubernetes-list-type",
	"x_kubernetes_map_type":                "x-kubernetes-map-type",
	"x_kubernetes_preserve_unknown_fields": "x-kubernetes-preserve-unknown-fields",
	"x_kubernetes_validations":             "x-kubernetes-validations",
}

var underscored = func() map[string]string {
	result := map[string]string{}
	for underscore, dash := range dashed {
		result[dash] = underscore
	}
	return result
}()

// renamed returns v with the keys of its objects renamed.
func renamed(v any, names map[string]string) any {
	switch v := v.(type) {
	case map[string]any:
		result := make(map[string]any, len(v))
		for key, element := range v {
			if name, ok := names[key]; ok {
				key = name
			}
			result[key] = renamed(element, names)
		}
		return result
	case []any:
		result := make([]any, len(v))
		for i, element := range v {
			result[i] = renamed(element, names)
		}
		return result
	default:
		return v
	}
}

// objectOf makes the object that the inputs describe, and reports whether everything in
// it is known. Keys beside those of an object (an id, Pulumi's own) are left out.
func objectOf(inputs resource.PropertyMap) (obj *unstructured.Unstructured, known bool, err error) {
	own := make(resource.PropertyMap, len(inputs))
	for key, v := range inputs {
		if !resource.IsInternalPropertyKey(key) && key != "id" {
			own[key] = v
		}
	}
	plain, known := plugin.PlainMap(own)
	encoded, err := json.Marshal(renamed(plain, dashed))
	if err != nil {
		return nil, false, fmt.Errorf("the inputs cannot be written as JSON: %w", err)
	}
	content := map[string]any{}
	if err := utiljson.Unmarshal(encoded, &content); err != nil {
		return nil, false, fmt.Errorf("the inputs cannot be read as JSON: %w", err)
	}
	return &unstructured.Unstructured{Object: content}, known, nil
}

// propertiesOf is the inverse of objectOf.
func propertiesOf(obj map[string]any) resource.PropertyMap {
	content, _ := renamed(obj, underscored).(map[string]any)
	return resource.NewPropertyMapFromMap(content)
}

// idOf is the id of an object: "namespace/name", or "name" outside namespaces.
func idOf(obj *unstructured.Unstructured) string {
	if namespace := obj.GetNamespace(); namespace != "" {
		return namespace + "/" + obj.GetName()
	}
	return obj.GetName()
}

// parseID is the inverse of idOf.
func parseID(id string) (namespace, name string) {
	if namespace, name, ok := strings.Cut(id, "/"); ok {
		return namespace, name
	}
	return "", id
}

// gvkOf is the kind that properties name.
func gvkOf(properties resource.PropertyMap) schema.GroupVersionKind {
	opened := plugin.Open(properties)
	text := func(key resource.PropertyKey) string {
		if v := opened[key]; v.IsString() {
			return v.StringValue()
		}
		return ""
	}
	return schema.FromAPIVersionAndKind(strings.TrimPrefix(text("apiVersion"), "core/"), text("kind"))
}

// metadataOf returns the metadata, opened of its secret, and whether it is an object: it
// may also be missing or unknown.
func metadataOf(inputs resource.PropertyMap) (resource.PropertyMap, bool) {
	v, ok := inputs["metadata"]
	if !ok || v.IsNull() {
		return resource.PropertyMap{}, true
	}
	for v.IsSecret() || v.IsOutput() && v.OutputValue().Known {
		if v.IsSecret() {
			v = v.SecretValue().Element
		} else {
			v = v.OutputValue().Element
		}
	}
	if !v.IsObject() {
		return nil, false
	}
	return v.ObjectValue(), true
}

// textIn reads a known text, "" for anything else.
func textIn(m resource.PropertyMap, key resource.PropertyKey) string {
	plain, known := plugin.Plain(m[key])
	text, _ := plain.(string)
	if !known {
		return ""
	}
	return text
}

// annotationOf reads an annotation of an object.
func annotationOf(obj *unstructured.Unstructured, key string) string {
	return obj.GetAnnotations()[key]
}
