// Package libopenapi stands in for github.com/pb33f/libopenapi, which is a third of the
// whole compilation of the Pulumi CLI, for `pulumi api`: it lists and describes the
// API of Pulumi Cloud. Whoever calls that is told, by NewDocument; the rest is what the
// CLI compiles against.
package libopenapi

import (
	"errors"

	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// Document would be a description of an API.
type Document struct{}

// NewDocument fails: nothing below is reached.
func NewDocument([]byte) (Document, error) {
	return Document{}, errors.New("what describes the API of Pulumi Cloud is left out of the sandbox's build of the CLI (tools/pulumi/without/libopenapi): use a CLI from https://www.pulumi.com/docs/install/")
}

// DocumentModel would hold what is in a description.
type DocumentModel struct{ Model v3.Document }

// BuildV3Model returns an empty one.
func (Document) BuildV3Model() (*DocumentModel, error) { return &DocumentModel{}, nil }
