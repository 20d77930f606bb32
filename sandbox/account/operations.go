package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Create makes an object and returns its ID and outputs. The change is durable
// when Create returns without an error; with an error nothing was made.
func (a *Account) Create(ctx context.Context, req CreateRequest) (string, map[string]any, error) {
	t, err := Lookup(req.Type)
	if err != nil {
		return "", nil, err
	}
	if err := a.faults.strike(ctx, req.Type, OpCreate); err != nil {
		return "", nil, err
	}
	if err := checkRegion(req.Region); err != nil {
		return "", nil, err
	}
	if err := t.refuseInvalid(req.Inputs); err != nil {
		return "", nil, err
	}
	o := &Object{
		Type: req.Type, URN: req.URN, Region: req.Region, Created: a.now().UTC(),
		Inputs: cloneMap(req.Inputs),
	}
	if o.Inputs == nil {
		o.Inputs = map[string]any{}
	}
	t.seedOutputs(o, nil)

	a.mu.Lock()
	v := a.view()
	v.caller = req.Caller
	if v.caller == "" {
		v.caller = OperatorARN
	}
	err = t.create(v, o)
	if err == nil && v.get(o.Type, o.ID) != nil {
		err = refuse("AlreadyExists", "there is a %s with the ID %q already", o.Type, o.ID)
	}
	if err == nil {
		if t.slow != nil {
			o.State = Creating
			a.busy[o.key()] = true
		}
		v.put(o)
		if err = a.commit(v); err != nil {
			delete(a.busy, o.key())
		}
	}
	a.mu.Unlock()
	if err != nil {
		return "", nil, err
	}
	if t.slow != nil {
		if o, err = a.finishCreate(ctx, t, o); err != nil {
			return "", nil, err
		}
	}
	return o.ID, cloneMap(o.Outputs), nil
}

// Update changes an object in place and returns its outputs. A change that
// needs a replacement is refused.
func (a *Account) Update(ctx context.Context, typ, id string, inputs map[string]any) (map[string]any, error) {
	t, err := Lookup(typ)
	if err != nil {
		return nil, err
	}
	if err := a.faults.strike(ctx, typ, OpUpdate); err != nil {
		return nil, err
	}
	if err := t.refuseInvalid(inputs); err != nil {
		return nil, err
	}
	a.mu.Lock()
	old, err := a.ready(typ, id)
	if err != nil {
		a.mu.Unlock()
		return nil, err
	}
	if d := t.Diff(old.Inputs, old.Outputs, inputs); len(d.Replaces) > 0 {
		a.mu.Unlock()
		return nil, refuse("InvalidParameterValue", "%s of %s %q cannot change in place: the resource must be replaced",
			strings.Join(d.Replaces, ", "), typ, id)
	}
	v := a.view()
	o, err := t.updated(v, old, inputs)
	if err != nil {
		a.mu.Unlock()
		return nil, err
	}
	if t.slow != nil && t.slow.takesLong(old, o) {
		v = a.view() // the change itself is made once the control plane has made its own
		pending := v.edit(typ, id)
		pending.State, pending.Pending = Updating, cloneMap(inputs)
		err = a.commit(v)
		if err == nil {
			a.busy[o.key()] = true
		}
		a.mu.Unlock()
		if err != nil {
			return nil, err
		}
		return a.finishUpdate(ctx, t, pending)
	}
	defer a.mu.Unlock()
	if err := a.commit(v); err != nil {
		return nil, err
	}
	return v.current(o).Outputs, nil
}

// updated puts the object with its new inputs into the view.
func (t *Type) updated(v *view, old *Object, inputs map[string]any) (*Object, error) {
	o := old.clone()
	o.Inputs = cloneMap(inputs)
	o.State, o.Pending = "", nil
	t.seedOutputs(o, old)
	if t.update != nil {
		if err := t.update(v, old, o); err != nil {
			return nil, err
		}
	}
	v.put(o)
	return o, nil
}

// Delete removes an object, with ErrNotFound where there is none.
func (a *Account) Delete(ctx context.Context, typ, id string) error {
	t, err := Lookup(typ)
	if err != nil {
		return err
	}
	if err := a.faults.strike(ctx, typ, OpDelete); err != nil {
		return err
	}
	a.mu.Lock()
	o := a.view().get(typ, id)
	if o == nil {
		a.mu.Unlock()
		return notFound("NotFound", "there is no %s with the ID %q", typ, id)
	}
	if a.busy[o.key()] {
		a.mu.Unlock()
		return beingWorkedOn(o)
	}
	v := a.view()
	if err := t.removed(v, o); err != nil {
		a.mu.Unlock()
		return err
	}
	if t.slow == nil {
		defer a.mu.Unlock()
		return a.commit(v)
	}
	v = a.view() // the object goes once its control plane has gone
	v.edit(typ, id).State = Deleting
	err = a.commit(v)
	if err == nil {
		a.busy[o.key()] = true
	}
	a.mu.Unlock()
	if err != nil {
		return err
	}
	return a.finishDelete(ctx, t, o)
}

func (t *Type) removed(v *view, o *Object) error {
	if t.remove != nil {
		if err := t.remove(v, o); err != nil {
			return err
		}
	}
	v.del(o.Type, o.ID)
	return nil
}

// ready returns an object that no other operation is working on. The account
// must be locked.
func (a *Account) ready(typ, id string) (*Object, error) {
	o := a.objects[typ][id]
	if o == nil {
		return nil, notFound("NotFound", "there is no %s with the ID %q", typ, id)
	}
	if a.busy[o.key()] || o.State != "" {
		return nil, beingWorkedOn(o)
	}
	return o, nil
}

func beingWorkedOn(o *Object) error {
	return &Error{Code: "ResourceInUseException", Retryable: true,
		Message: fmt.Sprintf("%s %q has an operation under way (%s)", o.Type, o.ID, o.State)}
}

// refuseInvalid holds the inputs of an operation to the same rules as Check. A
// provider has called Check before; this is for one that did not.
func (t *Type) refuseInvalid(inputs map[string]any) error {
	if hasUnknown(inputs) {
		return refuse("ValidationError", "%s: an input is not known yet", t.Token)
	}
	failures := t.Validate(inputs)
	if len(failures) == 0 {
		return nil
	}
	return refuse("ValidationError", "%s: %s: %s", t.Token, failures[0].Property, failures[0].Reason)
}

// seedOutputs starts an object's outputs from its inputs. An optional property
// that AWS fills in keeps its stored value where the inputs no longer give it.
func (t *Type) seedOutputs(o, old *Object) {
	outputs := map[string]any{}
	if old != nil {
		for name, value := range old.Outputs {
			_, isInput := t.shape.Inputs[name]
			if !isInput || slices.Contains(t.computed, name) {
				outputs[name] = clone(value)
			}
		}
	}
	for name, value := range o.Inputs {
		if _, isOutput := t.shape.Outputs[name]; isOutput && value != nil {
			outputs[name] = clone(value)
		}
	}
	if t.Taggable() {
		if _, ok := t.shape.Outputs["tagsAll"]; ok {
			outputs["tagsAll"] = map[string]any{}
			if tags, ok := o.Inputs["tags"].(map[string]any); ok {
				outputs["tagsAll"] = cloneMap(tags)
			}
		}
	}
	o.Outputs = outputs
}
