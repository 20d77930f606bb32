package ekscluster

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-eks/sdk/v2/go/eks/utilities"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// remoteCluster is the Cluster component of pulumi-eks, with those of its outputs that
// are used. Its Go SDK registers the same, but compiles every type of Kubernetes' core
// with it; the test holds what is asked for here against the SDK's own types.
type remoteCluster struct {
	pulumi.ResourceState

	EksCluster     eks.ClusterOutput   `pulumi:"eksCluster"`
	KubeconfigJSON pulumi.StringOutput `pulumi:"kubeconfigJson"`
}

func newRemoteCluster(ctx *pulumi.Context, name string, args pulumi.Map, opts ...pulumi.ResourceOption) (*remoteCluster, error) {
	cluster := &remoteCluster{}
	err := ctx.RegisterRemoteComponentResource("eks:index:Cluster", name, args, cluster, utilities.PkgResourceDefaultOpts(opts)...)
	return cluster, err
}

// remoteProvider is what runs the component. It has no settings.
type remoteProvider struct{ pulumi.ProviderResourceState }

func newRemoteProvider(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (*remoteProvider, error) {
	provider := &remoteProvider{}
	err := ctx.RegisterResource("pulumi:providers:eks", name, pulumi.Map{}, provider, utilities.PkgResourceDefaultOpts(opts)...)
	return provider, err
}
