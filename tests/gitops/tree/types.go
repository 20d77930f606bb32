package tree

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// Types are the definitions of resource types that are installed in the clusters.
type Types struct {
	// definitions are the files' YAML documents, read when their type is asked for.
	documents [][]byte

	mu    sync.Mutex
	known map[string]*kind
}

// kind is a resource type in one version.
type kind struct {
	deprecated bool
	warning    string
	structural *schema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
	// err says why objects of this type cannot be.
	err error
}

// LoadTypes finds the definitions, by the versions in tools/crds of a checkout.
func LoadTypes(ctx context.Context, checkout string) (*Types, error) {
	files, err := definitionFiles(ctx, checkout)
	if err != nil {
		return nil, err
	}
	t := &Types{known: map[string]*kind{}}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		t.documents = append(t.documents, bytes.Split(content, []byte("\n---\n"))...)
	}
	return t, nil
}

// Without returns the types without those of an API group, as if its definitions were
// not installed.
func (t *Types) Without(group string) *Types {
	rest := &Types{known: map[string]*kind{}}
	for _, d := range t.documents {
		if !bytes.Contains(d, []byte("\n  group: "+group+"\n")) {
			rest.documents = append(rest.documents, d)
		}
	}
	return rest
}

// check holds every object against the schema of its type.
func (t *Types) check(c *cluster) []error {
	var problems []error
	for _, name := range c.names() {
		for _, o := range c.units[name].objects {
			for _, err := range t.validate(o) {
				problems = append(problems, fmt.Errorf("Kustomization %s: %s: %w", name, o, err))
			}
		}
	}
	return problems
}

func (t *Types) validate(o object) []error {
	if builtIn(o) {
		return validateBuiltIn(o)
	}
	k := t.kind(o)
	if k.err != nil {
		return []error{k.err}
	}
	if k.deprecated {
		return []error{fmt.Errorf("%s of %s is deprecated: %s", o.text("apiVersion"), o.kind(), k.warning)}
	}
	content, ok := runtime.DeepCopyJSONValue(map[string]any(numbers(o))).(map[string]any)
	if !ok {
		return []error{fmt.Errorf("is no object")}
	}
	var problems []error
	unknown := pruning.PruneWithOptions(runtime.DeepCopyJSON(content), k.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		problems = append(problems, fmt.Errorf("%s: the type has no such field", path))
	}
	defaulting.Default(content, k.structural)
	errs := validation.ValidateCustomResource(nil, content, k.validator)
	if len(errs) == 0 {
		more, _ := k.rules.Validate(context.Background(), nil, k.structural, content, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, more...)
	}
	for _, err := range errs {
		problems = append(problems, fieldError(err))
	}
	return problems
}

func fieldError(err *field.Error) error { return fmt.Errorf("%s: %s", err.Field, err.ErrorBody()) }

// kind returns the type of an object.
func (t *Types) kind(o object) *kind {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := o.text("apiVersion") + " " + o.kind()
	if k, ok := t.known[key]; ok {
		return k
	}
	k := t.find(o)
	t.known[key] = k
	return k
}

func (t *Types) find(o object) *kind {
	var served []string
	for _, document := range t.documents {
		if !bytes.Contains(document, []byte("\n    kind: "+o.kind()+"\n")) || !bytes.Contains(document, []byte(o.group())) {
			continue
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(document, &crd); err != nil {
			return &kind{err: fmt.Errorf("the definition of its type cannot be read: %w", err)}
		}
		if crd.Kind != "CustomResourceDefinition" || crd.Spec.Group != o.group() || crd.Spec.Names.Kind != o.kind() {
			continue
		}
		for _, v := range crd.Spec.Versions {
			switch {
			case !v.Served:
			case crd.Spec.Group+"/"+v.Name == o.text("apiVersion"):
				return newKind(v)
			default:
				served = append(served, crd.Spec.Group+"/"+v.Name)
			}
		}
	}
	if len(served) > 0 {
		return &kind{err: fmt.Errorf("%s is not served any more: use one of %v", o.text("apiVersion"), served)}
	}
	return &kind{err: fmt.Errorf("no definition of %s in %s: is its module in tools/crds, and the chart that brings it in the tree?", o.kind(), o.text("apiVersion"))}
}

func newKind(v apiextensionsv1.CustomResourceDefinitionVersion) *kind {
	var internal apiextensions.CustomResourceValidation
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(v.Schema, &internal, nil); err != nil {
		return &kind{err: err}
	}
	structural, err := schema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return &kind{err: err}
	}
	validator, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return &kind{err: err}
	}
	k := &kind{
		deprecated: v.Deprecated,
		structural: structural,
		validator:  validator,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}
	if v.DeprecationWarning != nil {
		k.warning = *v.DeprecationWarning
	}
	return k
}

// numbers makes whole numbers integers, as the API server reads them.
func numbers(o object) object {
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			m := map[string]any{}
			for key, value := range v {
				m[key] = walk(value)
			}
			return m
		case []any:
			l := make([]any, len(v))
			for i, value := range v {
				l[i] = walk(value)
			}
			return l
		case float64:
			if v == float64(int64(v)) {
				return int64(v)
			}
		}
		return v
	}
	m, _ := walk(map[string]any(o)).(map[string]any)
	return m
}
