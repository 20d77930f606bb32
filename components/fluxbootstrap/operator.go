package fluxbootstrap

import (
	"fmt"
	"strings"

	helmv4 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/helm/v4"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

// controllers of Flux. The two for images are not among the operator's defaults.
var controllers = []string{
	"source-controller", "kustomize-controller", "helm-controller", "notification-controller",
	"image-reflector-controller", "image-automation-controller",
}

// operator installs flux-operator, which brings Flux's resource types.
func (b *builder) operator() (pulumi.Resource, error) {
	return b.chart("operator", "flux-operator", pulumi.Map{
		// Flux alone is wanted; the operator's user interface is one more door.
		"web": pulumi.Map{"enabled": pulumi.Bool(false)},
	}, b.namespace)
}

// instance says which Flux the operator runs. What it reads is declared by this
// component and not by the instance: so a destroy removes the tree while the
// controllers that can do it are still there. See sync.go.
func (b *builder) instance(operator pulumi.Resource) (pulumi.Resource, error) {
	return b.chart("instance", "flux-instance", pulumi.Map{
		// The operator reports the instance ready when all controllers are.
		"commonAnnotations": pulumi.Map{"pulumi.com/waitFor": pulumi.String("condition=Ready")},
		"instance": pulumi.Map{
			"distribution": pulumi.Map{
				"version":  pulumi.String(FluxVersion),
				"registry": pulumi.String("ghcr.io/fluxcd"),
				// The chart's default follows "latest".
				"artifact": pulumi.String("oci://ghcr.io/controlplaneio-fluxcd/flux-operator-manifests:v" + ChartVersion),
			},
			"components": pulumi.ToStringArray(controllers),
			"cluster": pulumi.Map{
				"type":          pulumi.String("aws"),
				"networkPolicy": pulumi.Bool(true),
				// No references across namespaces, and a service account without rights
				// for whatever names none.
				"multitenant":                 pulumi.Bool(true),
				"tenantDefaultServiceAccount": pulumi.String("default"),
			},
		},
	}, operator)
}

// chart renders a chart of the operator's into Flux's namespace.
func (b *builder) chart(what, chart string, values pulumi.Map, after pulumi.Resource) (pulumi.Resource, error) {
	args := &helmv4.ChartArgs{
		Chart:     pulumi.String(b.args.charts() + "/" + chart),
		Name:      pulumi.String(chart),
		Namespace: pulumi.String(runtimeinfo.Namespace),
		Values:    values,
	}
	if strings.HasPrefix(b.args.charts(), "oci://") {
		args.Version = pulumi.String(ChartVersion)
	}
	made, err := helmv4.NewChart(b.ctx, b.name+"-"+what, args, b.child(pulumi.DependsOn([]pulumi.Resource{after}))...)
	if err != nil {
		return nil, fmt.Errorf("chart %s: %w", chart, err)
	}
	return made, nil
}
