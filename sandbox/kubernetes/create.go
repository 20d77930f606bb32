package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

const (
	// createAttempts and createPause bridge a definition or a namespace that is made at
	// the same time; the pause doubles (1, 2, 4, 8 s), as in the official plugin.
	createAttempts = 5
	createPause    = time.Second
)

// errUnknown can only happen when the engine breaks its protocol.
var errUnknown = errors.New("an input is unknown, which can only happen in a preview")

// Create applies the object and waits until it is ready. As the official plugin does, it
// takes over an object that is there already, unless another manager has set one of its
// fields to another value. A preview is a dry run where the cluster can do one.
func (p *Provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	ctx, done := p.Running(withURN(ctx, req.GetUrn()))
	defer done()
	if _, err := p.kindOf(req.GetUrn()); err != nil {
		return nil, err
	}
	inputs, err := plugin.Unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	desired, known, err := objectOf(inputs)
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), err)
	}
	manager := fieldManager(req.GetUrn(), nil, annotationOf(desired, annotationManager))
	if req.GetPreview() {
		return p.previewCreate(ctx, req, inputs, desired, known, manager)
	}
	if !known {
		return nil, failed(ctx, req.GetUrn(), errUnknown)
	}
	c, err := p.cluster(ctx)
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), err)
	}
	live, err := p.applyNew(ctx, req.GetUrn(), c, desired, manager)
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), explained(desired, err))
	}
	ready, err := p.await(ctx, c, req.GetUrn(), desired, live, req.GetTimeout())
	if desired.GetKind() == "CustomResourceDefinition" {
		c.forget()
	}
	state := stateOf(ready, inputs, desired.GetAPIVersion(), manager)
	if err != nil {
		return nil, plugin.InitFailed(idOf(ready), state, nil, failed(ctx, req.GetUrn(), err), err.Error())
	}
	response, err := marshalled(state)
	if err != nil {
		return nil, err
	}
	response.Id = idOf(ready)
	return response, nil
}

// applyNew applies an object for the first time, and waits a little for its namespace and
// its kind's definition.
func (p *Provider) applyNew(ctx context.Context, urn string, c *cluster, desired *unstructured.Unstructured, manager string) (*unstructured.Unstructured, error) {
	pause := createPause
	for attempt := 1; ; attempt++ {
		live, err := c.apply(ctx, desired, manager, applyOptions{})
		if err == nil {
			p.Status(ctx, urn, "")
			return live, nil
		}
		if attempt == createAttempts || !missing(err) {
			return nil, err
		}
		p.Status(ctx, urn, fmt.Sprintf("attempt %d: %v", attempt, err))
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// previewCreate asks the server what it would make. Where it cannot be asked, the inputs
// are all that is known.
func (p *Provider) previewCreate(
	ctx context.Context, req *pulumirpc.CreateRequest, inputs resource.PropertyMap,
	desired *unstructured.Unstructured, known bool, manager string,
) (*pulumirpc.CreateResponse, error) {
	asGiven := &pulumirpc.CreateResponse{Properties: req.GetProperties()}
	if !known {
		return asGiven, nil
	}
	c, err := p.cluster(ctx)
	if isUnreachable(err) {
		return asGiven, nil
	}
	if err != nil {
		return nil, failed(ctx, req.GetUrn(), err)
	}
	// Forced: an object that this one replaces still stands there.
	live, err := c.apply(ctx, desired, manager, applyOptions{dryRun: true, force: true})
	switch {
	case err == nil:
	case missing(err), apierrors.IsForbidden(err), immutableMessage(err):
		return asGiven, nil
	default:
		return nil, failed(ctx, req.GetUrn(), explained(desired, err))
	}
	return marshalled(previewed(stateOf(live, inputs, desired.GetAPIVersion(), manager), inputs, true))
}
