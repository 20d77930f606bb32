package cidr_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/cidr"
)

func TestContains(t *testing.T) {
	p := netip.MustParsePrefix
	cases := []struct {
		outer, inner string
		want         bool
	}{
		{"10.0.0.0/16", "10.0.0.0/16", true},
		{"10.0.0.0/16", "10.0.255.0/24", true},
		{"10.0.0.0/16", "10.1.0.0/24", false},
		{"10.0.0.0/24", "10.0.0.0/16", false},
	}
	for _, c := range cases {
		t.Run(c.outer+" "+c.inner, func(t *testing.T) {
			require.Equal(t, c.want, cidr.Contains(p(c.outer), p(c.inner)))
		})
	}
}

func TestOverlap(t *testing.T) {
	p := netip.MustParsePrefix
	require.True(t, cidr.Overlap(p("10.0.0.0/16"), p("10.0.4.0/24")))
	require.True(t, cidr.Overlap(p("10.0.4.0/24"), p("10.0.0.0/16")))
	require.False(t, cidr.Overlap(p("10.0.0.0/16"), p("10.1.0.0/16")))
}
