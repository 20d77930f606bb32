package account

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/account/schema"
)

// defaultsKey is where the engine's providers keep the names of the inputs
// that they chose themselves. It tells a name given by the program from one
// that was made up.
const defaultsKey = "__defaults"

// Check validates inputs, which may hold unknown values, and completes them
// with the type's defaults and, where the program gives no name, with a name
// made from the resource's name. olds are the checked inputs of the existing
// resource, or nil; a made-up name is kept from them.
//
// randomSeed makes the name the same each time the engine asks; an empty seed
// names by the resource's name alone.
func (t *Type) Check(olds, news map[string]any, urnName string, randomSeed []byte) (map[string]any, []Failure) {
	checked := map[string]any{}
	for key, v := range news {
		if v != nil && !strings.HasPrefix(key, "__") {
			checked[key] = t.normalize(key, v)
		}
	}
	var chosen []string
	for _, key := range sorted(t.defaults) {
		if t.applyDefault(checked, strings.Split(key, "."), t.defaults[key]) {
			chosen = append(chosen, key)
		}
	}
	if failures := t.autoname(olds, checked, urnName, randomSeed, &chosen); len(failures) > 0 {
		return nil, failures
	}
	failures := t.Validate(checked)
	if len(failures) > 0 {
		return nil, failures
	}
	if len(chosen) > 0 {
		checked[defaultsKey] = list(chosen)
	}
	return checked, nil
}

// Validate finds what is wrong with checked inputs.
func (t *Type) Validate(inputs map[string]any) []Failure {
	failures := schema.Validate(t.shape.Inputs, inputs)
	for _, path := range t.unmodelled {
		if given(inputs, strings.Split(path, ".")) {
			failures = append(failures, Failure{Property: path, Reason: "is not modelled by the simulated AWS account; leave it out"})
		}
	}
	if len(failures) > 0 {
		return failures
	}
	for _, path := range t.documents {
		failures = append(failures, checkDocument(path, Props(inputs)[path])...)
	}
	if t.Taggable() {
		failures = append(failures, checkTags(inputs["tags"])...)
	}
	if t.check != nil {
		failures = append(failures, t.check(inputs)...)
	}
	return failures
}

// normalize brings a value to the form that the account keeps: numbers are
// float64, and a policy document given as an object becomes its JSON text.
func (t *Type) normalize(path string, v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = t.normalize(path, v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			if item != nil {
				out[k] = t.normalize(path+"."+k, item)
			}
		}
		if t.isDocument(path) && !hasUnknown(out) {
			if text, err := json.Marshal(out); err == nil {
				return string(text)
			}
		}
		return out
	}
	return v
}

func (t *Type) applyDefault(in map[string]any, path []string, value any) bool {
	if len(path) == 1 {
		if in[path[0]] != nil {
			return false
		}
		in[path[0]] = clone(value)
		return true
	}
	nested, ok := in[path[0]].(map[string]any)
	if !ok {
		return false
	}
	return t.applyDefault(nested, path[1:], value)
}

func (t *Type) autoname(olds, checked map[string]any, urnName string, seed []byte, chosen *[]string) []Failure {
	if t.name == nil || checked[t.name.property] != nil || checked[t.name.property+"Prefix"] != nil {
		return nil
	}
	if t.shape.Inputs[t.name.property].Kind != schema.String {
		return nil
	}
	*chosen = append(*chosen, t.name.property)
	// A name that was made up before stays: a new one would be a replacement.
	if old := Props(olds).String(t.name.property); old != "" && isChosen(olds, t.name.property) {
		checked[t.name.property] = old
		return nil
	}
	sum := sha256.Sum256(append([]byte(urnName+"\x00"), seed...))
	name := t.name.prefix + urnName + "-" + hex.EncodeToString(sum[:])[:7]
	if len(name) > t.name.max {
		return []Failure{{Property: t.name.property, Reason: fmt.Sprintf(
			"the name made from the resource's name, %q, has %d characters, AWS takes at most %d: give %q or use a shorter resource name",
			name, len(name), t.name.max, t.name.property)}}
	}
	checked[t.name.property] = name
	return nil
}

func isChosen(inputs map[string]any, property string) bool {
	for _, name := range Props(inputs).Strings(defaultsKey) {
		if name == property {
			return true
		}
	}
	return false
}

func given(in map[string]any, path []string) bool {
	v := in[path[0]]
	if v == nil {
		return false
	}
	if len(path) > 1 {
		switch v := v.(type) {
		case map[string]any:
			return given(v, path[1:])
		case []any:
			for _, item := range v {
				if m, ok := item.(map[string]any); ok && given(m, path[1:]) {
					return true
				}
			}
		}
		return false
	}
	switch v := v.(type) {
	case bool:
		return v
	case []any:
		return len(v) > 0
	}
	return true
}

func hasUnknown(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return true
	case []any:
		for _, item := range v {
			if hasUnknown(item) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if hasUnknown(item) {
				return true
			}
		}
	}
	return false
}
