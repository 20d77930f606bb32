package ekscluster

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/tags"
)

// Args of an EksCluster.
type Args struct {
	// ClusterName is unique in the account and region: at most 100 letters, digits,
	// hyphens and underscores.
	ClusterName string
	// Version of Kubernetes, one of SupportedVersions. Control plane and nodes
	// change in place.
	Version string
	VPCID   pulumi.StringInput
	// PrivateSubnetIDs of at least two zones, for the control plane's interfaces
	// and the nodes. Other subnets of the same zones are taken over in place by
	// the control plane; node groups are replaced.
	PrivateSubnetIDs pulumi.StringArrayInput
	// PublicAccessCIDRs are the IPv4 ranges that reach the Kubernetes API over the
	// internet, of MinPublicBits or longer. Without any, only the VPC and what is connected to it does.
	PublicAccessCIDRs []string
	// Admins are the ARNs of roles and users that get all rights in the cluster.
	// The identity that creates the cluster has them anyway and must not be listed:
	// EKS refuses a second entry for it.
	Admins []string
	// LogTypes of the control plane: api, audit, authenticator, controllerManager
	// and scheduler. Default: all.
	LogTypes []string
	// LogRetentionDays is one of the values that CloudWatch Logs takes. Default 90.
	LogRetentionDays int
	NodeGroups       []NodeGroup
	// Addons of EKS. Default: DefaultAddons.
	Addons []Addon
	// KMSDeletionWindowDays is how long after its deletion the encryption key can
	// be brought back, 7 to 30 days. Default 30.
	KMSDeletionWindowDays int
	Tags                  tags.Tags
	// Protect the cluster, its encryption key and its logs against deletion and
	// replacement.
	Protect bool
}

// NodeGroup is a set of like nodes.
type NodeGroup struct {
	// Name is unique in the cluster: at most 32 lower-case letters, digits and
	// hyphens.
	Name string
	// InstanceTypes of one processor architecture, the preferred one first.
	InstanceTypes []string
	// Min, Max and Desired numbers of nodes. A change happens in place.
	Min, Max, Desired int
	// DiskGiB is the size of the root disk, at least 20. Default 50.
	DiskGiB int
	// Labels of the nodes. Those of Kubernetes and EKS are not possible.
	Labels map[string]string
	// CapacityType is ON_DEMAND (default) or SPOT.
	CapacityType string
}

// Addon is an EKS add-on.
type Addon struct {
	// Name as AWS calls it, such as "coredns".
	Name string
	// Version such as "v1.11.4-eksbuild.2". Default: AWS's for the Kubernetes
	// version at the time of creation, which then stays.
	Version string
	// Configuration by the add-on's schema, over the one that this package gives
	// (network policy of vpc-cni).
	Configuration map[string]any
}

const (
	defaultLogRetentionDays = 90
	defaultDiskGiB          = 50
	// minDiskGiB is what the image and a few containers take.
	minDiskGiB               = 20
	maxDiskGiB               = 16384
	minKMSDeletionWindowDays = 7
	maxKMSDeletionWindowDays = 30
)

func (a *Args) logRetentionDays() int {
	if a.LogRetentionDays == 0 {
		return defaultLogRetentionDays
	}
	return a.LogRetentionDays
}

func (a *Args) logTypes() []string {
	if len(a.LogTypes) == 0 {
		return append([]string(nil), allLogTypes...)
	}
	return append([]string(nil), a.LogTypes...)
}

func (a *Args) kmsDeletionWindowDays() int {
	if a.KMSDeletionWindowDays == 0 {
		return maxKMSDeletionWindowDays
	}
	return a.KMSDeletionWindowDays
}

func (a *Args) addons() []Addon {
	if len(a.Addons) == 0 {
		return DefaultAddons()
	}
	return a.Addons
}

func (g NodeGroup) diskGiB() int {
	if g.DiskGiB == 0 {
		return defaultDiskGiB
	}
	return g.DiskGiB
}

func (g NodeGroup) capacityType() string {
	if g.CapacityType == "" {
		return "ON_DEMAND"
	}
	return g.CapacityType
}

// inputs are what the state shows for the component.
func (a *Args) inputs() pulumi.Map {
	groups := pulumi.Array{}
	for _, g := range a.NodeGroups {
		groups = append(groups, pulumi.Map{
			"name":          pulumi.String(g.Name),
			"instanceTypes": pulumi.ToStringArray(g.InstanceTypes),
			"min":           pulumi.Int(g.Min),
			"max":           pulumi.Int(g.Max),
			"desired":       pulumi.Int(g.Desired),
			"diskGiB":       pulumi.Int(g.diskGiB()),
			"capacityType":  pulumi.String(g.capacityType()),
		})
	}
	addons := pulumi.StringArray{}
	for _, addon := range a.addons() {
		addons = append(addons, pulumi.String(addon.Name))
	}
	return pulumi.Map{
		"clusterName":       pulumi.String(a.ClusterName),
		"version":           pulumi.String(a.Version),
		"vpcId":             a.VPCID,
		"privateSubnetIds":  a.PrivateSubnetIDs,
		"publicAccessCidrs": pulumi.ToStringArray(a.PublicAccessCIDRs),
		"admins":            pulumi.ToStringArray(a.Admins),
		"logTypes":          pulumi.ToStringArray(a.logTypes()),
		"logRetentionDays":  pulumi.Int(a.logRetentionDays()),
		"nodeGroups":        groups,
		"addons":            addons,
		"tags":              a.Tags.Map(),
		"protect":           pulumi.Bool(a.Protect),
	}
}
