package stacks

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/clientvpn"
	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/components/privatezone"
	"github.com/strongroom-platform/strongroom/internal/cidr"
	"github.com/strongroom-platform/strongroom/internal/component"
)

// toolingAccess is everything between an application stack and its tooling stack,
// on both sides: nothing in tooling depends on application.
type toolingAccess struct {
	pulumi.ResourceState
}

// joinTooling peers the VPCs with routes both ways, lets the application's VPC
// resolve the names of the private zone, lets it in at Vault's load balancer, and
// leads VPN clients on to it.
func joinTooling(ctx *pulumi.Context, cfg *Config, local *network.Network, tooling *Contract, here *aws.Provider) error {
	name := cfg.Name + "-tooling"
	there := here
	if tooling.Region != cfg.Region {
		var err error
		if there, err = awsProvider(ctx, "aws-tooling", tooling.Region); err != nil {
			return err
		}
	}

	access := &toolingAccess{}
	err := component.Register(ctx, "strongroom:stacks:ToolingAccess", name, pulumi.Map{
		"toolingStack":  pulumi.String(cfg.ToolingStack),
		"toolingRegion": pulumi.String(tooling.Region),
		"toolingVpcId":  tooling.VPCID,
		"vpcId":         local.VPCID,
	}, access, pulumi.Providers(here))
	if err != nil {
		return err
	}
	peering, err := network.NewPeering(ctx, name+"-peering", &network.PeeringArgs{
		Requester: network.Side{
			VPCID:       local.VPCID,
			CIDR:        local.CIDR,
			RouteTables: local.RouteTables(),
			Region:      cfg.Region,
			Provider:    here,
		},
		Accepter: network.Side{
			VPCID:       tooling.VPCID,
			CIDR:        tooling.VPCCIDR,
			RouteTables: tooling.RouteTables,
			Region:      tooling.Region,
			Provider:    there,
		},
		Tags: cfg.Tags,
	}, pulumi.Parent(access))
	if err != nil {
		return err
	}
	_, err = privatezone.Associate(ctx, name+"-zone", &privatezone.AssociateArgs{
		ZoneID: tooling.ZoneID,
		VPCID:  local.VPCID,
		Region: cfg.Region,
	}, pulumi.Parent(access))
	if err != nil {
		return err
	}
	_, err = vpc.NewSecurityGroupIngressRule(ctx, name+"-vault", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: tooling.VaultSecurityGroupID,
		Description:     pulumi.String("Clients of Vault in stack " + cfg.Stack),
		CidrIpv4:        pulumi.String(local.CIDR),
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(tooling.VaultPort),
		ToPort:          pulumi.Int(tooling.VaultPort),
		Tags:            cfg.Tags.Named(name + "-vault"),
	}, pulumi.Parent(access), pulumi.Provider(there))
	if err != nil {
		return fmt.Errorf("rule that lets %s in at Vault: %w", local.CIDR, err)
	}
	if tooling.VPNClientCIDR != "" {
		_, err = clientvpn.NewRoutes(ctx, name+"-vpn", &clientvpn.RoutesArgs{
			EndpointID:  tooling.VPNEndpointID,
			ClientCIDR:  tooling.VPNClientCIDR,
			Subnets:     tooling.VPNSubnets,
			CIDR:        local.CIDR,
			Description: "VPC of stack " + cfg.Stack,
		}, pulumi.Parent(access), pulumi.Providers(there))
		if err != nil {
			return err
		}
	}
	return ctx.RegisterResourceOutputs(access, pulumi.Map{"peeringId": peering.ID})
}

// checkAgainst reports what is wrong with the configuration in view of the tooling
// stack that it joins: addresses that two VPCs share cannot be routed.
func (c *Config) checkAgainst(tooling *Contract) error {
	own, err := cidr.Parse(c.Network.CIDR)
	if err != nil {
		return fmt.Errorf("network.cidr: %w", err)
	}
	var problems []Problem
	for _, other := range []struct{ what, value string }{
		{"the VPC", tooling.VPCCIDR},
		{"the VPN range", tooling.VPNClientCIDR},
	} {
		if other.value == "" {
			continue
		}
		taken, err := cidr.Parse(other.value)
		if err != nil {
			return fmt.Errorf("%s of stack %q: %w", other.what, c.ToolingStack, err)
		}
		if cidr.Overlap(own, taken) {
			problems = append(problems, Problem{namespace + ":network.cidr", fmt.Sprintf(
				"%s overlaps %s of stack %q, %s: choose a range that neither uses", own, other.what, c.ToolingStack, taken)})
		}
	}
	problems = append(problems, c.checkVaultAgainst(tooling.VaultInside)...)
	if len(problems) > 0 {
		return &ConfigError{Stack: c.Stack, Problems: problems}
	}
	return nil
}
