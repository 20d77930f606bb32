package account

import (
	"maps"
	"slices"
)

// Props reads a property map. A missing property, a null and a value of
// another kind read as the zero value: kinds are checked against the schema
// before.
type Props map[string]any

// Has says whether the property is given and not null.
func (p Props) Has(key string) bool { return p[key] != nil }

// String returns a string property.
func (p Props) String(key string) string {
	s, _ := p[key].(string)
	return s
}

// StringOr returns a string property, or the default where it is not given.
func (p Props) StringOr(key, otherwise string) string {
	if s, ok := p[key].(string); ok && s != "" {
		return s
	}
	return otherwise
}

// Bool returns a boolean property, or the default where it is not given.
func (p Props) Bool(key string, otherwise bool) bool {
	if b, ok := p[key].(bool); ok {
		return b
	}
	return otherwise
}

// Int returns an integer property, or the default where it is not given.
func (p Props) Int(key string, otherwise int) int {
	if n, ok := p[key].(float64); ok {
		return int(n)
	}
	return otherwise
}

// Strings returns a list of strings.
func (p Props) Strings(key string) []string {
	items, _ := p[key].([]any)
	var out []string
	for _, item := range items {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Props returns an object or map property.
func (p Props) Props(key string) Props {
	m, _ := p[key].(map[string]any)
	return m
}

// List returns a list of objects.
func (p Props) List(key string) []Props {
	items, _ := p[key].([]any)
	var out []Props
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// StringMap returns a map of strings, such as tags.
func (p Props) StringMap(key string) map[string]string {
	m, _ := p[key].(map[string]any)
	out := map[string]string{}
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// list turns strings into a list as property maps hold it.
func list(items []string) []any {
	out := make([]any, len(items))
	for i, s := range items {
		out[i] = s
	}
	return out
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return cloneMap(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clone(v[i])
		}
		return out
	}
	return v
}

func cloneMap(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = clone(v)
	}
	return out
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
