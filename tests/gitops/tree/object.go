package tree

import (
	"fmt"
	"strings"
)

func (o object) text(keys ...string) string {
	s, _ := o.at(keys...).(string)
	return s
}

func (o object) object(keys ...string) object {
	m, _ := o.at(keys...).(map[string]any)
	return m
}

func (o object) list(keys ...string) []any {
	l, _ := o.at(keys...).([]any)
	return l
}

func (o object) at(keys ...string) any {
	var v any = map[string]any(o)
	for _, key := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func (o object) kind() string      { return o.text("kind") }
func (o object) name() string      { return o.text("metadata", "name") }
func (o object) namespace() string { return o.text("metadata", "namespace") }

// group is the API group, "" for the core.
func (o object) group() string {
	group, _, found := strings.Cut(o.text("apiVersion"), "/")
	if !found {
		return ""
	}
	return group
}

// String names the object as kubectl does, with its namespace.
func (o object) String() string {
	if o.namespace() == "" {
		return fmt.Sprintf("%s %s", o.kind(), o.name())
	}
	return fmt.Sprintf("%s %s/%s", o.kind(), o.namespace(), o.name())
}

// items are the elements of a list that are objects.
func items(list []any) []object {
	var objects []object
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			objects = append(objects, m)
		}
	}
	return objects
}
