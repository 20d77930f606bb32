package kubernetes

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Keys of the state beside the live object's, named as the official plugin names them.
const (
	inputsKey            = "__inputs"
	initialAPIVersionKey = "__initialApiVersion"
	fieldManagerKey      = "__fieldManager"
)

// stateOf is what is kept of an object: the live one, the inputs that made it, and the
// name its fields were applied under.
func stateOf(live *unstructured.Unstructured, inputs resource.PropertyMap, initialAPIVersion, manager string) resource.PropertyMap {
	live = live.DeepCopy()
	// A record of field names, long and of no use to a program.
	unstructured.RemoveNestedField(live.Object, "metadata", "managedFields")
	state := propertiesOf(live.Object)
	keepSecret(state, inputs)
	kept := inputs.Copy()
	keepSecret(kept, inputs)
	state[inputsKey] = resource.NewProperty(kept)
	state[initialAPIVersionKey] = resource.NewProperty(initialAPIVersion)
	state[fieldManagerKey] = resource.NewProperty(manager)
	return state
}

// inputsOf returns the inputs an object was last made with: what the engine kept, else
// what the state holds.
func inputsOf(kept, state resource.PropertyMap) resource.PropertyMap {
	if len(kept) > 0 {
		return kept
	}
	v := state[inputsKey]
	for v.IsSecret() {
		v = v.SecretValue().Element
	}
	if v.IsObject() {
		return v.ObjectValue()
	}
	return resource.PropertyMap{}
}

// initialAPIVersion is the version an object was created with.
func initialAPIVersion(state, inputs resource.PropertyMap) string {
	if kept := textIn(state, initialAPIVersionKey); kept != "" {
		return kept
	}
	return textIn(inputs, "apiVersion")
}

// previewed is the state of an object that a dry run made: what the server will only
// decide when it stores the object is unknown.
func previewed(state resource.PropertyMap, inputs resource.PropertyMap, created bool) resource.PropertyMap {
	delete(state, "status")
	unknown := resource.MakeComputed(resource.NewProperty(""))
	if v := state["metadata"]; v.IsObject() {
		metadata := v.ObjectValue()
		metadata["resourceVersion"] = unknown
		if _, ok := metadata["generation"]; ok {
			metadata["generation"] = unknown
		}
		if created {
			metadata["uid"], metadata["creationTimestamp"] = unknown, unknown
		}
	}
	// The addresses of a Service are drawn anew when it is created.
	if gvk := gvkOf(state); created && gvk.Group == "" && gvk.Kind == "Service" && state["spec"].IsObject() {
		asked, _ := plugin.Plain(inputs["spec"])
		spec, _ := asked.(map[string]any)
		for _, key := range []resource.PropertyKey{"clusterIP", "clusterIPs", "healthCheckNodePort"} {
			if _, ok := state["spec"].ObjectValue()[key]; ok && spec[string(key)] == nil {
				state["spec"].ObjectValue()[key] = unknown
			}
		}
	}
	return state
}

// pruned returns what a live object has for the properties that the inputs name: the
// rest was filled in by the cluster and is nobody's intention.
func pruned(live map[string]any, inputs resource.PropertyMap) map[string]any {
	result := map[string]any{}
	for key, input := range inputs {
		value, ok := live[string(key)]
		if name, isDashed := dashed[string(key)]; isDashed {
			value, ok = live[name]
		}
		if ok {
			result[string(key)] = prunedValue(value, plugin.Open(resource.PropertyMap{"": input})[""])
		}
	}
	return result
}

func prunedValue(live any, input resource.PropertyValue) any {
	switch live := live.(type) {
	case map[string]any:
		if input.IsObject() {
			return pruned(live, input.ObjectValue())
		}
	case []any:
		if !input.IsArray() {
			return live
		}
		elements := input.ArrayValue()
		result := make([]any, 0, len(live))
		for i, element := range live {
			if i < len(elements) {
				element = prunedValue(element, elements[i])
			}
			result = append(result, element)
		}
		return result
	}
	return live
}

// liveInputs are the inputs as the cluster has them now, in the form the program wrote
// them in.
func liveInputs(live *unstructured.Unstructured, inputs resource.PropertyMap) resource.PropertyMap {
	content := pruned(live.Object, inputs)
	if isSecretKind(inputs) {
		if v := plugin.Open(inputs)["stringData"]; v.IsObject() {
			content["stringData"] = stringDataOf(live.Object, v.ObjectValue())
		}
	}
	result := propertiesOf(content)
	keepSecret(result, inputs)
	return result
}

// importedInputs are the inputs of an object that was not made here: all of it, without
// what only the cluster writes.
func importedInputs(live *unstructured.Unstructured) resource.PropertyMap {
	content := live.DeepCopy().Object
	delete(content, "status")
	for _, field := range readOnly {
		unstructured.RemoveNestedField(content, "metadata", field)
	}
	unstructured.RemoveNestedField(content, "metadata", "annotations", "deployment.kubernetes.io/revision")
	unstructured.RemoveNestedField(content, "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
	result := propertiesOf(content)
	keepSecret(result, nil)
	return result
}

// readOnly are the fields of metadata that only the cluster writes.
var readOnly = []string{"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp",
	"generation", "managedFields", "resourceVersion", "selfLink", "uid"}
