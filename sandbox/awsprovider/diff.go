package awsprovider

import (
	"context"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Diff says what an update would change, and whether the resource must be replaced for
// it. Which property differs is the account's to say, plugin.Diff only shows where in it.
func (p *Provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	t, err := p.typeOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := plugin.Unmarshal(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	outputs, err := plugin.Unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	if err := ignoring(req.GetIgnoreChanges(), inputs, news); err != nil {
		return nil, fmt.Errorf("%s: %w", plugin.NameOf(req.GetUrn()), err)
	}
	d := t.Diff(toAccount(inputs), toAccount(outputs), toAccount(news))
	response := &pulumirpc.DiffResponse{
		Changes:             pulumirpc.DiffResponse_DIFF_NONE,
		HasDetailedDiff:     true,
		DetailedDiff:        map[string]*pulumirpc.PropertyDiff{},
		DeleteBeforeReplace: d.DeleteBeforeReplace,
		Diffs:               d.Changed,
		Replaces:            d.Replaces,
	}
	if len(d.Changed) == 0 && len(d.Replaces) == 0 {
		return response, nil
	}
	response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	shown := map[string]bool{}
	replaces := func(path resource.PropertyPath) bool { return slices.Contains(d.Replaces, fmt.Sprint(path[0])) }
	for path, detail := range plugin.Diff(inputs, news, replaces).GetDetailedDiff() {
		top := path
		if parsed, err := resource.ParsePropertyPath(path); err == nil {
			top = fmt.Sprint(parsed[0])
		}
		if slices.Contains(d.Changed, top) {
			response.DetailedDiff[path] = detail
			shown[top] = true
		}
	}
	// What is replaced without having changed itself, such as a setting that another one
	// implies, is shown as a whole.
	for _, top := range slices.Concat(d.Changed, d.Replaces) {
		if !shown[top] {
			kind := pulumirpc.PropertyDiff_UPDATE
			if slices.Contains(d.Replaces, top) {
				kind = pulumirpc.PropertyDiff_UPDATE_REPLACE
			}
			response.DetailedDiff[top] = &pulumirpc.PropertyDiff{Kind: kind, InputDiff: true}
		}
	}
	return response, nil
}

// ignoring sets the ignored properties of news back to what they were. The engine has
// done so before Check; what Check itself fills in is set back here.
func ignoring(paths []string, olds, news resource.PropertyMap) error {
	for _, text := range paths {
		path, err := resource.ParsePropertyPath(text)
		if err != nil {
			return fmt.Errorf("ignoreChanges: %q is not a property path: %w", text, err)
		}
		// A path that leads nowhere ignores nothing.
		_ = path.Reset(olds, news)
	}
	return nil
}
