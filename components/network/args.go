package network

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/cidr"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

// NATStrategy is how private subnets reach the internet.
type NATStrategy string

const (
	// NATNone: not at all. What AWS offers inside the VPC is left.
	NATNone NATStrategy = "none"
	// NATSingle: through one NAT gateway, in the first zone. When that zone fails,
	// no private subnet reaches the internet.
	NATSingle NATStrategy = "single"
	// NATPerZone: each zone through a NAT gateway of its own.
	NATPerZone NATStrategy = "perZone"
)

// Args of a Network.
type Args struct {
	// CIDR is the IPv4 range of the VPC, /16 to /28. Another range is another VPC.
	CIDR string
	// Region such as "eu-central-1": that of the provider.
	Region string
	// Zones are at least two availability zones of the region, in full
	// ("eu-central-1a"). The place in the list decides the addresses: append new
	// zones, never insert.
	Zones []string
	// PrivatePrefix and PublicPrefix are the prefix lengths of the subnets, see
	// cidr.Request. A change by one makes new subnets beside the old ones; what is
	// in them moves over, NAT gateways and interface endpoints with an interruption.
	PrivatePrefix int
	PublicPrefix  int
	// NAT can be changed at any time: gateways come and go, and the routes of the
	// private subnets change in place.
	NAT NATStrategy
	// InterfaceEndpoints are AWS services that get an address in every private
	// subnet, by short name ("ecr.api"). S3 has a gateway endpoint anyway.
	InterfaceEndpoints []string
	// FlowLogsRetentionDays is one of the values that CloudWatch Logs takes.
	// Default 30.
	FlowLogsRetentionDays int
	Tags                  tags.Tags
	// Protect the VPC and its flow logs against deletion and replacement.
	Protect bool
}

const defaultFlowLogsRetentionDays = 30

func (a *Args) flowLogsRetentionDays() int {
	if a.FlowLogsRetentionDays == 0 {
		return defaultFlowLogsRetentionDays
	}
	return a.FlowLogsRetentionDays
}

// letter is what distinguishes a zone within the region, and its resources from
// those of other zones.
func (a *Args) letter(zone string) string { return strings.TrimPrefix(zone, a.Region) }

// plan lays out the subnets.
func (a *Args) plan() (cidr.Plan, error) {
	return cidr.New(cidr.Request{
		VPC: a.CIDR, Zones: a.Zones, PrivatePrefix: a.PrivatePrefix, PublicPrefix: a.PublicPrefix,
	})
}

// natZone is the letter of the zone whose NAT gateway serves a zone, or "" for none.
func (a *Args) natZone(letter string) string {
	switch a.NAT {
	case NATSingle:
		return a.letter(a.Zones[0])
	case NATPerZone:
		return letter
	default:
		return ""
	}
}

// inputs are what the state shows for the component.
func (a *Args) inputs() pulumi.Map {
	in := pulumi.Map{
		"cidr":                  pulumi.String(a.CIDR),
		"region":                pulumi.String(a.Region),
		"zones":                 pulumi.ToStringArray(a.Zones),
		"nat":                   pulumi.String(a.NAT),
		"interfaceEndpoints":    pulumi.ToStringArray(a.InterfaceEndpoints),
		"flowLogsRetentionDays": pulumi.Int(a.flowLogsRetentionDays()),
		"tags":                  a.Tags.Map(),
		"protect":               pulumi.Bool(a.Protect),
	}
	if a.PrivatePrefix != 0 {
		in["privatePrefix"] = pulumi.Int(a.PrivatePrefix)
	}
	if a.PublicPrefix != 0 {
		in["publicPrefix"] = pulumi.Int(a.PublicPrefix)
	}
	return in
}
