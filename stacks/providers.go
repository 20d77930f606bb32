package stacks

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
)

// Providers are explicit, so that the region of a resource never depends on the
// environment of whoever runs the program. Credentials do come from there, as with
// every AWS tool.

// awsProvider returns the provider for a region.
func awsProvider(ctx *pulumi.Context, name, region string) (*aws.Provider, error) {
	provider, err := aws.NewProvider(ctx, name, &aws.ProviderArgs{Region: pulumi.String(region)})
	if err != nil {
		return nil, fmt.Errorf("provider %q for region %s: %w", name, region, err)
	}
	return provider, nil
}

// kubernetesProvider returns the provider for what the stack puts into its cluster.
func kubernetesProvider(ctx *pulumi.Context, name string, cluster *ekscluster.EksCluster) (*kubernetes.Provider, error) {
	provider, err := kubernetes.NewProvider(ctx, name, &kubernetes.ProviderArgs{
		Kubeconfig: cluster.Kubeconfig,
		// Without it, a change in the kubeconfig (a new endpoint, another certificate
		// authority) counts as another cluster and replaces all objects in it.
		ClusterIdentifier: cluster.ClusterName,
	})
	if err != nil {
		return nil, fmt.Errorf("provider %q for the cluster's API: %w", name, err)
	}
	return provider, nil
}

// tlsProvider returns the provider that makes keys and certificates. It talks to
// nobody.
func tlsProvider(ctx *pulumi.Context, name string) (*tls.Provider, error) {
	provider, err := tls.NewProvider(ctx, name, &tls.ProviderArgs{})
	if err != nil {
		return nil, fmt.Errorf("provider %q for certificates: %w", name, err)
	}
	return provider, nil
}
