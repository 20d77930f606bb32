package awsprovider

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Update changes the object in place.
func (p *Provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	t, err := p.typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	olds, err := plugin.Unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	oldInputs, err := plugin.Unmarshal(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	if err := ignoring(req.GetIgnoreChanges(), oldInputs, news); err != nil {
		return nil, err
	}
	if req.GetPreview() {
		properties, err := stateOf(t.Plan(toAccount(olds), withoutInternal(toAccount(news))), news, computedOnly(olds, oldInputs))
		return &pulumirpc.UpdateResponse{Properties: properties}, err
	}
	client, err := p.account()
	if err != nil {
		return nil, err
	}
	wanted, err := known(req.GetUrn(), news)
	if err != nil {
		return nil, err
	}
	var outputs map[string]any
	change := &change{verb: "update", urn: req.GetUrn(), timeout: req.GetTimeout(), inputs: []resource.PropertyMap{news, oldInputs}}
	err = p.do(ctx, change, func(ctx context.Context) (err error) {
		outputs, err = client.Update(ctx, req.GetUrn(), t.Token, req.GetId(), wanted)
		return err
	})
	if err != nil {
		return nil, err
	}
	properties, err := stateOf(outputs, news, computedOnly(olds, oldInputs))
	return &pulumirpc.UpdateResponse{Properties: properties}, err
}

// computedOnly returns the outputs that are no inputs. Whether an input is secret is for
// the new inputs to say.
func computedOnly(outputs, inputs resource.PropertyMap) resource.PropertyMap {
	computed := resource.PropertyMap{}
	for key, v := range outputs {
		if _, isInput := inputs[key]; !isInput && key != "tagsAll" {
			computed[key] = v
		}
	}
	return computed
}
