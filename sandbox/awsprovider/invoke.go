package awsprovider

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Invoke answers a data source. One with an argument that is not known yet has no answer:
// the SDKs do not ask then, they make the result unknown themselves.
func (p *Provider) Invoke(ctx context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	args, err := plugin.Unmarshal(req.GetArgs())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.InvokeResponse{}
	for _, key := range args.StableKeys() {
		if args[key].ContainsUnknowns() {
			response.Failures = append(response.Failures, &pulumirpc.CheckFailure{
				Property: string(key),
				Reason:   string(key) + ": is not known yet; call the function's Output form, which waits for its arguments",
			})
		}
	}
	if len(response.Failures) > 0 {
		return response, nil
	}
	client, err := p.account()
	if err != nil {
		return nil, err
	}
	var result map[string]any
	change := &change{verb: "call", function: req.GetTok(), inputs: []resource.PropertyMap{args}}
	err = p.do(ctx, change, func(ctx context.Context) (err error) {
		result, err = client.Invoke(ctx, req.GetTok(), p.region, withoutInternal(toAccount(args)))
		return err
	})
	if err != nil {
		return nil, err
	}
	response.Return, err = stateOf(result, args)
	return response, err
}
