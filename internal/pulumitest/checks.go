package pulumitest

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// CheckParents fails when a resource stands directly under the stack that
// belongs into a component. Components, providers and stack references may.
func (g *Graph) CheckParents(t testing.TB) {
	t.Helper()
	for _, r := range g.Resources {
		if g.ParentOf(r) != nil || r.Component() || r.Type == stackReferenceType ||
			strings.HasPrefix(r.Type, "pulumi:providers:") {
			continue
		}
		t.Errorf("%s has no parent: it must be the child of a component", r)
	}
}

// CheckNames fails when the name of a component's child does not start with
// the component's name.
func (g *Graph) CheckNames(t testing.TB) {
	t.Helper()
	for _, r := range g.Resources {
		parent := g.ParentOf(r)
		if parent == nil || !parent.Component() {
			continue
		}
		if !strings.HasPrefix(r.Name, parent.Name+"-") {
			t.Errorf("%s is a child of %s: its name must start with %q", r, parent, parent.Name+"-")
		}
	}
}

// CheckOutputs fails when a component did not register its outputs. (The
// simulated engine refuses a second registration.)
func (g *Graph) CheckOutputs(t testing.TB) {
	t.Helper()
	for _, r := range g.Resources {
		if r.Component() && !r.outputsRegistered {
			t.Errorf("%s did not register its outputs", r)
		}
	}
}

// CheckTags fails when a taggable resource lacks one of the tags.
func (g *Graph) CheckTags(t testing.TB, want map[string]string) {
	t.Helper()
	for _, r := range g.Resources {
		input := types[r.Type].TagsInput
		if input == "" || r.Read {
			continue
		}
		got, _ := r.Get(input).(map[string]any)
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s: tag %q is %v, want %q", r, key, got[key], value)
			}
		}
	}
}

// CheckProviders fails when a resource or an invoke would use a default
// provider of one of the packages ("aws", "kubernetes").
func (g *Graph) CheckProviders(t testing.TB, packages ...string) {
	t.Helper()
	for _, pkg := range packages {
		for _, r := range g.Resources {
			if strings.HasPrefix(r.Type, pkg+":") && r.Provider == "" && !r.Remote {
				t.Errorf("%s uses the default provider of %q", r, pkg)
			}
		}
		for _, c := range g.Calls {
			if strings.HasPrefix(c.Token, pkg+":") && c.Provider == "" {
				t.Errorf("the call of %s uses the default provider of %q", c.Token, pkg)
			}
		}
	}
}

// CheckProtect fails when a stateful resource is not protected, or with
// protected false when one is.
func (g *Graph) CheckProtect(t testing.TB, protected bool) {
	t.Helper()
	for _, r := range g.Resources {
		if types[r.Type].Stateful && r.Protect != protected {
			t.Errorf("%s: protect is %t, want %t", r, r.Protect, protected)
		}
	}
}

// CheckNoPlaintext fails when one of the values stands anywhere in the inputs
// or outputs outside of a secret.
func (g *Graph) CheckNoPlaintext(t testing.TB, values ...string) {
	t.Helper()
	for _, value := range values {
		for _, where := range g.plaintext(value) {
			t.Errorf("%s holds a secret value in plain text", where)
		}
	}
}

func (g *Graph) plaintext(value string) []string {
	var found []string
	look := func(where string, properties resource.PropertyMap) {
		for key, v := range properties {
			if holds(v, value) {
				found = append(found, fmt.Sprintf("%s, property %q", where, key))
			}
		}
	}
	for _, r := range g.Resources {
		look("the inputs of "+r.String(), r.Inputs)
		look("the outputs of "+r.String(), r.Outputs)
	}
	look("the stack's outputs", g.Outputs)
	sort.Strings(found)
	return found
}

func holds(v resource.PropertyValue, value string) bool {
	switch {
	case v.IsString():
		return strings.Contains(v.StringValue(), value)
	case v.IsArray():
		for _, e := range v.ArrayValue() {
			if holds(e, value) {
				return true
			}
		}
	case v.IsObject():
		for key, e := range v.ObjectValue() {
			if strings.Contains(string(key), value) || holds(e, value) {
				return true
			}
		}
	}
	return false
}
