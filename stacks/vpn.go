package stacks

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/clientvpn"
	"github.com/strongroom-platform/strongroom/components/endpoint"
	"github.com/strongroom-platform/strongroom/components/network"
)

// clientVPN is the way in for people, to Vault and nothing else. Without a range
// for clients there is none, and what it returns is empty.
func clientVPN(ctx *pulumi.Context, cfg *Config, vpc *network.Network, vault *endpoint.Endpoint, aws *aws.Provider) (*clientvpn.ClientVPN, error) {
	if cfg.VPN.ClientCIDR == "" {
		return &clientvpn.ClientVPN{EndpointID: pulumi.String("").ToStringOutput()}, nil
	}
	tls, err := tlsProvider(ctx, "vpn-tls")
	if err != nil {
		return nil, err
	}
	args := &clientvpn.Args{
		VPCID:            vpc.VPCID,
		VPCCIDR:          vpc.CIDR,
		ClientCIDR:       cfg.VPN.ClientCIDR,
		ServerName:       cfg.VPN.ServerName,
		Authority:        cfg.VPN.Authority.given,
		AuthorityDays:    cfg.VPN.AuthorityDays,
		CertificateDays:  cfg.VPN.CertificateDays,
		DNSServer:        cfg.VPN.DNSServer,
		SessionHours:     cfg.VPN.SessionHours,
		Banner:           cfg.VPN.Banner,
		LogRetentionDays: cfg.VPN.LogRetentionDays,
		Targets:          []clientvpn.Target{{Name: "vault", SecurityGroupID: vault.SecurityGroupID, Port: vault.Port}},
		Tags:             cfg.Tags,
		Protect:          cfg.Protect,
	}
	for i, zone := range cfg.Network.Zones {
		args.Subnets = append(args.Subnets, clientvpn.Subnet{
			Name: zone[len(zone)-1:], // its letter
			ID:   vpc.PrivateSubnetIDs.Index(pulumi.Int(i)),
		})
	}
	return clientvpn.New(ctx, cfg.Name+"-vpn", args, pulumi.Providers(aws, tls))
}

// exportVPN makes the outputs that `strongroom vpn` reads.
func exportVPN(ctx *pulumi.Context, cfg *Config, vpn *clientvpn.ClientVPN) {
	if cfg.VPN.ClientCIDR == "" {
		return
	}
	ctx.Export("vpnEndpointId", vpn.EndpointID)
	ctx.Export("vpnEndpointDnsName", vpn.EndpointDNSName)
	ctx.Export("vpnServerName", pulumi.String(vpn.ServerName))
	ctx.Export("vpnCaCertificate", vpn.CACertificate)
	ctx.Export("vpnBucket", vpn.Bucket)
	if vpn.HasCAKey {
		ctx.Export("vpnCaPrivateKey", pulumi.ToSecret(vpn.CAPrivateKey))
	}
}
