package stacks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/components/privatezone"
)

// tooling is the stack with Vault: its network, its cluster, the private name and
// address of Vault, the way in for people, the hand-over to Flux, which installs Vault,
// what is inside of Vault, and what it promises to the stacks that join it.
func tooling(ctx *pulumi.Context, cfg *Config, host *Host) error {
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
	zone, err := privatezone.New(ctx, cfg.Name, &privatezone.Args{
		Domain:  cfg.PrivateZone,
		VPCID:   vpc.VPCID,
		Region:  cfg.Region,
		Tags:    cfg.Tags,
		Protect: cfg.Protect,
	}, pulumi.Providers(aws))
	if err != nil {
		return err
	}
	vault, err := vaultEndpoint(ctx, cfg, vpc, cluster, zone, pulumi.Providers(aws))
	if err != nil {
		return err
	}
	servers, err := vaultServers(ctx, cfg, vpc, cluster, aws, api)
	if err != nil {
		return err
	}
	vpn, err := clientVPN(ctx, cfg, vpc, vault, aws)
	if err != nil {
		return err
	}
	flux, err := (&handover{
		cfg: cfg, vpc: vpc, cluster: cluster, aws: aws, api: api,
		vaultHostname: vault.Hostname, vaultPort: vault.Port, vaultTargets: vault.TargetGroupARN, vault: servers,
	}).flux(ctx)
	if err != nil {
		return err
	}
	if err := vaultInside(ctx, cfg, host, cluster, cfg.toolingPath(vault, servers, cluster, flux), nil); err != nil {
		return err
	}

	(&Contract{
		Region:               cfg.Region,
		VPCID:                vpc.VPCID,
		VPCCIDR:              vpc.CIDR,
		RouteTables:          vpc.RouteTables(),
		VPNClientCIDR:        cfg.VPN.ClientCIDR,
		VPNEndpointID:        vpn.EndpointID,
		VPNSubnets:           vpn.Subnets,
		ZoneID:               zone.ZoneID,
		ZoneName:             zone.Domain,
		VaultHostname:        vault.Hostname,
		VaultPort:            vault.Port,
		VaultSecurityGroupID: vault.SecurityGroupID,
		VaultKubeconfig:      cluster.Kubeconfig,
		VaultCACertificates:  servers.CACertificates,
		VaultInside:          cfg.sharedInside(),
	}).write(ctx)
	export(ctx, cfg, vpc, cluster)
	exportVPN(ctx, cfg, vpn)
	exportVault(ctx, vault, servers)
	return nil
}
