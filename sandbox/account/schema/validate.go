package schema

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// Unknown stands for a value that is not known yet: an output of a resource
// that a preview has not created. It can be any value inside a property map.
type Unknown struct{}

// Failure says what is wrong with one property.
type Failure struct {
	Property string // path, such as "vpcConfig.subnetIds[0]"
	Reason   string
}

// Validate checks values against a set of properties. Unknown values fit
// everywhere. Keys that start with "__" belong to the engine and are skipped.
func Validate(props map[string]Property, values map[string]any) []Failure {
	return object("", props, values)
}

func object(path string, props map[string]Property, values map[string]any) []Failure {
	var failures []Failure
	for _, key := range sortedKeys(values) {
		if strings.HasPrefix(key, "__") {
			continue
		}
		prop, known := props[key]
		if !known {
			reason := "there is no such property"
			if near := nearest(key, props); near != "" {
				reason += fmt.Sprintf("; did you mean %q?", near)
			}
			failures = append(failures, Failure{join(path, key), reason})
			continue
		}
		failures = append(failures, value(join(path, key), prop, values[key])...)
	}
	for _, key := range sortedKeys(props) {
		if v, given := values[key]; props[key].Required && (!given || v == nil) {
			failures = append(failures, Failure{join(path, key), "is required"})
		}
	}
	return failures
}

func value(path string, prop Property, v any) []Failure {
	if v == nil {
		return nil
	}
	if _, unknown := v.(Unknown); unknown {
		return nil
	}
	wrong := func(want string) []Failure {
		return []Failure{{path, fmt.Sprintf("expected %s, got %s", want, describe(v))}}
	}
	switch prop.Kind {
	case String:
		if _, ok := v.(string); !ok {
			return wrong("a string")
		}
	case Bool:
		if _, ok := v.(bool); !ok {
			return wrong("true or false")
		}
	case Integer:
		n, ok := v.(float64)
		if !ok {
			return wrong("an integer")
		}
		if n != math.Trunc(n) {
			return wrong("an integer")
		}
	case Number:
		if _, ok := v.(float64); !ok {
			return wrong("a number")
		}
	case List:
		items, ok := v.([]any)
		if !ok {
			return wrong("a list")
		}
		var failures []Failure
		for i, item := range items {
			at := fmt.Sprintf("%s[%d]", path, i)
			if item == nil {
				failures = append(failures, Failure{at, "is null"})
				continue
			}
			failures = append(failures, value(at, *prop.Elem, item)...)
		}
		return failures
	case Map:
		m, ok := v.(map[string]any)
		if !ok {
			return wrong("a map")
		}
		var failures []Failure
		for _, key := range sortedKeys(m) {
			failures = append(failures, value(join(path, key), *prop.Elem, m[key])...)
		}
		return failures
	case Obj:
		m, ok := v.(map[string]any)
		if !ok {
			return wrong("an object")
		}
		return object(path, prop.Props, m)
	case Any:
	}
	return nil
}

func describe(v any) string {
	switch v := v.(type) {
	case string:
		return "a string"
	case bool:
		return "true or false"
	case float64:
		if v == math.Trunc(v) {
			return "an integer"
		}
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return fmt.Sprintf("a %T", v)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// nearest returns the known property closest to a wrong one, or "" when
// nothing is close enough to be a slip of the hand.
func nearest(key string, props map[string]Property) string {
	best, bestDistance := "", 1+len(key)/3
	for _, known := range sortedKeys(props) {
		if d := distance(strings.ToLower(key), strings.ToLower(known)); d < bestDistance {
			best, bestDistance = known, d
		}
	}
	return best
}

// distance is the Levenshtein distance between two strings.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
