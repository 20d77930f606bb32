package cidr_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/strongroom-platform/strongroom/internal/cidr"
)

func ranges(subnets []cidr.Subnet) []string {
	var out []string
	for _, s := range subnets {
		out = append(out, s.CIDR.String())
	}
	return out
}

func zones(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("eu-central-1%c", 'a'+i))
	}
	return out
}

func TestNew(t *testing.T) {
	cases := map[string]struct {
		request         cidr.Request
		private, public []string
	}{
		"defaults": {
			cidr.Request{VPC: "10.0.0.0/16", Zones: zones(3)},
			[]string{"10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"},
			[]string{"10.0.192.0/24", "10.0.193.0/24", "10.0.194.0/24"},
		},
		"odd sizes stand in regions of their own": {
			cidr.Request{VPC: "10.0.0.0/16", Zones: zones(3), PrivatePrefix: 19, PublicPrefix: 23},
			[]string{"10.0.96.0/19", "10.0.128.0/19", "10.0.160.0/19"},
			[]string{"10.0.224.0/23", "10.0.226.0/23", "10.0.228.0/23"},
		},
		"a small VPC": {
			cidr.Request{VPC: "192.168.4.0/23", Zones: zones(3)},
			[]string{"192.168.4.192/27", "192.168.4.224/27", "192.168.5.0/27"},
			[]string{"192.168.5.128/28", "192.168.5.144/28", "192.168.5.160/28"},
		},
		"one size given": {
			cidr.Request{VPC: "10.0.0.0/16", Zones: zones(2), PrivatePrefix: 22},
			[]string{"10.0.0.0/22", "10.0.4.0/22"},
			[]string{"10.0.192.0/24", "10.0.193.0/24"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			plan, err := cidr.New(c.request)
			require.NoError(t, err)
			require.Equal(t, c.private, ranges(plan.Private))
			require.Equal(t, c.public, ranges(plan.Public))
			for i, zone := range c.request.Zones {
				require.Equal(t, zone, plan.Private[i].Zone)
				require.Equal(t, zone, plan.Public[i].Zone)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	cases := map[string]struct {
		request cidr.Request
		want    string
	}{
		"missing":      {cidr.Request{Zones: zones(2)}, `cidr: missing: an IPv4 range such as "10.0.0.0/16" is expected`},
		"malformed":    {cidr.Request{VPC: "10.0.0/16", Zones: zones(2)}, `cidr: "10.0.0/16" is not a range`},
		"no prefix":    {cidr.Request{VPC: "10.0.0.0", Zones: zones(2)}, `cidr: "10.0.0.0" is not a range`},
		"ipv6":         {cidr.Request{VPC: "fd00::/56", Zones: zones(2)}, `cidr: "fd00::/56" is an IPv6 range`},
		"host bits":    {cidr.Request{VPC: "10.0.0.1/16", Zones: zones(2)}, `cidr: "10.0.0.1/16" has host bits set: write "10.0.0.0/16"`},
		"too small":    {cidr.Request{VPC: "10.0.0.0/30", Zones: zones(3)}, "cidr: 10.0.0.0/30 is too small for 3 zones: need at least /23"},
		"beyond AWS":   {cidr.Request{VPC: "10.0.0.0/29", Zones: zones(2)}, "cidr: 10.0.0.0/29 is too small for 2 zones: need at least /24"},
		"just too few": {cidr.Request{VPC: "10.0.0.0/24", Zones: zones(3)}, "cidr: 10.0.0.0/24 is too small for 3 zones: need at least /23"},
		"too large":    {cidr.Request{VPC: "10.0.0.0/8", Zones: zones(2)}, "cidr: 10.0.0.0/8 is larger than AWS allows for a VPC: at most /16"},
		"no zones":     {cidr.Request{VPC: "10.0.0.0/16"}, "zones: none given"},
		"too small for the private size": {
			cidr.Request{VPC: "10.0.0.0/20", Zones: zones(3), PrivatePrefix: 20},
			"cidr: 10.0.0.0/20 is too small for 3 zones with private subnets of /20: need at least /17",
		},
		"too small for the public size": {
			cidr.Request{VPC: "10.0.0.0/20", Zones: zones(3), PublicPrefix: 23},
			"cidr: 10.0.0.0/20 is too small for 3 zones with public subnets of /23: need at least /18",
		},
		"too small for both": {
			cidr.Request{VPC: "10.0.0.0/20", Zones: zones(3), PrivatePrefix: 21, PublicPrefix: 24},
			"cidr: 10.0.0.0/20 is too small for 3 zones with private subnets of /21 and public ones of /24: need at least /18",
		},
		"private subnets too large":            {cidr.Request{VPC: "10.0.0.0/16", Zones: zones(4), PrivatePrefix: 19}, "privatePrefix: subnets of /19 are too large for 4 zones in any VPC: need at least 20"},
		"public subnets too large":             {cidr.Request{VPC: "10.0.0.0/16", Zones: zones(3), PublicPrefix: 20}, "publicPrefix: subnets of /20 are too large for 3 zones in any VPC: need at least 21"},
		"private prefix beyond AWS":            {cidr.Request{VPC: "10.0.0.0/16", Zones: zones(2), PrivatePrefix: 29}, "privatePrefix: 29 is not a prefix length that AWS allows for a subnet: between 16 and 28 is expected"},
		"public prefix beyond AWS":             {cidr.Request{VPC: "10.0.0.0/16", Zones: zones(2), PublicPrefix: 12}, "publicPrefix: 12 is not a prefix length"},
		"negative prefix":                      {cidr.Request{VPC: "10.0.0.0/16", Zones: zones(2), PrivatePrefix: -1}, "privatePrefix: -1 is not a prefix length"},
		"more zones than the usual sizes take": {cidr.Request{VPC: "10.0.0.0/24", Zones: zones(7)}, "privatePrefix: subnets of /20 are too large for 7 zones in any VPC: need at least 21"},
		"more zones than any VPC takes":        {cidr.Request{VPC: "10.0.0.0/16", Zones: zones(7), PrivatePrefix: 20}, "privatePrefix: subnets of /20 are too large for 7 zones in any VPC: need at least 21"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := cidr.New(c.request)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// drawRequest draws requests of which most can be planned.
func drawRequest(t *rapid.T) cidr.Request {
	bits := rapid.IntRange(16, 24).Draw(t, "vpc bits")
	addr := netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 255).Draw(t, "b")), byte(rapid.IntRange(0, 255).Draw(t, "c")), 0})
	r := cidr.Request{
		VPC:   netip.PrefixFrom(addr, bits).Masked().String(),
		Zones: zones(rapid.IntRange(2, 6).Draw(t, "zones")),
	}
	if rapid.Bool().Draw(t, "private given") {
		r.PrivatePrefix = rapid.IntRange(min(bits+3, 28), 28).Draw(t, "private")
	}
	if rapid.Bool().Draw(t, "public given") {
		r.PublicPrefix = rapid.IntRange(min(bits+4, 28), 28).Draw(t, "public")
	}
	return r
}

func all(p cidr.Plan) []cidr.Subnet {
	return append(append([]cidr.Subnet{}, p.Private...), p.Public...)
}

func TestSubnetsAreInsideAndApart(t *testing.T) {
	planned := 0
	rapid.Check(t, func(t *rapid.T) {
		plan, err := cidr.New(drawRequest(t))
		if err != nil {
			return
		}
		planned++
		subnets := all(plan)
		for i, s := range subnets {
			if !cidr.Contains(plan.VPC, s.CIDR) {
				t.Fatalf("%s is not inside of %s", s.CIDR, plan.VPC)
			}
			if s.CIDR != s.CIDR.Masked() {
				t.Fatalf("%s is not aligned", s.CIDR)
			}
			for _, other := range subnets[i+1:] {
				if cidr.Overlap(s.CIDR, other.CIDR) {
					t.Fatalf("%s and %s overlap", s.CIDR, other.CIDR)
				}
			}
		}
	})
	require.NotZero(t, planned, "no drawn request could be planned: the test proves nothing")
}

func TestAppendedZonesMoveNothing(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t)
		before, err := cidr.New(r)
		if err != nil {
			return
		}
		r.Zones = append(r.Zones, "eu-central-1z")
		after, err := cidr.New(r)
		if err != nil {
			return
		}
		compared++
		for i := range before.Private {
			if before.Private[i] != after.Private[i] || before.Public[i] != after.Public[i] {
				t.Fatalf("zone %s moved", before.Private[i].Zone)
			}
		}
	})
	require.NotZero(t, compared, "no drawn request could grow: the test proves nothing")
}

func TestAResizeByOneStepOverlapsNothingOld(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t)
		before, err := cidr.New(r)
		if err != nil {
			return
		}
		resized := r
		step := rapid.SampledFrom([]int{-1, 1}).Draw(t, "step")
		private := rapid.Bool().Draw(t, "private tier")
		if private {
			resized.PrivatePrefix = before.Private[0].CIDR.Bits() + step
		} else {
			resized.PublicPrefix = before.Public[0].CIDR.Bits() + step
		}
		after, err := cidr.New(resized)
		if err != nil {
			return
		}
		compared++
		moved, kept := after.Private, after.Public
		same := before.Public
		if !private {
			moved, kept, same = after.Public, after.Private, before.Private
		}
		for _, s := range moved {
			for _, old := range all(before) {
				if cidr.Overlap(s.CIDR, old.CIDR) {
					t.Fatalf("the new %s overlaps the old %s", s.CIDR, old.CIDR)
				}
			}
		}
		for i := range kept {
			if kept[i] != same[i] {
				t.Fatalf("the tier that keeps its size moved: %s to %s", same[i].CIDR, kept[i].CIDR)
			}
		}
	})
	require.NotZero(t, compared, "no drawn request could be resized: the test proves nothing")
}

// follow changes the request as an error asks, and returns the setting.
func follow(t *rapid.T, r *cidr.Request, text string) string {
	setting, _, _ := strings.Cut(text, ": ")
	_, need, found := strings.Cut(text, "need at least ")
	if !found {
		t.Fatalf("%q does not say what is needed", text)
	}
	bits, err := strconv.Atoi(strings.TrimPrefix(need, "/"))
	if err != nil {
		t.Fatalf("%q does not end in a prefix length", text)
	}
	switch setting {
	case "cidr":
		r.VPC = netip.PrefixFrom(netip.MustParsePrefix(r.VPC).Addr(), bits).Masked().String()
	case "privatePrefix":
		r.PrivatePrefix = bits
	case "publicPrefix":
		r.PublicPrefix = bits
	default:
		t.Fatalf("%q starts with no setting", text)
	}
	return setting
}

// Who does what the errors ask for, setting by setting, is done: no setting is in
// the wrong twice. A VPC of the size asked for is enough at once.
func TestWhatTheErrorAsksForIsEnough(t *testing.T) {
	asked := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t)
		r.Zones = zones(rapid.IntRange(2, 12).Draw(t, "more zones"))
		if r.PrivatePrefix != 0 {
			r.PrivatePrefix = rapid.IntRange(16, 24).Draw(t, "larger private")
		}
		if r.PublicPrefix != 0 {
			r.PublicPrefix = rapid.IntRange(16, 24).Draw(t, "larger public")
		}
		vpc := netip.MustParsePrefix(r.VPC)
		r.VPC = netip.PrefixFrom(vpc.Addr(), rapid.IntRange(16, 32).Draw(t, "small")).Masked().String()
		followed := map[string]bool{}
		for {
			_, err := cidr.New(r)
			if err == nil {
				return
			}
			before := r
			setting := follow(t, &r, err.Error())
			if followed[setting] || followed["cidr"] {
				t.Fatalf("%+v, after following %v, is refused again: %v", before, followed, err)
			}
			followed[setting] = true
			asked[setting]++
		}
	})
	for _, setting := range []string{"cidr", "privatePrefix", "publicPrefix"} {
		require.NotZero(t, asked[setting], "no drawn request is wrong in %s: the test does not prove it", setting)
	}
}

// A change by two steps lays the subnets over the old ones: AWS refuses it, the
// documentation says so, and this test keeps the documentation true.
func TestAResizeByTwoStepsOverlaps(t *testing.T) {
	before, err := cidr.New(cidr.Request{VPC: "10.0.0.0/16", Zones: zones(3), PrivatePrefix: 20})
	require.NoError(t, err)
	after, err := cidr.New(cidr.Request{VPC: "10.0.0.0/16", Zones: zones(3), PrivatePrefix: 22})
	require.NoError(t, err)
	require.True(t, cidr.Overlap(before.Private[0].CIDR, after.Private[0].CIDR))
}
