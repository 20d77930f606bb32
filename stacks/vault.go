package stacks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/components/endpoint"
	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/components/privatezone"
	"github.com/strongroom-platform/strongroom/internal/naming"
)

// vaultPort is where Vault's API listens, in its own default configuration too.
const vaultPort = 8200

// vaultEndpoint is the private address of Vault, vault.<zone>. It is there before
// Vault is.
func vaultEndpoint(
	ctx *pulumi.Context, cfg *Config, vpc *network.Network, cluster *ekscluster.EksCluster,
	zone *privatezone.PrivateZone, opts ...pulumi.ResourceOption,
) (*endpoint.Endpoint, error) {
	// Application stacks add a rule for themselves. VPN clients arrive with an
	// address of the VPC, or of their own range where translation is off.
	allowed := []string{vpc.CIDR}
	if cfg.VPN.ClientCIDR != "" {
		allowed = append(allowed, cfg.VPN.ClientCIDR)
	}
	// 15 and "-vault" are the 21 that an endpoint's name may have.
	return endpoint.New(ctx, naming.Limit(cfg.Name, 15)+"-vault", &endpoint.Args{
		VPCID:     vpc.VPCID,
		SubnetIDs: vpc.PrivateSubnetIDs,
		Port:      vaultPort,
		HealthCheck: endpoint.HealthCheck{
			Protocol: "HTTPS",
			// Standbys forward requests to the active server, so they count as healthy.
			// https://developer.hashicorp.com/vault/api-docs/system/health#standbyok
			Path: "/v1/sys/health?standbyok=true",
		},
		AllowedCIDRs:          allowed,
		TargetSecurityGroupID: cluster.ClusterSecurityGroupID,
		ZoneID:                zone.ZoneID,
		Hostname:              "vault." + zone.Domain,
		// Three servers need not be in three zones at every moment.
		CrossZone: true,
		Tags:      cfg.Tags,
	}, opts...)
}

// vaultAddress is what VAULT_ADDR is set to, known once the name resolves.
func vaultAddress(vault *endpoint.Endpoint) pulumi.StringOutput {
	return pulumi.Sprintf("https://%s:%d", vault.DNSName, vault.Port)
}
