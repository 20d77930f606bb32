package cidr

import (
	"fmt"
	"net/netip"
)

// The VPC is cut into eighths. Each tier has two regions of its own: one for
// subnets with an even prefix length, one for odd. So after a change of the
// size by one step the new subnets stand beside the old ones and both can exist
// while workloads move over; a change by two steps would need the same
// addresses, and AWS refuses it with InvalidSubnet.Conflict.
const regionBits = 3

type region struct {
	first, eighths int
}

var (
	privateEven = region{first: 0, eighths: 3}
	privateOdd  = region{first: 3, eighths: 3}
	publicEven  = region{first: 6, eighths: 1}
	publicOdd   = region{first: 7, eighths: 1}
)

// Request says what to plan.
type Request struct {
	// VPC is the range of the VPC, an IPv4 range between /16 and /28.
	VPC string
	// Zones are the availability zones. The place in the list decides the
	// addresses: append new zones, never insert.
	Zones []string
	// PrivatePrefix and PublicPrefix are the prefix lengths of the subnets. 0
	// means 4 and 8 bits longer than the VPC's (/20 and /24 in a /16), at most 28.
	PrivatePrefix int
	PublicPrefix  int
}

// Subnet is the range of one zone.
type Subnet struct {
	Zone string
	CIDR netip.Prefix
}

// Plan is the result; Private and Public have the order of the zones.
type Plan struct {
	VPC     netip.Prefix
	Private []Subnet
	Public  []Subnet
}

// New plans the subnets. Errors start with the name of the setting in the wrong:
// "cidr: ", "zones: ", "privatePrefix: ", "publicPrefix: ".
func New(r Request) (Plan, error) {
	vpc, err := Parse(r.VPC)
	if err != nil {
		return Plan{}, fmt.Errorf("cidr: %w", err)
	}
	if len(r.Zones) == 0 {
		return Plan{}, fmt.Errorf("zones: none given")
	}
	if vpc.Bits() < MinPrefix {
		return Plan{}, fmt.Errorf("cidr: %s is larger than AWS allows for a VPC: at most /%d", vpc, MinPrefix)
	}
	for _, tier := range []struct {
		setting string
		prefix  int
	}{{"privatePrefix", r.PrivatePrefix}, {"publicPrefix", r.PublicPrefix}} {
		if tier.prefix != 0 && (tier.prefix < MinPrefix || tier.prefix > MaxPrefix) {
			return Plan{}, fmt.Errorf("%s: %d is not a prefix length that AWS allows for a subnet: between %d and %d is expected",
				tier.setting, tier.prefix, MinPrefix, MaxPrefix)
		}
	}
	private, public := r.prefixes(vpc.Bits())
	if !fits(vpc.Bits(), private, public, len(r.Zones)) {
		return Plan{}, r.tooSmall(vpc)
	}
	plan := Plan{VPC: vpc}
	for i, zone := range r.Zones {
		plan.Private = append(plan.Private, Subnet{Zone: zone, CIDR: place(vpc, privateRegion(private), private, i)})
		plan.Public = append(plan.Public, Subnet{Zone: zone, CIDR: place(vpc, publicRegion(public), public, i)})
	}
	return plan, nil
}

// prefixes returns the prefix lengths for a VPC of the given one.
func (r Request) prefixes(vpc int) (private, public int) {
	private, public = r.PrivatePrefix, r.PublicPrefix
	if private == 0 {
		private = min(vpc+4, MaxPrefix)
	}
	if public == 0 {
		public = min(vpc+8, MaxPrefix)
	}
	return private, public
}

// tooSmall says which setting to change, and to what.
func (r Request) tooSmall(vpc netip.Prefix) error {
	zones := len(r.Zones)
	for need := vpc.Bits() - 1; need >= MinPrefix; need-- {
		private, public := r.prefixes(need)
		if need <= MaxPrefix && fits(need, private, public, zones) {
			return fmt.Errorf("cidr: %s is too small for %d zones%s: need at least /%d", vpc, zones, r.sizes(), need)
		}
	}
	// No VPC is large enough: the subnets are too large, or the zones too many. The
	// subnets of the largest VPC count, not the ones that were asked of this one.
	private, public := r.prefixes(MinPrefix)
	if capacity(MinPrefix, private, privateRegion(private)) < zones {
		return fmt.Errorf("privatePrefix: subnets of /%d are too large for %d zones in any VPC: need at least %d",
			private, zones, longEnough(privateRegion, zones))
	}
	return fmt.Errorf("publicPrefix: subnets of /%d are too large for %d zones in any VPC: need at least %d",
		public, zones, longEnough(publicRegion, zones))
}

func (r Request) sizes() string {
	switch {
	case r.PrivatePrefix != 0 && r.PublicPrefix != 0:
		return fmt.Sprintf(" with private subnets of /%d and public ones of /%d", r.PrivatePrefix, r.PublicPrefix)
	case r.PrivatePrefix != 0:
		return fmt.Sprintf(" with private subnets of /%d", r.PrivatePrefix)
	case r.PublicPrefix != 0:
		return fmt.Sprintf(" with public subnets of /%d", r.PublicPrefix)
	}
	return ""
}

// longEnough returns the shortest prefix length with room for all zones in the
// largest VPC.
func longEnough(regionOf func(prefix int) region, zones int) int {
	for prefix := MinPrefix; prefix < MaxPrefix; prefix++ {
		if capacity(MinPrefix, prefix, regionOf(prefix)) >= zones {
			return prefix
		}
	}
	return MaxPrefix
}

func fits(vpc, private, public, zones int) bool {
	return vpc <= MaxPrefix &&
		capacity(vpc, private, privateRegion(private)) >= zones &&
		capacity(vpc, public, publicRegion(public)) >= zones
}

// capacity is the number of subnets that a region of the VPC holds.
func capacity(vpc, prefix int, reg region) int {
	extra := prefix - vpc - regionBits
	if extra < 0 {
		return 0
	}
	return reg.eighths << extra
}

func place(vpc netip.Prefix, reg region, prefix, i int) netip.Prefix {
	start := nth(vpc.Addr(), vpc.Bits()+regionBits, reg.first)
	return nth(start.Addr(), prefix, i)
}

func privateRegion(prefix int) region {
	if prefix%2 == 0 {
		return privateEven
	}
	return privateOdd
}

func publicRegion(prefix int) region {
	if prefix%2 == 0 {
		return publicEven
	}
	return publicOdd
}
