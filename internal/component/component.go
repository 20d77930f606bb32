// Package component holds what every strongroom component does the same way:
// registering itself with its inputs, and being the parent of what it makes.
package component

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

var tokenForm = regexp.MustCompile(`^strongroom:[a-z][a-z0-9]*:[A-Z][A-Za-z0-9]*$`)

// Register registers c under a type token of the form
// "strongroom:<package>:<Type>" and records inputs in the state, so that
// `pulumi stack export` and the console show what a component was asked for.
//
// Call it after the arguments were validated and before any child is made.
func Register(
	ctx *pulumi.Context, token, name string, inputs pulumi.Map, c pulumi.ComponentResource,
	opts ...pulumi.ResourceOption,
) error {
	if !tokenForm.MatchString(token) {
		return fmt.Errorf("component %q: type token %q is not of the form strongroom:<package>:<Type>", name, token)
	}
	if name == "" {
		return fmt.Errorf("component of type %q: the name is empty", token)
	}
	if err := ctx.RegisterComponentResourceV2(token, name, inputs, c, opts...); err != nil {
		return fmt.Errorf("registering %s %q: %w", token, name, err)
	}
	return nil
}

// Child returns the options for a resource that parent makes: its parent, then
// extra. A new slice every time, so that callers can append to it.
func Child(parent pulumi.Resource, extra ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append([]pulumi.ResourceOption{pulumi.Parent(parent)}, extra...)
}
