package account

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSubnetMustLieInItsVPC(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/20")
	w.subnet(vpc, "10.0.0.0/24", "a")
	for name, test := range map[string]struct {
		inputs m
		code   string
	}{
		"outside":           {m{"vpcId": vpc.ID, "cidrBlock": "10.1.0.0/24"}, "InvalidSubnet.Range"},
		"larger":            {m{"vpcId": vpc.ID, "cidrBlock": "10.0.0.0/19"}, "InvalidSubnet.Range"},
		"overlapping":       {m{"vpcId": vpc.ID, "cidrBlock": "10.0.0.128/25"}, "InvalidSubnet.Conflict"},
		"no such VPC":       {m{"vpcId": "vpc-0123", "cidrBlock": "10.0.1.0/24"}, "InvalidVpcID.NotFound"},
		"zone of elsewhere": {m{"vpcId": vpc.ID, "cidrBlock": "10.0.1.0/24", "availabilityZone": "eu-west-1a"}, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeSubnet, test.inputs)
			refused(t, err, test.code)
		})
	}
	_, err := w.tryIn("eu-west-1", typeSubnet, m{"vpcId": vpc.ID, "cidrBlock": "10.0.1.0/24"})
	refused(t, err, "InvalidVpcID.NotFound")
}

func TestSubnetDiff(t *testing.T) {
	subnet, err := Lookup(typeSubnet)
	require.NoError(t, err)
	old := m{"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-central-1a", "tags": m{"a": "1"}}
	for name, test := range map[string]struct {
		change m
		want   Diff
	}{
		"nothing":          {m{}, Diff{}},
		"a tag":            {m{"tags": m{"a": "2"}}, Diff{Changed: []string{"tags"}}},
		"its network":      {m{"cidrBlock": "10.0.1.0/24"}, Diff{Changed: []string{"cidrBlock"}, Replaces: []string{"cidrBlock"}}},
		"its VPC, unknown": {m{"vpcId": Unknown{}}, Diff{Changed: []string{"vpcId"}, Replaces: []string{"vpcId"}}},
		"zone left to AWS": {m{"availabilityZone": nil}, Diff{}},
	} {
		t.Run(name, func(t *testing.T) {
			news := cloneMap(old)
			for k, v := range test.change {
				news[k] = v
			}
			require.Equal(t, test.want, subnet.Diff(old, old, news))
		})
	}
}

// Whatever networks a program asks for, those that stand in a VPC never
// overlap and never leave it.
func TestSubnetsNeverOverlap(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		vpc := w.vpc("10.0.0.0/20")
		var standing []netip.Prefix
		for range rapid.IntRange(1, 12).Draw(t, "subnets") {
			bits := rapid.IntRange(19, 26).Draw(t, "bits")
			third := rapid.IntRange(0, 20).Draw(t, "third")
			cidr := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(third), 0}), bits).Masked()
			if _, err := w.try(typeSubnet, m{"vpcId": vpc.ID, "cidrBlock": cidr.String()}); err == nil {
				standing = append(standing, cidr)
			}
		}
		for i, p := range standing {
			if !contains(netip.MustParsePrefix("10.0.0.0/20"), p) {
				t.Fatalf("%s left the VPC", p)
			}
			for _, q := range standing[:i] {
				if p.Overlaps(q) {
					t.Fatalf("%s and %s overlap", p, q)
				}
			}
		}
	})
}
