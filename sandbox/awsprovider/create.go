package awsprovider

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Create makes the object. In a preview nothing is made, and what only AWS knows is
// unknown.
//
// A creation that is cancelled has either happened, and is answered as such so that the
// engine knows of the object, or has been taken back.
func (p *Provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	t, err := p.typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := plugin.Unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	if req.GetPreview() {
		properties, err := stateOf(t.Plan(nil, withoutInternal(toAccount(inputs))), inputs)
		return &pulumirpc.CreateResponse{Properties: properties}, err
	}
	client, err := p.account()
	if err != nil {
		return nil, err
	}
	wanted, err := known(req.GetUrn(), inputs)
	if err != nil {
		return nil, err
	}
	var id string
	var outputs map[string]any
	change := &change{verb: "create", urn: req.GetUrn(), timeout: req.GetTimeout(), inputs: []resource.PropertyMap{inputs}}
	err = p.do(ctx, change, func(ctx context.Context) (err error) {
		id, outputs, err = client.Create(ctx, account.CreateRequest{
			Type: t.Token, URN: req.GetUrn(), Region: p.region, Inputs: wanted, Caller: account.OperatorARN,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	properties, err := stateOf(outputs, inputs)
	return &pulumirpc.CreateResponse{Id: id, Properties: properties}, err
}
