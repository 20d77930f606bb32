package stacks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/components/network"
)

// export makes the outputs that every stack has, for people and for scripts
// (`pulumi stack output kubeconfig`). What other stacks read is the Contract.
func export(ctx *pulumi.Context, cfg *Config, vpc *network.Network, cluster *ekscluster.EksCluster) {
	ctx.Export("region", pulumi.String(cfg.Region))
	ctx.Export("vpcId", vpc.VPCID)
	ctx.Export("vpcCidr", pulumi.String(vpc.CIDR))
	ctx.Export("clusterName", cluster.ClusterName)
	ctx.Export("clusterVersion", pulumi.String(cfg.Cluster.Version))
	ctx.Export("clusterEndpoint", cluster.Endpoint)
	ctx.Export("kubeconfig", cluster.Kubeconfig)
}
