// Package derive derives the resource shapes of package schema from the
// pulumi-aws Go SDK. It is used by its own test only, so that the account does
// not depend on the SDK.
//
// After a change of the SDK's version, or of the list of types, run
//
//	go test ./sandbox/account/schema/derive -update
package derive

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/strongroom-platform/strongroom/sandbox/account/schema"
)

// structured is what the SDK's Args and State structs implement: the plain
// struct behind them carries the property names as tags.
type structured interface{ ElementType() reflect.Type }

// Source is one resource type of the SDK.
type Source struct {
	Token string
	Args  structured
	State structured
}

// Resource derives the shape of one type. required holds the inputs that the
// SDK's constructor insists on; see Required.
func Resource(s Source, required map[string]bool) (*schema.Resource, error) {
	inputs, err := properties(s.Args.ElementType())
	if err != nil {
		return nil, fmt.Errorf("inputs of %q: %w", s.Token, err)
	}
	for name := range required {
		p, ok := inputs[name]
		if !ok {
			return nil, fmt.Errorf("inputs of %q: required property %q does not exist", s.Token, name)
		}
		p.Required = true
		inputs[name] = p
	}
	outputs, err := properties(s.State.ElementType())
	if err != nil {
		return nil, fmt.Errorf("outputs of %q: %w", s.Token, err)
	}
	// In a State struct a scalar is always a pointer; nothing there is required.
	for name, p := range outputs {
		p.Required = false
		outputs[name] = p
	}
	return &schema.Resource{Inputs: inputs, Outputs: outputs}, nil
}

func properties(t reflect.Type) (map[string]schema.Property, error) {
	props := map[string]schema.Property{}
	for i := range t.NumField() {
		field := t.Field(i)
		name, tagged := field.Tag.Lookup("pulumi")
		if !tagged {
			continue
		}
		p, err := property(field.Type)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		// An optional scalar or object is a pointer. Lists, maps and
		// interfaces do not tell.
		switch field.Type.Kind() {
		case reflect.String, reflect.Bool, reflect.Int, reflect.Float64, reflect.Struct:
			p.Required = true
		}
		props[name] = p
	}
	return props, nil
}

func property(t reflect.Type) (schema.Property, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return schema.Property{Kind: schema.String}, nil
	case reflect.Bool:
		return schema.Property{Kind: schema.Bool}, nil
	case reflect.Int:
		return schema.Property{Kind: schema.Integer}, nil
	case reflect.Float64:
		return schema.Property{Kind: schema.Number}, nil
	case reflect.Interface:
		return schema.Property{Kind: schema.Any}, nil
	case reflect.Slice, reflect.Map:
		elem, err := property(t.Elem())
		if err != nil {
			return schema.Property{}, err
		}
		kind := schema.List
		if t.Kind() == reflect.Map {
			kind = schema.Map
		}
		return schema.Property{Kind: kind, Elem: &elem}, nil
	case reflect.Struct:
		props, err := properties(t)
		if err != nil {
			return schema.Property{}, err
		}
		return schema.Property{Kind: schema.Obj, Props: props}, nil
	}
	return schema.Property{}, fmt.Errorf("no rule for Go type %s", t)
}

// Required reads, from the SDK's source in dir, which inputs the constructors
// refuse to go without: for lists and maps the types alone do not tell. The
// result is keyed by the constructed type's name, such as "NodeGroup".
func Required(dir string) (map[string]map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	required := map[string]map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range parsed.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "New") {
				continue
			}
			names := map[string]bool{}
			ast.Inspect(fn, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					return true
				}
				if name, ok := strings.CutPrefix(text, "invalid value for required argument '"); ok {
					names[lowerFirst(strings.TrimSuffix(name, "'"))] = true
				}
				return true
			})
			required[strings.TrimPrefix(fn.Name.Name, "New")] = names
		}
	}
	return required, nil
}

func lowerFirst(s string) string {
	r := []rune(s)
	r[0] = unicode.ToLower(r[0])
	return string(r)
}
