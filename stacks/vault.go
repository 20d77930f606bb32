package stacks

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/components/endpoint"
	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/components/privatezone"
	"github.com/strongroom-platform/strongroom/components/vaultha"
	"github.com/strongroom-platform/strongroom/components/workloadrole"
	"github.com/strongroom-platform/strongroom/internal/iampolicy"
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
		Hostname:              cfg.vaultHostname(),
		// Three servers need not be in three zones at every moment.
		CrossZone: true,
		Tags:      cfg.Tags,
	}, opts...)
}

// vaultAddress is what VAULT_ADDR is set to, known once the name resolves.
func vaultAddress(vault *endpoint.Endpoint) pulumi.StringOutput {
	return pulumi.Sprintf("https://%s:%d", vault.DNSName, vault.Port)
}

// vaultPlace is what Vault is installed into.
type vaultPlace struct {
	*vaultha.VaultHA
	// ready is what is there before Vault's pods, and goes after them.
	ready []pulumi.Resource
}

// vaultServers is all that Vault needs before its first pod, and the IAM roles of its
// servers, of its first start and of its snapshots.
func vaultServers(
	ctx *pulumi.Context, cfg *Config, vpc *network.Network, cluster *ekscluster.EksCluster,
	aws *aws.Provider, api *kubernetes.Provider,
) (*vaultPlace, error) {
	certificates, err := tlsProvider(ctx, "vault-tls")
	if err != nil {
		return nil, err
	}
	args := cfg.vaultHA()
	args.VPCID, args.NodeSecurityGroupID = vpc.VPCID, cluster.ClusterSecurityGroupID
	for i, zone := range cfg.Network.Zones {
		args.Subnets = append(args.Subnets, vaultha.Subnet{
			Name: zone[len(zone)-1:], // its letter
			ID:   vpc.PrivateSubnetIDs.Index(pulumi.Int(i)),
		})
	}
	servers, err := vaultha.New(ctx, cfg.Name+"-vault", args, pulumi.Providers(aws, api, certificates))
	if err != nil {
		return nil, err
	}
	place := &vaultPlace{servers, []pulumi.Resource{servers}}
	for _, w := range []struct {
		name, serviceAccount string
		policy               *iampolicy.Document
	}{
		{"server", vaultha.ServerAccount, servers.ServerPolicy},
		{"init", vaultha.InitAccount, servers.InitPolicy},
		{"snapshot", vaultha.SnapshotAccount, servers.SnapshotPolicy},
	} {
		role, err := workloadrole.New(ctx, cfg.Name+"-vault-"+w.name, &workloadrole.Args{
			ClusterName:    cluster.ClusterName,
			Namespace:      vaultha.Namespace,
			ServiceAccount: w.serviceAccount,
			Policy:         w.policy,
			Tags:           cfg.Tags,
		}, pulumi.Providers(aws))
		if err != nil {
			return nil, err
		}
		place.ready = append(place.ready, role)
	}
	return place, nil
}

// exportVault makes the outputs about Vault that people and commands read.
func exportVault(ctx *pulumi.Context, vault *endpoint.Endpoint, servers *vaultPlace) {
	ctx.Export("vaultAddress", vaultAddress(vault))
	ctx.Export("vaultCaCertificates", servers.CACertificates)
	ctx.Export("vaultRecoverySecretArn", servers.RecoverySecretARN)
	ctx.Export("vaultSnapshotBucket", servers.SnapshotBucket)
	ctx.Export("vaultUnsealKeyArn", servers.UnsealKeyARN)
}
