package vaultprovider

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"unicode"

	"github.com/hashicorp/vault/api"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// shape is the type of a property.
type shape int

const (
	isText shape = iota
	isNumber
	isFlag
	isList
	isSet // a list whose order does not matter
	isMap
	isObject
)

// field is one input property of a resource type.
type field struct {
	shape    shape
	required bool
	secret   bool
	// replaces is set where a change needs a new object.
	replaces bool
	// vaultDecides is set where Vault fills in what is not given.
	vaultDecides bool
	// fallback is the value of an input that is not given; nil for none.
	fallback any
	// vault is the name in Vault's API; empty: the property's in snake case.
	vault string
	// inside are the properties of an object; nil: they are free.
	inside map[string]field
}

// kind is a resource type.
type kind struct {
	fields map[string]field
	// computed are the outputs that are not inputs.
	computed []string
	// id is the id of the object, which is its path in Vault.
	id func(inputs map[string]any) string
	// create and update write the object; inputs are complete with defaults.
	create func(ctx context.Context, c *api.Client, inputs map[string]any) error
	update func(ctx context.Context, c *api.Client, olds, inputs map[string]any) error
	// read returns the properties of the object, nil when there is none.
	read func(ctx context.Context, c *api.Client, inputs map[string]any) (map[string]any, error)
	// mounted returns what is mounted at the path, of types that mount something, before
	// it is configured too.
	mounted func(ctx context.Context, c *api.Client, inputs map[string]any) (map[string]any, error)
	// remove is nil where there is nothing to remove.
	remove func(ctx context.Context, c *api.Client, state map[string]any) error
}

// check returns a failure per wrong input. Unknown values are taken on trust until they
// are known.
func (k *kind) check(news resource.PropertyMap) []*pulumirpc.CheckFailure {
	var failures []*pulumirpc.CheckFailure
	fail := func(property, format string, args ...any) {
		failures = append(failures, &pulumirpc.CheckFailure{Property: property, Reason: fmt.Sprintf(format, args...)})
	}
	names := make([]string, 0, len(k.fields))
	for name := range k.fields {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, key := range news.StableKeys() {
		if resource.IsInternalPropertyKey(key) || news[key].IsNull() {
			continue
		}
		f, ok := k.fields[string(key)]
		if !ok {
			fail(string(key), "the sandbox's provider \"vault\" has no property %q here: expected one of %s", key, strings.Join(names, ", "))
			continue
		}
		plain, known := plugin.Plain(news[key])
		if known && !f.shape.fits(plain) {
			fail(string(key), "%s: expected %s", key, f.shape)
		}
		if inside, ok := plain.(map[string]any); ok && f.inside != nil {
			for _, name := range slices.Sorted(maps.Keys(inside)) {
				if _, ok := f.inside[name]; !ok && !resource.IsInternalPropertyKey(resource.PropertyKey(name)) {
					fail(string(key)+"."+name, "the sandbox's provider \"vault\" has no property %q in %s: expected one of %s",
						name, key, strings.Join(slices.Sorted(maps.Keys(f.inside)), ", "))
				}
			}
		}
	}
	for _, name := range names {
		if v, ok := news[resource.PropertyKey(name)]; k.fields[name].required && (!ok || v.IsNull()) {
			fail(name, "missing required property %q", name)
		}
	}
	return failures
}

// normal returns the inputs without nulls, bookkeeping and what the type does not have,
// with defaults filled in and sets in order.
func (k *kind) normal(inputs resource.PropertyMap) resource.PropertyMap {
	filled := resource.PropertyMap{}
	for name, f := range k.fields {
		key := resource.PropertyKey(name)
		v, ok := inputs[key]
		switch {
		case (!ok || v.IsNull()) && f.fallback != nil:
			filled[key] = resource.NewPropertyValue(f.fallback)
		case !ok || v.IsNull():
		case f.shape == isSet:
			filled[key] = sorted(v)
		default:
			filled[key] = withoutInternal(v)
		}
	}
	return filled
}

// sorted orders a set of which everything is known.
func sorted(v resource.PropertyValue) resource.PropertyValue {
	plain, known := plugin.Plain(v)
	list, ok := plain.([]any)
	if !known || !ok {
		return v
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	ordered := resource.NewPropertyValue(list)
	if v.ContainsSecrets() {
		return resource.MakeSecret(ordered)
	}
	return ordered
}

func withoutInternal(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return resource.MakeSecret(withoutInternal(v.SecretValue().Element))
	case v.IsObject():
		cleaned := resource.PropertyMap{}
		for key, e := range v.ObjectValue() {
			if !resource.IsInternalPropertyKey(key) && !e.IsNull() {
				cleaned[key] = withoutInternal(e)
			}
		}
		return resource.NewProperty(cleaned)
	}
	return v
}

// withSecrets marks the outputs that are always secret.
func (k *kind) withSecrets(outputs resource.PropertyMap) resource.PropertyMap {
	for name, f := range k.fields {
		key := resource.PropertyKey(name)
		if v, ok := outputs[key]; ok && f.secret && !v.ContainsSecrets() {
			outputs[key] = resource.MakeSecret(v)
		}
	}
	return outputs
}

// data returns the body of a request that writes the named properties. What was given
// before and is not any more is written as nothing, or Vault would keep it.
func (k *kind) data(olds, inputs map[string]any, names ...string) map[string]any {
	body := map[string]any{}
	for _, name := range names {
		f := k.fields[name]
		if v, ok := inputs[name]; ok {
			body[f.name(name)] = v
		} else if old, had := olds[name]; had && !f.zero(old) {
			body[f.name(name)] = f.shape.nothing()
		}
	}
	return body
}

// told returns what Vault answered, by property.
func (k *kind) told(answer map[string]any, names ...string) map[string]any {
	found := map[string]any{}
	for _, name := range names {
		f := k.fields[name]
		if v, ok := answer[f.name(name)]; ok {
			found[name] = f.plain(v)
		}
	}
	return found
}

func (f field) name(property string) string {
	if f.vault != "" {
		return f.vault
	}
	return snake(property)
}

func snake(property string) string {
	var b strings.Builder
	for _, r := range property {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// plain brings an answer of Vault into the form of the property.
func (f field) plain(v any) any {
	switch value := v.(type) {
	case nil:
		return f.shape.nothing()
	case json.Number:
		if n, err := value.Float64(); err == nil {
			return n
		}
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, e := range value {
			// Claims come back as lists, and are given as texts with commas.
			if list, ok := e.([]any); ok {
				e = joined(list)
			}
			out[key] = fmt.Sprint(e)
		}
		return out
	case []any:
		list := slices.Clone(value)
		if f.shape == isSet {
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		return list
	}
	return v
}

func joined(list []any) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = fmt.Sprint(e)
	}
	return strings.Join(parts, ",")
}

// same compares a property of the state with what Vault has.
func (f field) same(old, now resource.PropertyValue) bool {
	a, known := plugin.Plain(old)
	b, _ := plugin.Plain(now)
	if !known {
		return false
	}
	if f.zero(a) && f.zero(b) {
		return true
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// zero reports whether a value is as good as none.
func (f field) zero(v any) bool {
	switch value := v.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case float64:
		return value == 0
	case bool:
		return !value
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

func (s shape) fits(v any) bool {
	switch value := v.(type) {
	case string:
		return s == isText
	case bool:
		return s == isFlag
	case float64:
		return s == isNumber && value == math.Trunc(value)
	case []any:
		return s == isList || s == isSet
	case map[string]any:
		return s == isMap || s == isObject
	}
	return false
}

func (s shape) nothing() any {
	switch s {
	case isNumber:
		return 0.0
	case isFlag:
		return false
	case isList, isSet:
		return []any{}
	case isMap, isObject:
		return map[string]any{}
	}
	return ""
}

func (s shape) String() string {
	return [...]string{"a string", "a whole number", "true or false", "a list", "a list", "an object of strings", "an object"}[s]
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func flag(m map[string]any, key string) bool {
	b, _ := m[key].(bool)
	return b
}

func parseObject(s string) (map[string]any, error) {
	var out map[string]any
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		return nil, fmt.Errorf("expected an object: %w", err)
	}
	return out, nil
}
