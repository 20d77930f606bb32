package pulumitest

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// UnknownValue is what the plain form of a value (Resource.Get) has in the
// place of an unknown.
const UnknownValue = unknownValue("<unknown>")

type unknownValue string

// Resource is one registration.
type Resource struct {
	Type, Name, URN string
	ID              string // empty for components, and when unknown
	Parent          string // URN
	Custom          bool   // false for components
	Remote          bool   // a component that a provider builds (eks.Cluster)
	Read            bool   // looked up, not made (StackReference)
	Inputs          resource.PropertyMap
	State           resource.PropertyMap // what the provider answered
	Outputs         resource.PropertyMap // what a component registered; nil when it registered none

	Provider             string // "<urn>::<id>"; empty means the default provider
	Providers            map[string]string
	Version              string              // of the provider that is asked for
	Dependencies         []string            // URNs, of dependsOn and of all inputs
	PropertyDependencies map[string][]string // URNs by input
	Protect              bool
	RetainOnDelete       bool
	DeletedWith          string // URN of what takes this one with it
	DeleteBeforeReplace  bool
	IgnoreChanges        []string
	ReplaceOnChanges     []string
	// ReplacementTrigger is the value whose change replaces the resource; nil
	// without one.
	ReplacementTrigger      any
	AdditionalSecretOutputs []string
	ImportID                string
	// Timeouts as given, such as "30m"; empty means the provider's default.
	CreateTimeout, UpdateTimeout, DeleteTimeout string

	outputsRegistered bool
	implicit          bool
}

// CallRecord is one invoke.
type CallRecord struct {
	Token    string
	Args     resource.PropertyMap
	Provider string
}

// Graph is what a program registered, in the order of registration (which is
// not the order of the source: do not assert on it).
type Graph struct {
	Resources []*Resource
	Calls     []CallRecord
	Logs      []string             // "warning: text"
	Outputs   resource.PropertyMap // the outputs of the stack

	root  string
	byURN map[string]*Resource
}

// Component reports whether r is a component of this program.
func (r *Resource) Component() bool { return !r.Custom && !r.Remote }

// String is "<type> <name>", for messages.
func (r *Resource) String() string { return fmt.Sprintf("%s %q", r.Type, r.Name) }

// Get returns the input at a dotted path ("tags.Name", "routes.0.cidrBlock") in
// plain Go values: nil when it is not set, numbers as float64, secrets opened,
// unknowns as UnknownValue. A key that contains dots is written ["a.b"].
func (r *Resource) Get(path string) any {
	v, ok := at(r.Inputs, path)
	if !ok {
		return nil
	}
	return plainValue(v)
}

// Plain returns all inputs in plain Go values.
func (r *Resource) Plain() map[string]any { return plain(r.Inputs) }

// IsSecret reports whether the input at path, or anything that holds it, is
// secret.
func (r *Resource) IsSecret(path string) bool { return isSecret(r.Inputs, path) }

// IsSecretOutput is IsSecret for the outputs that a component registered.
func (r *Resource) IsSecretOutput(path string) bool { return isSecret(r.Outputs, path) }

// Output returns the output of a component at path in plain Go values.
func (r *Resource) Output(path string) any {
	v, ok := at(r.Outputs, path)
	if !ok {
		return nil
	}
	return plainValue(v)
}

// Output returns the stack's output at path in plain Go values.
func (g *Graph) Output(path string) any {
	v, ok := at(g.Outputs, path)
	if !ok {
		return nil
	}
	return plainValue(v)
}

// IsSecretOutput reports whether the stack's output at path is secret.
func (g *Graph) IsSecretOutput(path string) bool { return isSecret(g.Outputs, path) }

// Find returns the resource, or nil.
func (g *Graph) Find(typ, name string) *Resource {
	for _, r := range g.Resources {
		if r.Type == typ && r.Name == name {
			return r
		}
	}
	return nil
}

// Get returns the resource and fails the test when there is none; the message
// lists the names that the type has.
func (g *Graph) Get(t testing.TB, typ, name string) *Resource {
	t.Helper()
	if r := g.Find(typ, name); r != nil {
		return r
	}
	var names []string
	for _, r := range g.OfType(typ) {
		names = append(names, r.Name)
	}
	if len(names) == 0 {
		t.Fatalf("no %s %q, and none of that type; registered are:\n%s", typ, name, g)
	}
	t.Fatalf("no %s %q; of that type there are %q", typ, name, names)
	return nil
}

// OfType returns all resources of a type, sorted by name.
func (g *Graph) OfType(typ string) []*Resource {
	var out []*Resource
	for _, r := range g.Resources {
		if r.Type == typ {
			out = append(out, r)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Names returns the names of OfType.
func (g *Graph) Names(typ string) []string {
	out := []string{}
	for _, r := range g.OfType(typ) {
		out = append(out, r.Name)
	}
	return out
}

// ParentOf returns the parent, or nil when that is the stack.
func (g *Graph) ParentOf(r *Resource) *Resource {
	if r.Parent == g.root {
		return nil
	}
	return g.byURN[r.Parent]
}

// ChildrenOf returns what has r as its parent, in the order of registration.
func (g *Graph) ChildrenOf(r *Resource) []*Resource {
	var out []*Resource
	for _, child := range g.Resources {
		if child.Parent == r.URN {
			out = append(out, child)
		}
	}
	return out
}

// DependsOn reports whether a depends on b, directly or through others. A
// resource depends on its parent, as in the engine. Destroy order follows it
// backwards.
func (g *Graph) DependsOn(a, b *Resource) bool {
	seen := map[string]bool{}
	var walk func(urn string) bool
	walk = func(urn string) bool {
		r, ok := g.byURN[urn]
		if !ok || seen[urn] {
			return false
		}
		seen[urn] = true
		for _, next := range append(append([]string{}, r.Dependencies...), r.Parent) {
			if next == b.URN || walk(next) {
				return true
			}
		}
		return false
	}
	return walk(a.URN)
}

// SameResources reports the resources that one of the graphs has and the other
// has not, by URN.
func (g *Graph) SameResources(other *Graph) error {
	var only []string
	for _, r := range g.Resources {
		if other.byURN[r.URN] == nil {
			only = append(only, "only in the first: "+r.URN)
		}
	}
	for _, r := range other.Resources {
		if g.byURN[r.URN] == nil {
			only = append(only, "only in the second: "+r.URN)
		}
	}
	if len(only) == 0 {
		return nil
	}
	sort.Strings(only)
	return errors.New(strings.Join(only, "\n"))
}

// String lists the resources, sorted, one per line.
func (g *Graph) String() string {
	lines := make([]string, 0, len(g.Resources))
	for _, r := range g.Resources {
		lines = append(lines, r.Type+" "+r.Name)
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// unexpectedUnknowns reports inputs and outputs that are unknown although every
// listed output is known: their source is an output that is not in the table.
func (g *Graph) unexpectedUnknowns() error {
	var found []string
	for _, r := range g.Resources {
		for key, v := range r.Inputs {
			if !v.ContainsUnknowns() {
				continue
			}
			line := fmt.Sprintf("input %q of %s is unknown", key, r)
			var sources []string
			for _, urn := range r.PropertyDependencies[string(key)] {
				if dep := g.byURN[urn]; dep != nil && !dep.Component() {
					sources = append(sources, dep.String())
				}
			}
			if len(sources) > 0 {
				sort.Strings(sources)
				line += ": it comes from " + strings.Join(sources, ", ")
			}
			found = append(found, line)
		}
		for key, v := range r.Outputs {
			if v.ContainsUnknowns() {
				found = append(found, fmt.Sprintf("output %q of %s is unknown", key, r))
			}
		}
	}
	for key, v := range g.Outputs {
		if v.ContainsUnknowns() {
			found = append(found, fmt.Sprintf("stack output %q is unknown", key))
		}
	}
	if len(found) == 0 {
		return nil
	}
	sort.Strings(found)
	return fmt.Errorf("outputs are read that the table of internal/pulumitest/types.go does not list:\n%s",
		strings.Join(found, "\n"))
}

// plain turns properties into plain Go values.
func plain(props resource.PropertyMap) map[string]any {
	out := make(map[string]any, len(props))
	for k, v := range props {
		out[string(k)] = plainValue(v)
	}
	return out
}

func plainValue(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return plainValue(v.SecretValue().Element)
	case v.IsComputed(), v.IsOutput():
		return UnknownValue
	case v.IsArray():
		out := make([]any, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			out[i] = plainValue(e)
		}
		return out
	case v.IsObject():
		return plain(v.ObjectValue())
	case v.IsResourceReference():
		return string(v.ResourceReferenceValue().URN)
	}
	return v.V
}

// at walks a dotted path, opening secrets on the way.
func at(props resource.PropertyMap, path string) (resource.PropertyValue, bool) {
	v := resource.NewProperty(props)
	for _, step := range splitPath(path) {
		for v.IsSecret() {
			v = v.SecretValue().Element
		}
		switch {
		case v.IsObject():
			next, ok := v.ObjectValue()[resource.PropertyKey(step)]
			if !ok {
				return resource.PropertyValue{}, false
			}
			v = next
		case v.IsArray():
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v.ArrayValue()) {
				return resource.PropertyValue{}, false
			}
			v = v.ArrayValue()[i]
		default:
			return v, v.IsComputed()
		}
	}
	return v, true
}

func isSecret(props resource.PropertyMap, path string) bool {
	steps := splitPath(path)
	v := resource.NewProperty(props)
	for _, step := range steps {
		switch {
		case v.IsObject():
			v = v.ObjectValue()[resource.PropertyKey(step)]
		case v.IsArray():
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v.ArrayValue()) {
				return false
			}
			v = v.ArrayValue()[i]
		default:
			return false
		}
		if v.IsSecret() {
			return true
		}
	}
	return v.ContainsSecrets()
}

// splitPath takes a path apart at dots and brackets: tags.Name, tags["a.b"],
// rules[0].id and rules.0.id. A bracket that is not closed is part of a name.
func splitPath(path string) []string {
	var out []string
	for path != "" {
		if step, rest, ok := bracketed(path); ok {
			out = append(out, step)
			path = strings.TrimPrefix(rest, ".")
			continue
		}
		// From the second character on: a bracket here is none.
		cut := strings.IndexAny(path[1:], ".[") + 1
		if cut == 0 {
			return append(out, path)
		}
		out = append(out, path[:cut])
		path = strings.TrimPrefix(path[cut:], ".")
	}
	return out
}

// bracketed takes ["key"] or [0] off the front of a path.
func bracketed(path string) (step, rest string, ok bool) {
	if inner, isKey := strings.CutPrefix(path, `["`); isKey {
		return strings.Cut(inner, `"]`)
	}
	if inner, isIndex := strings.CutPrefix(path, "["); isIndex {
		return strings.Cut(inner, "]")
	}
	return "", "", false
}
