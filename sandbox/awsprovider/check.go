package awsprovider

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Check validates the inputs and completes them with defaults and a name.
func (p *Provider) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
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
	checked, failures := t.Check(toAccount(olds), toAccount(news), plugin.NameOf(req.GetUrn()), req.GetRandomSeed())
	response := &pulumirpc.CheckResponse{Inputs: req.GetNews()}
	for _, f := range failures {
		response.Failures = append(response.Failures, &pulumirpc.CheckFailure{
			Property: f.Property,
			Reason:   f.Property + ": " + reasonOf(f, news) + " (simulated AWS account)",
		})
	}
	if len(failures) > 0 {
		return response, nil
	}
	if response.Inputs, err = plugin.Marshal(withSecrets(fromAccount(checked), news)); err != nil {
		return nil, err
	}
	return response, nil
}

// reasonOf returns why a property is refused. A reason that quotes a secret may also hold
// something made from it, so it is not shown at all.
func reasonOf(f account.Failure, news resource.PropertyMap) string {
	if withoutSecrets(f.Reason, news) != f.Reason {
		return "the value is refused; it is secret, so the reason, which quotes it, is not shown"
	}
	return f.Reason
}
