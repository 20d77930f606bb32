package cli

import (
	"context"
	"fmt"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/internal/awsapi"
)

// stackOutputs are read by name.
type stackOutputs struct {
	stack  string
	values deploy.Outputs
	// how the stack is brought up with them, for who lacks one.
	how string
}

// openStack goes to where a stack is and reads its outputs. The caller leaves.
func (a *app) openStack(ctx context.Context, f placeFlags, stack, how string) (*place, stackOutputs, error) {
	p, err := a.goTo(ctx, f, false, a.silent())
	if err != nil {
		return nil, stackOutputs{}, err
	}
	outputs, err := p.engine.Outputs(ctx, stack)
	if err != nil {
		p.leave()
		return nil, stackOutputs{}, err
	}
	return p, stackOutputs{stack, outputs, how}, nil
}

func (o stackOutputs) text(name string) (string, error) {
	value, ok := o.values[name].Value.(string)
	if !ok || value == "" {
		return "", fmt.Errorf("stack %q has no output %q: bring it up %s", o.stack, name, o.how)
	}
	return value, nil
}

// texts are several outputs at once.
func (o stackOutputs) texts(names ...string) (map[string]string, error) {
	values := map[string]string{}
	for _, name := range names {
		value, err := o.text(name)
		if err != nil {
			return nil, err
		}
		values[name] = value
	}
	return values, nil
}

// awsSession asks AWS with the person's credentials, or the simulated account.
func awsSession(ctx context.Context, getenv func(string) string, p *place, o stackOutputs) (*awsapi.Session, error) {
	if p.sandbox {
		getenv = func(name string) string { return p.env[name] }
	}
	region, err := o.text(outputRegion)
	if err != nil {
		return nil, err
	}
	return awsapi.Load(ctx, region, getenv)
}
