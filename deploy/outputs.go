package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
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
	if err := t.mend(); err != nil {
		return nil, err
	}
	s, err := t.open(ctx, stack, nil)
	if err != nil {
		return nil, err
	}
	values, err := s.Outputs(ctx)
	if err != nil {
		var known *hint
		if errors.As(failure(ctx, stack, "outputs", nil, err), &known) {
			return nil, known
		}
		return nil, fmt.Errorf("read the outputs of stack %q: %w", stack, err)
	}
	return outputs(values), nil
}

func outputs(values auto.OutputMap) Outputs {
	o := Outputs{}
	for name, value := range values {
		o[name] = Output{Value: value.Value, Secret: value.Secret}
	}
	return o
}
