package stacks

import (
	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/components/network"
)

// network returns the arguments of the stack's VPC.
func (c *Config) network() *network.Args {
	return &network.Args{
		CIDR:                  c.Network.CIDR,
		Region:                c.Region,
		Zones:                 c.Network.Zones,
		PrivatePrefix:         c.Network.PrivatePrefix,
		PublicPrefix:          c.Network.PublicPrefix,
		NAT:                   network.NATStrategy(c.Network.NAT),
		InterfaceEndpoints:    c.Network.InterfaceEndpoints,
		FlowLogsRetentionDays: c.Network.FlowLogsRetentionDays,
		Tags:                  c.Tags,
		Protect:               c.Protect,
	}
}

// cluster returns the arguments of the stack's EKS cluster in its VPC.
func (c *Config) cluster(vpc *network.Network) *ekscluster.Args {
	groups := make([]ekscluster.NodeGroup, len(c.Cluster.NodeGroups))
	for i, g := range c.Cluster.NodeGroups {
		groups[i] = ekscluster.NodeGroup{
			Name:          g.Name,
			InstanceTypes: g.InstanceTypes,
			Min:           g.Min,
			Max:           g.Max,
			Desired:       g.Desired,
			DiskGiB:       g.DiskGiB,
		}
	}
	return &ekscluster.Args{
		ClusterName:       c.Name,
		Version:           c.Cluster.Version,
		VPCID:             vpc.VPCID,
		PrivateSubnetIDs:  vpc.PrivateSubnetIDs,
		PublicAccessCIDRs: c.Cluster.PublicAccessCIDRs,
		Admins:            c.Cluster.Admins,
		LogRetentionDays:  c.Cluster.LogRetentionDays,
		NodeGroups:        groups,
		Tags:              c.Tags,
		Protect:           c.Protect,
	}
}
