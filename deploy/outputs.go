package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
)

// Output is one value that a stack exports.
type Output struct {
	Value  any  `json:"value"`
	Secret bool `json:"secret,omitempty"`
}

// Outputs are what a stack exports, by name.
type Outputs map[string]Output

// Hidden is a copy in which the secret values are replaced by "[secret]".
func (o Outputs) Hidden() Outputs {
	hidden := Outputs{}
	for name, output := range o {
		if output.Secret {
			output.Value = "[secret]"
		}
		hidden[name] = output
	}
	return hidden
}

// Plain are the values alone, secret ones included.
func (o Outputs) Plain() map[string]any {
	values := map[string]any{}
	for name, output := range o {
		values[name] = output.Value
	}
	return values
}

// Outputs reads what the stack exported when it was last brought up. It wraps
// ErrNoStack where the stack does not exist.
func (t *Target) Outputs(ctx context.Context, stack string) (Outputs, error) {
	s, err := t.export(ctx, stack)
	if err != nil {
		return nil, err
	}
	values := s.outputs()
	if holdsSecret(values) {
		// They are encrypted in the state: this time the engine has to open them.
		if s, err = t.ask(ctx, stack, "--show-secrets"); err != nil {
			return nil, err
		}
		values = s.outputs()
	}
	outputs := Outputs{}
	for name, value := range values {
		shown, err := revealed(value)
		if err != nil {
			return nil, fmt.Errorf("read output %q of stack %q: %w", name, stack, err)
		}
		outputs[name] = Output{Value: shown, Secret: holdsSecret(value)}
	}
	return outputs, nil
}

// outputs are what the stack exported, as the state has it.
func (s *state) outputs() map[string]any {
	for _, r := range s.resources() {
		if text(r, "type") == "pulumi:pulumi:Stack" {
			values, _ := r["outputs"].(map[string]any)
			return values
		}
	}
	return nil
}

// secretText is the JSON text of a secret value, empty while it is encrypted. In a
// state, such a value is an object with a signature.
func secretText(value any) (plain string, is bool) {
	object, _ := value.(map[string]any)
	if object[sig.Key] != sig.Secret {
		return "", false
	}
	return text(object, "plaintext"), true
}

func holdsSecret(value any) bool {
	if _, is := secretText(value); is {
		return true
	}
	switch v := value.(type) {
	case map[string]any:
		for _, element := range v {
			if holdsSecret(element) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, holdsSecret)
	}
	return false
}

// revealed is a value with the secrets in it opened, and its numbers as
// encoding/json has them.
func revealed(value any) (any, error) {
	if plain, is := secretText(value); is {
		var v any
		if err := json.Unmarshal([]byte(plain), &v); err != nil {
			return nil, fmt.Errorf("a secret in it: %w", err)
		}
		return v, nil
	}
	switch v := value.(type) {
	case json.Number:
		return v.Float64()
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, element := range v {
			var err error
			if out[key], err = revealed(element); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			var err error
			if out[i], err = revealed(element); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return value, nil
}
