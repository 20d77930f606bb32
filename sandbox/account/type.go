package account

import (
	"fmt"
	"slices"

	"github.com/strongroom-platform/strongroom/sandbox/account/schema"
)

// Unknown stands for a value that a preview does not know yet. It may stand
// for any value in the property maps that Check and Diff take.
type Unknown = schema.Unknown

// Failure says what is wrong with one property.
type Failure = schema.Failure

// Type is a resource type of the simulated account. Check and Diff are pure:
// they need no account, and work with unknown values.
type Type struct {
	Token string
	shape *schema.Resource
	rules
}

// rules is what the schema does not tell about a type. Paths are property
// names joined by dots; list indices are left out, so "ingress.cidrBlocks"
// means that list in every ingress block.
type rules struct {
	// name, where set, is the property that is named after the resource when
	// the program gives none.
	name *autoname
	// defaults of terraform-provider-aws. Defaults inside objects count only
	// where the object is given.
	defaults map[string]any
	// forceNew lists what cannot change in place.
	forceNew []string
	// computed lists optional properties that AWS fills in when the program
	// does not give them: taking them out of the program changes nothing.
	computed []string
	// sets lists the lists whose order means nothing.
	sets []string
	// documents lists the properties that hold JSON; formatting means nothing.
	documents []string
	// secrets lists top-level properties that stand encrypted in the journal.
	secrets []string
	// unmodelled lists inputs that the account refuses, because accepting
	// them without effect would be a lie.
	unmodelled []string
	// deleteBeforeReplace is set where two of a kind cannot stand side by side.
	deleteBeforeReplace bool

	// check finds what the schema cannot: values out of range, inputs that
	// exclude each other. It must let unknown values pass.
	check func(in Props) []Failure
	// replaces names, beyond forceNew, the properties whose change needs a
	// replacement.
	replaces func(old, new Props) []string

	// create checks references and fills in o.ID and the computed o.Outputs,
	// which hold the inputs already.
	create func(v *view, o *Object) error
	// update is given the stored object and the one with the new inputs, whose
	// Outputs hold the stored outputs with the new inputs over them.
	update func(v *view, old, o *Object) error
	// remove checks that nothing depends on the object and takes away what it
	// owns.
	remove func(v *view, o *Object) error
	// plan says, before an update, which computed outputs it will change: it makes
	// them Unknown in planned, which holds what is known already.
	plan func(oldOutputs, inputs, planned Props)
	// read brings up to date what depends on other objects.
	read func(v *view, o *Object)
	// slow is set for what takes a control plane to be started or stopped.
	slow *slow
}

// autoname is how pulumi-aws names a resource that the program does not name:
// the resource's name, a dash and seven hexadecimal digits.
type autoname struct {
	property string
	prefix   string // that AWS wants in front, such as "alias/"
	max      int    // longest name AWS takes
}

var registry = map[string]*Type{}

// register is called from each concern's file when the package starts. A
// problem is kept for Lookup to report.
var registryProblem error

func register(token string, r rules) struct{} {
	shape, err := schema.Lookup(token)
	if err != nil {
		registryProblem = err
		return struct{}{}
	}
	registry[token] = &Type{Token: token, shape: shape, rules: r}
	return struct{}{}
}

// Lookup returns a resource type by its Pulumi token.
func Lookup(token string) (*Type, error) {
	if registryProblem != nil {
		return nil, registryProblem
	}
	if t, ok := registry[token]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("resource type %q is not one that the simulated AWS account knows; it knows %d types, see the files of package sandbox/account", token, len(registry))
}

// Tokens returns the tokens of all resource types, sorted.
func Tokens() []string { return sorted(registry) }

// Taggable says whether the type takes tags.
func (t *Type) Taggable() bool {
	_, ok := t.shape.Inputs["tags"]
	return ok
}

func (t *Type) isSet(path string) bool      { return slices.Contains(t.sets, path) }
func (t *Type) isDocument(path string) bool { return slices.Contains(t.documents, path) }
