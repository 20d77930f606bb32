package account

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
	return planned.Outputs
}
