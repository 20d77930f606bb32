package account

import (
	"fmt"
	"slices"
)

// canonicalPolicy brings a policy document to a form in which two that mean the
// same are equal, as github.com/hashicorp/awspolicyequivalence compares them: a
// single value is a list of one, and the order of a list means nothing. Other
// documents stay as they are.
func canonicalPolicy(doc any) any {
	fields, ok := doc.(map[string]any)
	if !ok || fields["Statement"] == nil {
		return doc
	}
	statements, ok := fields["Statement"].([]any)
	if !ok {
		statements = []any{fields["Statement"]}
	}
	out := cloneMap(fields)
	canonical := []any{}
	for _, statement := range statements {
		canonical = append(canonical, canonicalStatement(statement))
	}
	out["Statement"] = canonical
	return out
}

func canonicalStatement(statement any) any {
	fields, ok := statement.(map[string]any)
	if !ok {
		return statement
	}
	out := map[string]any{}
	for name, value := range fields {
		switch name {
		case "Action", "NotAction", "Resource", "NotResource":
			out[name] = canonicalList(value)
		case "Principal", "NotPrincipal":
			out[name] = value
			if value == "*" {
				value = map[string]any{"AWS": "*"}
			}
			if byKind, ok := value.(map[string]any); ok {
				out[name] = canonicalLists(byKind)
			}
		case "Condition":
			out[name] = value
			if operators, ok := value.(map[string]any); ok {
				canonical := map[string]any{}
				for operator, keys := range operators {
					canonical[operator] = keys
					if byKey, ok := keys.(map[string]any); ok {
						canonical[operator] = canonicalLists(byKey)
					}
				}
				out[name] = canonical
			}
		default:
			out[name] = value
		}
	}
	return out
}

func canonicalLists(values map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range values {
		out[name] = canonicalList(value)
	}
	return out
}

// canonicalList sorts by text: the values are strings, and in conditions
// numbers and booleans too, which IAM reads as their text.
func canonicalList(value any) []string {
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	out := []string{}
	for _, item := range items {
		out = append(out, fmt.Sprint(item))
	}
	slices.Sort(out)
	return out
}
