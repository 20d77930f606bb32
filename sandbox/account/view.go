package account

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/account/journal"
	"github.com/strongroom-platform/strongroom/sandbox/account/schema"
)

// view is the account as one operation sees it: the stored objects with the
// operation's own changes over them. Nothing is changed until commit.
type view struct {
	a       *Account
	puts    map[string]*Object
	deletes map[string]bool
	caller  string // ARN of the principal that acts
}

// view starts a view. The account must be locked as long as it is used.
func (a *Account) view() *view {
	return &view{a: a, puts: map[string]*Object{}, deletes: map[string]bool{}}
}

// get returns an object that must not be changed, or nil.
func (v *view) get(typ, id string) *Object {
	k := key(typ, id)
	if v.deletes[k] {
		return nil
	}
	if o, ok := v.puts[k]; ok {
		return o
	}
	return v.a.objects[typ][id]
}

// edit returns an object for changing, or nil.
func (v *view) edit(typ, id string) *Object {
	o := v.get(typ, id)
	if o == nil {
		return nil
	}
	if changed, ok := v.puts[o.key()]; ok {
		return changed
	}
	c := o.clone()
	v.puts[o.key()] = c
	return c
}

func (v *view) put(o *Object) {
	delete(v.deletes, o.key())
	v.puts[o.key()] = o
}

func (v *view) del(typ, id string) {
	k := key(typ, id)
	delete(v.puts, k)
	v.deletes[k] = true
}

// all returns the objects of a type that match, ordered by ID. They must not
// be changed.
func (v *view) all(typ string, match func(*Object) bool) []*Object {
	var out []*Object
	for id := range v.a.objects[typ] {
		if o := v.get(typ, id); o != nil && match(o) {
			out = append(out, o)
		}
	}
	for _, o := range v.puts {
		if o.Type == typ && v.a.objects[typ][o.ID] == nil && match(o) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(x, y *Object) int { return strings.Compare(x.ID, y.ID) })
	return out
}

// first returns one object of a type that matches, or nil.
func (v *view) first(typ string, match func(*Object) bool) *Object {
	if found := v.all(typ, match); len(found) > 0 {
		return found[0]
	}
	return nil
}

// own adds an object that AWS makes by itself for another one.
func (v *view) own(owner *Object, typ, id string, outputs map[string]any) *Object {
	o := &Object{
		Type: typ, ID: id, Region: owner.Region, Owner: owner.key(), Created: v.a.now().UTC(),
		Inputs: map[string]any{}, Outputs: outputs,
	}
	v.put(o)
	return o
}

// owned returns the objects that AWS made for another one.
func (v *view) owned(owner *Object, typ string) []*Object {
	return v.all(typ, func(o *Object) bool { return o.Owner == owner.key() })
}

// dropOwned deletes what AWS made for an object.
func (v *view) dropOwned(owner *Object, types ...string) {
	for _, typ := range types {
		for _, o := range v.owned(owner, typ) {
			v.del(o.Type, o.ID)
		}
	}
}

// current returns a copy of an object with its outputs up to date.
func (v *view) current(o *Object) *Object {
	c := o.clone()
	if t := registry[o.Type]; t != nil && t.read != nil {
		t.read(v, c)
	}
	return c
}

// commit makes the view's changes durable, then visible: all of them or none.
func (a *Account) commit(v *view) error {
	if a.closed {
		return fmt.Errorf("the simulated account is closed")
	}
	change := journal.Change{Put: map[string]json.RawMessage{}}
	for k, o := range v.puts {
		if err := checkShape(o); err != nil {
			return err
		}
		record, err := json.Marshal(a.seal.closed(o))
		if err != nil {
			return fmt.Errorf("object %q: %w", k, err)
		}
		change.Put[k] = record
	}
	change.Delete = sorted(v.deletes)
	if len(change.Put) == 0 && len(change.Delete) == 0 {
		return nil
	}
	if err := a.journal.Append(change); err != nil {
		return fmt.Errorf("state of the simulated account: %w", err)
	}
	for k := range v.deletes {
		typ, id, _ := strings.Cut(k, " ")
		delete(a.objects[typ], id)
	}
	for _, o := range v.puts {
		a.store(o)
	}
	return nil
}

// checkShape holds the account itself to the schema: an output of a wrong name
// or type would reach the program as a lost value.
func checkShape(o *Object) error {
	t := registry[o.Type]
	if t == nil {
		return nil // not a type that programs see, such as a network interface
	}
	for what, failures := range map[string][]schema.Failure{
		"input":  schema.Validate(optional(t.shape.Inputs), o.Inputs),
		"output": schema.Validate(t.shape.Outputs, o.Outputs),
	} {
		if len(failures) > 0 {
			return fmt.Errorf("simulated account: %s %q of %s %q: %s", what, failures[0].Property, o.Type, o.ID, failures[0].Reason)
		}
	}
	return nil
}

// optional drops the requirement of top-level inputs: objects that AWS made by
// itself have none.
func optional(props map[string]schema.Property) map[string]schema.Property {
	out := make(map[string]schema.Property, len(props))
	for name, p := range props {
		p.Required = false
		out[name] = p
	}
	return out
}
