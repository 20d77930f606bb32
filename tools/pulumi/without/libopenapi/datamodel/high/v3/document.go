// Package v3 stands in for the original's documents.
package v3

import (
	"github.com/pb33f/libopenapi/datamodel/high/base"
	"github.com/pb33f/libopenapi/orderedmap"
	"go.yaml.in/yaml/v4"
)

// Document would describe an API.
type Document struct {
	Info       *base.Info
	Components *Components
	Paths      *Paths
}

// Components would be what its operations share.
type Components struct {
	Schemas *orderedmap.Map[string, *base.SchemaProxy]
}

// Paths would be where it answers.
type Paths struct {
	PathItems *orderedmap.Map[string, *PathItem]
}

// PathItem would be the operations of one path.
type PathItem struct{ Get, Post, Put, Delete, Patch, Head *Operation }

// Operation would be one of them.
type Operation struct {
	OperationId, Summary, Description string
	Tags                              []string
	Parameters                        []*Parameter
	RequestBody                       *RequestBody
	Responses                         *Responses
	Deprecated                        *bool
	Extensions                        *orderedmap.Map[string, *yaml.Node]
}

// Parameter would be one of its parameters.
type Parameter struct {
	Name, In, Description string
	Required              *bool
	Schema                *base.SchemaProxy
}

// RequestBody would be what it takes.
type RequestBody struct {
	Content *orderedmap.Map[string, *MediaType]
}

// Responses would be what it answers.
type Responses struct {
	Codes   *orderedmap.Map[string, *Response]
	Default *Response
}

// Response would be one of these.
type Response struct {
	Description string
	Content     *orderedmap.Map[string, *MediaType]
}

// MediaType would be the shape of a body.
type MediaType struct{ Schema *base.SchemaProxy }
