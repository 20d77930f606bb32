package awsprovider

import (
	"context"
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Delete removes the object; one that is gone already is fine.
//
// The official provider tries for minutes where something still depends on the object
// (DependencyViolation). This one does not: a destroy that needs such patience has its
// order wrong, and here that is to be seen.
func (p *Provider) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	t, err := p.typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := plugin.Unmarshal(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	client, err := p.account()
	if err != nil {
		return nil, err
	}
	change := &change{verb: "delete", urn: req.GetUrn(), timeout: req.GetTimeout(), inputs: []resource.PropertyMap{inputs}}
	err = p.do(ctx, change, func(ctx context.Context) error {
		err := client.Delete(ctx, req.GetUrn(), t.Token, req.GetId())
		if errors.Is(err, account.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}
