package ekscluster

import (
	"testing"

	"github.com/pulumi/pulumi-eks/sdk/v2/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

// The component is registered as its SDK does it, and so is its provider.
func TestRemoteClusterRegistersAsTheSDK(t *testing.T) {
	ours := pulumitest.RunBoth(t, func(ctx *pulumi.Context) error {
		runs, err := newRemoteProvider(ctx, "runs")
		if err != nil {
			return err
		}
		made, err := newRemoteCluster(ctx, "cluster", pulumi.Map{
			"name":                   pulumi.String("tooling"),
			"authenticationMode":     pulumi.String("API"),
			"skipDefaultNodeGroup":   pulumi.Bool(true),
			"enabledClusterLogTypes": pulumi.ToStringArray([]string{"audit"}),
		}, pulumi.Providers(runs), pulumi.Protect(true))
		if err != nil {
			return err
		}
		ctx.Export("endpoint", made.EksCluster.Endpoint())
		ctx.Export("kubeconfig", made.KubeconfigJSON)
		return nil
	}, pulumitest.Options{})
	theirs := pulumitest.RunBoth(t, func(ctx *pulumi.Context) error {
		runs, err := eks.NewProvider(ctx, "runs", &eks.ProviderArgs{})
		if err != nil {
			return err
		}
		mode := eks.AuthenticationModeApi
		made, err := eks.NewCluster(ctx, "cluster", &eks.ClusterArgs{
			Name:                   pulumi.String("tooling"),
			AuthenticationMode:     &mode,
			SkipDefaultNodeGroup:   pulumi.BoolRef(true),
			EnabledClusterLogTypes: pulumi.ToStringArray([]string{"audit"}),
		}, pulumi.Providers(runs), pulumi.Protect(true))
		if err != nil {
			return err
		}
		ctx.Export("endpoint", made.EksCluster.Endpoint())
		ctx.Export("kubeconfig", made.KubeconfigJson)
		return nil
	}, pulumitest.Options{})
	require.Len(t, ours.Resources, 2)
	for i, r := range theirs.Resources {
		require.Equal(t, r, ours.Resources[i])
		require.NotEmpty(t, r.Version)
	}
	require.NotEmpty(t, ours.Output("endpoint"))
	require.Equal(t, theirs.Outputs, ours.Outputs)
}
