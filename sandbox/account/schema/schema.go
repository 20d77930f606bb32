// Package schema holds the shape of the AWS resource types that the simulated
// account knows: every input and output property with its type, and which
// inputs are required.
//
// The shapes are not written by hand. types.json is derived by package derive
// from the Args and State structs of the pulumi-aws Go SDK, and a test there
// fails when the file no longer matches the SDK in go.mod. They are kept as
// data so that the account does not import the SDK: that makes its tests fast
// to build and lets them run under the race detector.
package schema

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sort"
	"sync"
)

// Kind is the kind of a property's value.
type Kind string

// The kinds. Number covers integers too; values are float64, as in JSON.
const (
	String  Kind = "string"
	Bool    Kind = "bool"
	Integer Kind = "int"
	Number  Kind = "number"
	List    Kind = "list"
	Map     Kind = "map"
	Obj     Kind = "object"
	Any     Kind = "any"
)

// Property is the shape of one value.
type Property struct {
	Kind     Kind                `json:"kind"`
	Required bool                `json:"required,omitempty"`
	Elem     *Property           `json:"elem,omitempty"`  // of a list or map
	Props    map[string]Property `json:"props,omitempty"` // of an object
}

// Resource is the shape of a resource type.
type Resource struct {
	Inputs  map[string]Property `json:"inputs"`
	Outputs map[string]Property `json:"outputs"`
}

//go:embed types.json
var types []byte

var load = sync.OnceValues(func() (map[string]*Resource, error) {
	resources := map[string]*Resource{}
	if err := json.Unmarshal(types, &resources); err != nil {
		return nil, fmt.Errorf("types.json of the simulated account cannot be read: %w", err)
	}
	return resources, nil
})

// Lookup returns the shape of a resource type by its Pulumi token, such as
// "aws:ec2/vpc:Vpc".
func Lookup(token string) (*Resource, error) {
	resources, err := load()
	if err != nil {
		return nil, err
	}
	r, ok := resources[token]
	if !ok {
		return nil, fmt.Errorf("resource type %q has no schema in the simulated account", token)
	}
	return r, nil
}

// Tokens returns the tokens of all resource types, sorted.
func Tokens() ([]string, error) {
	resources, err := load()
	if err != nil {
		return nil, err
	}
	tokens := make([]string, 0, len(resources))
	for token := range resources {
		tokens = append(tokens, token)
	}
	sort.Strings(tokens)
	return tokens, nil
}
