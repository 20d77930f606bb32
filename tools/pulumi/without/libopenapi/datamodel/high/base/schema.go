// Package base stands in for the original's schemas.
package base

import (
	"github.com/pb33f/libopenapi/orderedmap"
	"go.yaml.in/yaml/v4"
)

// Info would be about an API.
type Info struct{ Version string }

// DynamicValue would be one of two.
type DynamicValue[A, B any] struct {
	A A
	B B
}

// IsA is never so.
func (*DynamicValue[A, B]) IsA() bool { return false }

// SchemaProxy would resolve to a schema.
type SchemaProxy struct{}

// Schema is none.
func (*SchemaProxy) Schema() *Schema { return nil }

// Discriminator would tell schemas apart.
type Discriminator struct {
	PropertyName string
	Mapping      *orderedmap.Map[string, string]
}

// Schema would be the shape of a value.
type Schema struct {
	Type                         []string
	Format, Pattern, Description string
	AllOf, OneOf, AnyOf          []*SchemaProxy
	Discriminator                *Discriminator
	Items, AdditionalProperties  *DynamicValue[*SchemaProxy, bool]
	Properties                   *orderedmap.Map[string, *SchemaProxy]
	Required                     []string
	Enum                         []*yaml.Node
	Default                      *yaml.Node
	Minimum, Maximum, MultipleOf *float64
	MinLength, MaxLength         *int64
	Nullable, ReadOnly           *bool
	Extensions                   *orderedmap.Map[string, *yaml.Node]
}

// MarshalJSONInline is empty.
func (*Schema) MarshalJSONInline() ([]byte, error) { return nil, nil }

// Low would be what a schema was read from.
type Low struct{}

// GoLow is none.
func (*Schema) GoLow() *Low { return nil }

// Hash is nothing.
func (*Low) Hash() uint64 { return 0 }
