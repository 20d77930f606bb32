package tree

import (
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// variableForm is the one form of a variable that the tree uses: of the shell's others,
// such as ${a:-b}, Flux knows some and this check none.
var variableForm = regexp.MustCompile(`\$?\$\{[^}]*\}?`)

var nameForm = regexp.MustCompile(`^[_a-zA-Z][_a-zA-Z0-9]*$`)

// substitute fills in variables as Flux does with strict substitution: in the object's
// text, unless the object says otherwise, and an unknown one is an error.
// https://fluxcd.io/flux/components/kustomize/kustomizations/#post-build-variable-substitution
func substitute(o object, values map[string]string) (object, error) {
	const setting = "kustomize.toolkit.fluxcd.io/substitute"
	if o.text("metadata", "annotations", setting) == "disabled" || o.text("metadata", "labels", setting) == "disabled" {
		return o, nil
	}
	text, err := yaml.Marshal(o)
	if err != nil {
		return nil, err
	}
	var problem error
	filled := variableForm.ReplaceAllStringFunc(string(text), func(found string) string {
		if strings.HasPrefix(found, "$$") {
			return found[1:]
		}
		name := strings.TrimSuffix(strings.TrimPrefix(found, "${"), "}")
		value, known := values[name]
		switch {
		case problem != nil:
		case !nameForm.MatchString(name):
			problem = fmt.Errorf("%s is no plain variable: write ${name}, or $${...} for text that is not Flux's", found)
		case !known:
			problem = fmt.Errorf("variable ${%s} is no key of the runtime info of this cluster: add it to internal/runtimeinfo and to the stack", name)
		}
		return value
	})
	if problem != nil {
		return nil, problem
	}
	var result object
	if err := yaml.Unmarshal([]byte(filled), &result); err != nil {
		return nil, fmt.Errorf("after the substitution it is no YAML: %w", err)
	}
	return result, nil
}
