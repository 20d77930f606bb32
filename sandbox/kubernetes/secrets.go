package kubernetes

import (
	"encoding/base64"
	"unicode/utf8"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// isSecretKind reports whether properties are a core Secret.
func isSecretKind(properties resource.PropertyMap) bool {
	gvk := gvkOf(properties)
	return gvk.Group == "" && gvk.Kind == "Secret"
}

// keepSecret makes values secret that come from secret inputs, and the data of every
// Secret, also those in a list or in a template.
func keepSecret(properties, inputs resource.PropertyMap) {
	if v := properties["kind"]; v.IsString() && v.StringValue() == "Secret" {
		for _, key := range []resource.PropertyKey{"data", "stringData"} {
			if v, ok := properties[key]; ok && !v.IsNull() && !v.IsSecret() {
				properties[key] = resource.MakeSecret(v)
			}
		}
	}
	for key, input := range inputs {
		value, ok := properties[key]
		switch {
		case !ok || value.IsSecret():
		case value.IsObject() && input.IsObject():
			keepSecret(value.ObjectValue(), input.ObjectValue())
		case input.ContainsSecrets():
			properties[key] = resource.MakeSecret(value)
		}
	}
}

// dataOf merges a Secret's stringData into its data, as the API server does when it
// stores one: stringData can be written, never read. The properties are opened ones.
func dataOf(opened resource.PropertyMap) resource.PropertyMap {
	if !isSecretKind(opened) {
		return opened
	}
	result := opened.Copy()
	if v := result["stringData"]; v.IsComputed() {
		result["data"] = v
	} else if v.IsObject() {
		data := resource.PropertyMap{}
		if v := result["data"]; v.IsObject() {
			data = v.ObjectValue().Copy()
		}
		for key, v := range v.ObjectValue() {
			if v.IsString() {
				v = resource.NewProperty(base64.StdEncoding.EncodeToString([]byte(v.StringValue())))
			}
			data[key] = v
		}
		if !result["data"].IsComputed() {
			result["data"] = resource.NewProperty(data)
		}
	}
	delete(result, "stringData")
	return result
}

// encodeStringData does the same to an object before it is applied: a server-side apply
// of stringData would leave keys behind that are taken out of it later.
func encodeStringData(obj *unstructured.Unstructured) {
	gvk := obj.GroupVersionKind()
	stringData, ok := obj.Object["stringData"].(map[string]any)
	if gvk.Group != "" || gvk.Kind != "Secret" || !ok {
		return
	}
	data, _ := obj.Object["data"].(map[string]any)
	if data == nil {
		data = map[string]any{}
	}
	for key, v := range stringData {
		if text, ok := v.(string); ok {
			data[key] = base64.StdEncoding.EncodeToString([]byte(text))
		}
	}
	obj.Object["data"] = data
	delete(obj.Object, "stringData")
}

// stringDataOf reads the values of a live Secret for the keys that the inputs gave as
// stringData. A value that is no text any more is left out, which counts as a change.
func stringDataOf(live map[string]any, inputs resource.PropertyMap) map[string]any {
	data, _ := live["data"].(map[string]any)
	result := map[string]any{}
	for key := range inputs {
		encoded, _ := data[string(key)].(string)
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if _, ok := data[string(key)]; ok && err == nil && utf8.Valid(decoded) {
			result[string(key)] = string(decoded)
		}
	}
	return result
}
