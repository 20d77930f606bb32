package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing wrong with a stack's configuration.
type Problem struct {
	// Key is the full path of the key, such as "strongroom:network.cidr", or empty
	// when the problem is with the stack as a whole.
	Key string
	// Message says what was expected and what to do.
	Message string
}

func (p Problem) Error() string {
	if p.Key == "" {
		return p.Message
	}
	return fmt.Sprintf("config %s: %s", p.Key, p.Message)
}

// ConfigError is everything that is wrong with a stack's configuration.
type ConfigError struct {
	Stack    string
	Problems []Problem
}

// Error has one line per problem.
func (e *ConfigError) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0].Error()
	}
	lines := []string{fmt.Sprintf("Pulumi.%s.yaml has %d problems:", e.Stack, len(e.Problems))}
	for _, p := range e.Problems {
		lines = append(lines, "  "+p.Error())
	}
	return strings.Join(lines, "\n")
}

// decoder fills a struct from configuration values strictly: an unknown key, at
// any depth, and a value of the wrong type are problems. It goes on after each
// problem, so that a person sees all of them at once.
type decoder struct {
	problems []Problem
	present  map[string]bool
}

// decode fills cfg, which holds the defaults, from values by full key. A secret value
// of a setting that is not treated as one further on is refused, because it would come
// out in plain text in the state; so is a secret setting in plain text.
func decode(values map[string]string, secret func(key string) bool, cfg *Config) *decoder {
	d := &decoder{present: map[string]bool{}}
	fields := fieldsOf(reflect.ValueOf(cfg).Elem())
	for _, full := range slices.Sorted(maps.Keys(values)) {
		ns, key, _ := strings.Cut(full, ":")
		if ns != namespace {
			d.foreign(full, ns)
			continue
		}
		field, known := fields[key]
		switch {
		case !known:
			d.unknown(key, key, slices.Sorted(maps.Keys(fields)))
		case secret(full) && !isSecretKey(full):
			d.present[key] = true
			d.problem(key, "is encrypted, but is not treated as a secret: set it without --secret")
		case !secret(full) && isSecretKey(full):
			d.present[key] = true
			d.problem(key, "is in plain text, but is a secret: set it with `pulumi config set --secret`")
		default:
			d.top(key, values[full], field)
		}
	}
	return d
}

// foreign reports keys outside our namespace that have no effect: providers are
// explicit, so that aws:region, which people know from elsewhere, does nothing.
func (d *decoder) foreign(full, ns string) {
	switch {
	case ns == "pulumi":
		return
	case full == "aws:region":
		d.at(full, "has no effect: set "+namespace+":region")
	case distance(ns, namespace) <= 2:
		d.at(full, fmt.Sprintf("unknown namespace, did you mean %q?", namespace))
	default:
		d.at(full, fmt.Sprintf("has no effect: nothing reads keys outside %q, remove it", namespace))
	}
}

func (d *decoder) at(full, message string) {
	d.problems = append(d.problems, Problem{Key: full, Message: message})
}

// problem reports something wrong with the key at path, which is relative to our
// namespace. Only the first problem with a key, or with what it is part of, is
// kept: a list that is of the wrong type is not also too short.
func (d *decoder) problem(path, message string) {
	if !d.failed(path) {
		d.at(namespace+":"+path, message)
	}
}

func (d *decoder) problemf(path, format string, args ...any) {
	d.problem(path, fmt.Sprintf(format, args...))
}

// failed reports whether there is a problem with the key at path, with something
// inside it, or with what it is part of.
func (d *decoder) failed(path string) bool {
	inside := func(inner, outer string) bool {
		rest, ok := strings.CutPrefix(inner, outer)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	}
	return slices.ContainsFunc(d.problems, func(p Problem) bool {
		key, ours := strings.CutPrefix(p.Key, namespace+":")
		return ours && (inside(key, path) || inside(path, key))
	})
}

// has reports whether the key at path was given, with whatever value.
func (d *decoder) has(path string) bool { return d.present[path] }

// required reports whether the key at path was given, and if not, that it is missing.
func (d *decoder) required(path string) bool {
	if !d.has(path) {
		d.problem(path, "missing: this key is required")
	}
	return d.has(path)
}

// unknown reports the key at path, whose last part is key.
func (d *decoder) unknown(path, key string, known []string) {
	if near := nearest(key, known); near != "" {
		d.problemf(path, "unknown key, did you mean %q?", near)
		return
	}
	d.problemf(path, "unknown key: the keys here are %s", quoted(known))
}

// top decodes a top-level value, which Pulumi hands over as a string: objects and
// lists as JSON, anything else as it was written.
func (d *decoder) top(key, raw string, out reflect.Value) {
	var in any
	dec := json.NewDecoder(strings.NewReader(raw))
	dec.UseNumber()
	err := dec.Decode(&in)
	if err == nil {
		if _, end := dec.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		in = raw
	}
	switch in.(type) {
	case map[string]any, []any:
	default:
		switch out.Kind() {
		case reflect.String:
			in = raw // 1.36 and true are strings when a string is wanted
		case reflect.Slice, reflect.Map, reflect.Struct:
			if raw == "" { // how Pulumi writes an empty list or object
				d.present[key] = true
				return
			}
		}
	}
	d.value(key, in, out)
}

// value decodes in, as encoding/json has it with UseNumber, into out.
func (d *decoder) value(path string, in any, out reflect.Value) {
	d.present[path] = true
	switch out.Kind() {
	case reflect.String:
		if s, ok := in.(string); ok {
			out.SetString(s)
			return
		}
		if n, ok := in.(json.Number); ok {
			d.problemf(path, "expected a string, got the number %s: write it in quotes", n)
			return
		}
		d.mismatch(path, "a string", in)
	case reflect.Bool:
		if b, ok := in.(bool); ok {
			out.SetBool(b)
			return
		}
		d.mismatch(path, "true or false", in)
	case reflect.Int:
		if n, ok := in.(json.Number); ok {
			if i, err := strconv.Atoi(n.String()); err == nil {
				out.SetInt(int64(i))
				return
			}
		}
		d.mismatch(path, "a whole number", in)
	case reflect.Slice:
		list, ok := in.([]any)
		if !ok {
			d.mismatch(path, "a list", in)
			return
		}
		out.Set(reflect.MakeSlice(out.Type(), len(list), len(list)))
		for i, item := range list {
			d.value(index(path, i), item, out.Index(i))
		}
	case reflect.Map:
		d.object(path, in, out)
	case reflect.Struct:
		d.structure(path, in, out)
	default:
		d.problemf(path, "cannot be read: configuration has no values of type %s", out.Type())
	}
}

// object decodes a map from strings to strings, whose keys are free.
func (d *decoder) object(path string, in any, out reflect.Value) {
	object, ok := in.(map[string]any)
	if !ok {
		d.mismatch(path, "an object", in)
		return
	}
	out.Set(reflect.MakeMapWithSize(out.Type(), len(object)))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		item := reflect.New(out.Type().Elem()).Elem()
		d.value(path+"."+key, object[key], item)
		out.SetMapIndex(reflect.ValueOf(key), item)
	}
}

// structure decodes a struct, whose fields are the only keys there are.
func (d *decoder) structure(path string, in any, out reflect.Value) {
	object, ok := in.(map[string]any)
	if !ok {
		d.mismatch(path, "an object", in)
		return
	}
	fields := fieldsOf(out)
	for _, key := range slices.Sorted(maps.Keys(object)) {
		field, known := fields[key]
		if !known {
			d.unknown(path+"."+key, key, slices.Sorted(maps.Keys(fields)))
			continue
		}
		d.value(path+"."+key, object[key], field)
	}
}

func (d *decoder) mismatch(path, expected string, got any) {
	switch v := got.(type) {
	case nil:
		d.problemf(path, "expected %s, got nothing: give a value or remove the key", expected)
	case string:
		d.problemf(path, "expected %s, got the string %q", expected, v)
	case json.Number:
		d.problemf(path, "expected %s, got the number %s", expected, v)
	case bool:
		d.problemf(path, "expected %s, got %t", expected, v)
	case []any:
		d.problemf(path, "expected %s, got a list", expected)
	default:
		d.problemf(path, "expected %s, got an object", expected)
	}
}

// isSecretKey reports whether the setting with this full key is a secret: a field of
// Config with the tag `secret:"true"`.
func isSecretKey(full string) bool {
	ns, key, _ := strings.Cut(full, ":")
	for field := range reflect.TypeFor[Config]().Fields() {
		if ns == namespace && field.Tag.Get("config") == key {
			return field.Tag.Get("secret") == "true"
		}
	}
	return false
}

// fieldsOf returns the fields of a struct by their key.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		if key := v.Type().Field(i).Tag.Get("config"); key != "" && key != "-" {
			fields[key] = v.Field(i)
		}
	}
	return fields
}

// index is the path of the i-th item of the list at path.
func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
