package awsprovider

import (
	"context"
	"errors"
	"reflect"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Read returns the object as it is in the account, whatever the state says: its outputs,
// and as inputs what it is set to, so that the next run sees what has drifted. An object
// that is gone has no ID. Without a state, as in an import, it is found by its ID alone.
func (p *Provider) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	t, err := p.typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	state, err := plugin.Unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	inputs, err := plugin.Unmarshal(req.GetInputs())
	if err != nil {
		return nil, err
	}
	client, err := p.account()
	if err != nil {
		return nil, err
	}
	var o *account.Object
	change := &change{verb: "read", urn: req.GetUrn(), timeout: req.GetTimeout(), inputs: []resource.PropertyMap{inputs}}
	err = p.do(ctx, change, func(ctx context.Context) (err error) {
		o, err = client.Read(ctx, t.Token, req.GetId())
		return err
	})
	if errors.Is(err, account.ErrNotFound) || err == nil && o.Region != p.region && !isGlobal(t.Token) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	properties, err := stateOf(o.Outputs, inputs, state)
	if err != nil {
		return nil, err
	}
	current, err := plugin.Marshal(live(inputs, o.Inputs))
	return &pulumirpc.ReadResponse{Id: o.ID, Properties: properties, Inputs: current}, err
}

// live returns the inputs that the object is set to now. What has not changed is kept as
// the engine has it.
func live(inputs resource.PropertyMap, now map[string]any) resource.PropertyMap {
	out := withSecrets(fromAccount(now), inputs)
	for key, v := range inputs {
		if reflect.DeepEqual(toAccountValue(v), now[string(key)]) {
			out[key] = v
		}
	}
	return out
}

// isGlobal says whether the objects of a type are the same from every region.
func isGlobal(token string) bool {
	return strings.HasPrefix(token, "aws:iam/") || strings.HasPrefix(token, "aws:route53/")
}
