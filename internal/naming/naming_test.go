package naming_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/strongroom-platform/strongroom/internal/naming"
)

func TestLimit(t *testing.T) {
	cases := []struct {
		name string
		max  int
		want string
	}{
		{"tooling", 32, "tooling"},
		{"exactly-ten", 11, "exactly-ten"},
		{"tooling-staging-vault-internal-load-balancer", 32, "tooling-staging-vault-in-22dc53b"},
		{"no-hyphen-before-----------------the-hash", 20, "no-hyphen-be-c04b55b"},
		{"many-hyphens------------------------------", 24, "many-hyphens-9bdd963"},
		{"short", 4, "f9b0"},
		{"anything", 0, ""},
		{"anything", -1, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := naming.Limit(c.name, c.max)
			require.Equal(t, c.want, got)
		})
	}
}

func TestLimitKeepsTheLimitAndTheDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(9, 64).Draw(t, "max")
		name := rapid.StringMatching(`[a-z][a-z0-9-]{0,100}`).Draw(t, "name")
		got := naming.Limit(name, limit)
		if len(got) > limit {
			t.Fatalf("%q has %d characters, more than %d", got, len(got), limit)
		}
		if got != naming.Limit(name, limit) {
			t.Fatal("two calls gave two names")
		}
		// Names that differ only after the cut stay different.
		long := name + strings.Repeat("x", limit)
		if naming.Limit(long+"1", limit) == naming.Limit(long+"2", limit) {
			t.Fatalf("%q and %q got one name", long+"1", long+"2")
		}
	})
}
