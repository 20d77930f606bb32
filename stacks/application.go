package stacks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/components/network"
)

// application is the stack whose workloads take their secrets from Vault: its
// network, its cluster, and all that joins them to the tooling stack.
func application(ctx *pulumi.Context, cfg *Config, host *Host) error {
	contract, err := readContract(ctx, cfg.ToolingStack)
	if err != nil {
		return err
	}
	if err := cfg.checkAgainst(contract); err != nil {
		return err
	}
	aws, err := awsProvider(ctx, "aws", cfg.Region)
	if err != nil {
		return err
	}
	vpc, err := network.New(ctx, cfg.Name, cfg.network(), pulumi.Providers(aws))
	if err != nil {
		return err
	}
	cluster, err := ekscluster.New(ctx, cfg.Name, cfg.cluster(vpc), pulumi.Providers(aws))
	if err != nil {
		return err
	}
	api, err := kubernetesProvider(ctx, "kubernetes", cluster)
	if err != nil {
		return err
	}
	if err := joinTooling(ctx, cfg, vpc, contract, aws); err != nil {
		return err
	}
	_, err = (&handover{
		cfg: cfg, vpc: vpc, cluster: cluster, aws: aws, api: api,
		vaultHostname: contract.VaultHostname, vaultPort: contract.VaultPort,
	}).flux(ctx)
	if err != nil {
		return err
	}
	if err := vaultInside(ctx, cfg, host, cluster, contract.vaultPath(), contract.VaultInside); err != nil {
		return err
	}

	export(ctx, cfg, vpc, cluster)
	ctx.Export("vaultAddress", pulumi.Sprintf("https://%s:%d", contract.VaultHostname, contract.VaultPort))
	return nil
}
