// Package cidr plans the subnets of a VPC. It is pure arithmetic: no AWS, no
// Pulumi.
package cidr

import (
	"fmt"
	"net/netip"
)

// Prefix lengths that AWS accepts for a VPC and for a subnet, see
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html.
const (
	MinPrefix = 16
	MaxPrefix = 28
)

// Parse reads an IPv4 range such as "10.0.0.0/16". An address with host bits
// ("10.0.0.1/16") is an error, because AWS would quietly take another range.
func Parse(s string) (netip.Prefix, error) {
	if s == "" {
		return netip.Prefix{}, fmt.Errorf("missing: an IPv4 range such as %q is expected", "10.0.0.0/16")
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a range: an IPv4 range such as %q is expected", s, "10.0.0.0/16")
	}
	if !p.Addr().Is4() {
		return netip.Prefix{}, fmt.Errorf("%q is an IPv6 range: an IPv4 range such as %q is expected", s, "10.0.0.0/16")
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has host bits set: write %q", s, p.Masked())
	}
	return p, nil
}

// Overlap reports whether two ranges have an address in common.
func Overlap(a, b netip.Prefix) bool { return a.Overlaps(b) }

// Contains reports whether all of inner is in outer.
func Contains(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// nth returns the n-th block of the given prefix length, counted from start.
func nth(start netip.Addr, bits, n int) netip.Prefix {
	b := start.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n) << (32 - bits)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), bits)
}
