package kubernetes

import (
	"context"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumiprovider "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

const chartType = "kubernetes:helm.sh/v4:Chart"

// chartComponent is the resource that a chart's objects are children of.
type chartComponent struct {
	pulumi.ResourceState
	Resources pulumi.ArrayOutput `pulumi:"resources"`
}

// Construct renders a chart and registers what it renders, one resource per object.
func (p *Provider) Construct(ctx context.Context, req *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	if req.GetType() != chartType {
		return nil, p.Unsupported("component", req.GetType())
	}
	ctx, done := p.Running(ctx)
	defer done()
	inputs, err := plugin.Unmarshal(req.GetInputs())
	if err != nil {
		return nil, err
	}
	args, unknowns, err := readChartArgs(req.GetName(), inputs)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", chartType, req.GetName(), err)
	}
	response, err := pulumiprovider.Construct(ctx, req, p.Engine(),
		func(pulumiCtx *pulumi.Context, token, name string, inputs pulumiprovider.ConstructInputs, options pulumi.ResourceOption) (*pulumiprovider.ConstructResult, error) {
			component := &chartComponent{}
			if err := pulumiCtx.RegisterComponentResource(token, name, component, options); err != nil {
				return nil, err
			}
			if len(unknowns) > 0 {
				// The kinds and names of the objects may depend on any value.
				message := fmt.Sprintf("the preview does not show the chart's objects, because these inputs are not known yet: %s",
					strings.Join(unknowns, ", "))
				if err := pulumiCtx.Log.Warn(message, &pulumi.LogArgs{Resource: component}); err != nil {
					return nil, err
				}
				return pulumiprovider.NewConstructResult(component)
			}
			if err := p.constructChart(ctx, pulumiCtx, component, args, inputs, options, req.GetDryRun()); err != nil {
				return nil, err
			}
			return pulumiprovider.NewConstructResult(component)
		})
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s %s: %w", chartType, req.GetName(), err)
	}
	return response, nil
}

// constructChart renders the chart for the cluster's version and kinds, and registers
// the objects below the component.
func (p *Provider) constructChart(
	ctx context.Context, pulumiCtx *pulumi.Context, component *chartComponent, args chartArgs,
	inputs pulumiprovider.ConstructInputs, options pulumi.ResourceOption, preview bool,
) error {
	c, err := p.cluster(ctx)
	if err != nil && (!preview || !isUnreachable(err)) {
		return err
	}
	if args.namespace == "" {
		args.namespace = defaultNamespace(p.options())
	}
	rendered, err := render(ctx, args, c)
	if err != nil {
		return err
	}
	if rendered.deprecated {
		if err := pulumiCtx.Log.Warn(fmt.Sprintf("chart %q is deprecated", args.chart), &pulumi.LogArgs{Resource: component}); err != nil {
			return err
		}
	}
	if len(rendered.hooks) > 0 {
		message := fmt.Sprintf("the chart's hooks are not run, as the official plugin does not: %s", strings.Join(rendered.hooks, ", "))
		if err := pulumiCtx.Log.Info(message, &pulumi.LogArgs{Resource: component}); err != nil {
			return err
		}
	}
	objects, err := parseManifest(rendered.manifest)
	if err != nil {
		return err
	}
	p.placeObjects(objects, args.namespace, c)
	if err := refuseTwins(objects); err != nil {
		return err
	}
	given, err := inputs.Map()
	if err != nil {
		return err
	}
	snapshot, err := pulumi.NewResourceOptions(options)
	if err != nil {
		return err
	}
	registration := registration{
		component: component, prefix: args.resourcePrefix, skipAwait: args.skipAwait,
		inputs: given.ToMapOutput(), dependsOn: snapshot.DependsOn,
	}
	component.Resources, err = registration.register(pulumiCtx, objects)
	return err
}
