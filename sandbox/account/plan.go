package account

import "strings"

// Plan returns what is known, before a creation or an update, of the outputs after it:
// the inputs, and of an existing object what an update leaves alone. Everything else is
// [Unknown]. oldOutputs is nil for a creation.
func (t *Type) Plan(oldOutputs, inputs map[string]any) map[string]any {
	planned := &Object{Inputs: inputs}
	if oldOutputs != nil {
		t.seedOutputs(planned, &Object{Outputs: oldOutputs})
	} else {
		t.seedOutputs(planned, nil)
		for name := range t.shape.Outputs {
			if _, known := planned.Outputs[name]; !known {
				planned.Outputs[name] = Unknown{}
			}
		}
	}
	if _, hasTags := planned.Outputs["tagsAll"]; hasTags && hasUnknownAt(inputs["tags"]) {
		planned.Outputs["tagsAll"] = Unknown{}
	}
	for _, path := range t.computed {
		planInside(oldOutputs, planned.Outputs, strings.Split(path, "."))
	}
	if t.plan != nil && oldOutputs != nil {
		t.plan(oldOutputs, inputs, planned.Outputs)
	}
	return planned.Outputs
}

// planInside plans what AWS fills in inside of an object that the program gives, such
// as the security group in a cluster's vpcConfig: what it was before, or not known yet.
func planInside(old, planned map[string]any, path []string) {
	if len(path) < 2 {
		return
	}
	inside, given := planned[path[0]].(map[string]any)
	if !given {
		return
	}
	before, _ := old[path[0]].(map[string]any)
	if len(path) > 2 {
		planInside(before, inside, path[1:])
		return
	}
	key := path[1]
	if inside[key] != nil {
		return
	}
	switch {
	case before == nil:
		inside[key] = Unknown{}
	case before[key] != nil:
		inside[key] = clone(before[key])
	}
}
