package plugin

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// Unmarshal reads properties as the engine sends them, with unknown, secret, output and
// asset values kept as such. A nil struct gives an empty map.
func Unmarshal(properties *structpb.Struct) (resource.PropertyMap, error) {
	m, err := plugin.UnmarshalProperties(properties, unmarshalOptions)
	if err != nil {
		return nil, fmt.Errorf("reading properties from the engine: %w", err)
	}
	return m, nil
}

// Marshal writes properties as the engine reads them. Output values are written as the
// secret or unknown value they hold, because a provider's answer has no other form.
func Marshal(properties resource.PropertyMap) (*structpb.Struct, error) {
	return marshal(properties, false)
}

// MarshalOutputs writes properties with output values and the resources they depend on.
// Only requests that carry output values (Construct, Call, RegisterResource) use it.
func MarshalOutputs(properties resource.PropertyMap) (*structpb.Struct, error) {
	return marshal(properties, true)
}

func marshal(properties resource.PropertyMap, outputs bool) (*structpb.Struct, error) {
	s, err := plugin.MarshalProperties(properties, plugin.MarshalOptions{
		KeepUnknowns:     true,
		KeepSecrets:      true,
		KeepResources:    true,
		KeepOutputValues: outputs,
	})
	if err != nil {
		return nil, fmt.Errorf("writing properties for the engine: %w", err)
	}
	return s, nil
}

// Plain returns the value as ordinary Go values (nil, bool, float64, string, []any,
// map[string]any) with secrets unwrapped, and whether everything in it is known.
// Unknown values become nil.
func Plain(v resource.PropertyValue) (plain any, known bool) {
	switch {
	case v.IsNull():
		return nil, true
	case v.IsSecret():
		return Plain(v.SecretValue().Element)
	case v.IsOutput():
		if !v.OutputValue().Known {
			return nil, false
		}
		return Plain(v.OutputValue().Element)
	case v.IsComputed():
		return nil, false
	case v.IsArray():
		known = true
		list := make([]any, len(v.ArrayValue()))
		for i, element := range v.ArrayValue() {
			var ok bool
			list[i], ok = Plain(element)
			known = known && ok
		}
		return list, known
	case v.IsObject():
		return PlainMap(v.ObjectValue())
	default:
		return v.V, true
	}
}

// PlainMap is Plain for a property map. Null properties are left out.
func PlainMap(m resource.PropertyMap) (plain map[string]any, known bool) {
	known = true
	plain = make(map[string]any, len(m))
	for k, v := range m {
		if v.IsNull() {
			continue
		}
		value, ok := Plain(v)
		known = known && ok
		plain[string(k)] = value
	}
	return plain, known
}

// PropertyOf is the inverse of Plain. Integers become numbers.
func PropertyOf(v any) resource.PropertyValue { return resource.NewPropertyValue(v) }

// Diff compares inputs property by property. Each changed path is an update, or a
// replacement where replaces says so; a nil replaces never replaces. Secrets and plain
// values with the same content are equal, and an unknown value counts as changed.
func Diff(olds, news resource.PropertyMap, replaces func(path resource.PropertyPath) bool) *pulumirpc.DiffResponse {
	response := &pulumirpc.DiffResponse{
		Changes:         pulumirpc.DiffResponse_DIFF_NONE,
		HasDetailedDiff: true,
		DetailedDiff:    map[string]*pulumirpc.PropertyDiff{},
	}
	diff := Open(olds).Diff(Open(news))
	if diff == nil {
		return response
	}
	response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	seen := map[string]bool{}
	for path, d := range plugin.NewDetailedDiffFromObjectDiff(diff, true) {
		parsed, err := resource.ParsePropertyPath(path)
		if err != nil {
			// A key no path syntax can name: report the whole object it stands in.
			parsed = resource.PropertyPath{path}
		}
		kind := map[plugin.DiffKind]pulumirpc.PropertyDiff_Kind{
			plugin.DiffAdd:    pulumirpc.PropertyDiff_ADD,
			plugin.DiffDelete: pulumirpc.PropertyDiff_DELETE,
			plugin.DiffUpdate: pulumirpc.PropertyDiff_UPDATE,
		}[d.Kind]
		top := fmt.Sprint(parsed[0])
		if replaces != nil && replaces(parsed) {
			kind = map[plugin.DiffKind]pulumirpc.PropertyDiff_Kind{
				plugin.DiffAdd:    pulumirpc.PropertyDiff_ADD_REPLACE,
				plugin.DiffDelete: pulumirpc.PropertyDiff_DELETE_REPLACE,
				plugin.DiffUpdate: pulumirpc.PropertyDiff_UPDATE_REPLACE,
			}[d.Kind]
			response.Replaces = append(response.Replaces, path)
		}
		response.DetailedDiff[path] = &pulumirpc.PropertyDiff{Kind: kind, InputDiff: true}
		if !seen[top] {
			seen[top] = true
			response.Diffs = append(response.Diffs, top)
		}
	}
	return response
}

// Open returns the properties with secrets and known outputs replaced by the value they
// hold, for comparing. Its result must not be shown or stored.
func Open(m resource.PropertyMap) resource.PropertyMap {
	opened := make(resource.PropertyMap, len(m))
	for k, v := range m {
		opened[k] = openValue(v)
	}
	return opened
}

func openValue(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return openValue(v.SecretValue().Element)
	case v.IsOutput():
		if !v.OutputValue().Known {
			return resource.MakeComputed(resource.NewProperty(""))
		}
		return openValue(v.OutputValue().Element)
	case v.IsArray():
		list := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, element := range v.ArrayValue() {
			list[i] = openValue(element)
		}
		return resource.NewProperty(list)
	case v.IsObject():
		return resource.NewProperty(Open(v.ObjectValue()))
	default:
		return v
	}
}
