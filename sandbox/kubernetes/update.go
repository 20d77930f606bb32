package kubernetes

import (
	"context"
	"errors"
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// errGone says that the object to update is not there.
var errGone = errors.New("the object is not in the cluster any more: run a refresh, then up makes it again")

// Update applies the new inputs under the name the old ones were applied under, so that
// what the program no longer says is taken away.
func (p *Provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	ctx, done := p.Running(withURN(ctx, req.GetUrn()))
	defer done()
	if _, err := p.kindOf(req.GetUrn()); err != nil {
		return nil, err
	}
	state, err := plugin.Unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	desired, known, err := objectOf(news)
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), err)
	}
	asGiven := &pulumirpc.UpdateResponse{Properties: req.GetNews()}
	if !known {
		if req.GetPreview() {
			return asGiven, nil
		}
		return nil, failed(ctx, req.GetUrn(), errUnknown)
	}
	c, err := p.cluster(ctx)
	if req.GetPreview() && isUnreachable(err) {
		return asGiven, nil
	}
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), err)
	}
	api, err := c.resource(desired)
	if meta.IsNoMatchError(err) && req.GetPreview() {
		return asGiven, nil
	}
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), explained(desired, err))
	}
	// Without this an apply would make the object again, and hide that it was gone.
	if _, err := api.Get(ctx, desired.GetName(), metav1.GetOptions{}); err != nil {
		if apierrors.IsNotFound(err) {
			err = fmt.Errorf("%s %q: %w", desired.GetKind(), idOf(desired), errGone)
		}
		return nil, failed(ctx, req.GetUrn(), explained(desired, err))
	}
	manager := fieldManager(req.GetUrn(), state, annotationOf(desired, annotationManager))
	live, err := c.apply(ctx, desired, manager, applyOptions{dryRun: req.GetPreview()})
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), explained(desired, err))
	}
	version := initialAPIVersion(state, news)
	if req.GetPreview() {
		properties, err := plugin.Marshal(previewed(stateOf(live, news, version, manager), news, false))
		if err != nil {
			return nil, err
		}
		return &pulumirpc.UpdateResponse{Properties: properties}, nil
	}
	ready, err := p.await(ctx, c, req.GetUrn(), desired, live, req.GetTimeout())
	newState := stateOf(ready, news, version, manager)
	if err != nil {
		return nil, plugin.InitFailed(idOf(ready), newState, nil, failed(ctx, req.GetUrn(), err), err.Error())
	}
	properties, err := plugin.Marshal(newState)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.UpdateResponse{Properties: properties}, nil
}
