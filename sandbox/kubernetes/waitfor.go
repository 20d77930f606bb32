package kubernetes

import (
	"bytes"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/jsonpath"
)

// parseCondition reads an expression of the pulumi.com/waitFor annotation:
// "condition=Type", "condition=Type=Status", "jsonpath={.path}" or
// "jsonpath={.path}=value", as kubectl wait takes them.
func parseCondition(expression string) (condition, error) {
	kind, rest, _ := strings.Cut(expression, "=")
	switch kind {
	case "condition":
		name, want, ok := strings.Cut(rest, "=")
		if !ok {
			want = "True"
		}
		if name == "" {
			return nil, fmt.Errorf("%q: expected condition=<type> or condition=<type>=<status>", expression)
		}
		return hasCondition(name, want), nil
	case "jsonpath":
		end := strings.LastIndex(rest, "}")
		if !strings.HasPrefix(rest, "{") || end < 0 {
			return nil, fmt.Errorf("%q: expected jsonpath={.path} or jsonpath={.path}=<value>", expression)
		}
		want, hasWant := strings.CutPrefix(rest[end+1:], "=")
		if !hasWant && rest[end+1:] != "" {
			return nil, fmt.Errorf("%q: expected jsonpath={.path} or jsonpath={.path}=<value>", expression)
		}
		path := jsonpath.New(expression).AllowMissingKeys(true)
		if err := path.Parse(rest[:end+1]); err != nil {
			return nil, fmt.Errorf("%q: %w", expression, err)
		}
		return hasValue(path, rest[:end+1], want, hasWant), nil
	}
	return nil, fmt.Errorf(`%q: expected "condition=" or "jsonpath="`, expression)
}

func hasValue(path *jsonpath.JSONPath, text, want string, hasWant bool) condition {
	return func(live *unstructured.Unstructured) (bool, string, error) {
		var out bytes.Buffer
		if err := path.Execute(&out, live.Object); err != nil {
			return false, "", fmt.Errorf("%s: %w", text, err)
		}
		is := out.String()
		if hasWant {
			return is == want, fmt.Sprintf("%s is %q, not %q", text, is, want), nil
		}
		return is != "", fmt.Sprintf("%s is not there yet", text), nil
	}
}
