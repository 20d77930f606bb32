package network_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

func TestRoutes(t *testing.T) {
	for strategy, zoneOf := range map[network.NATStrategy]func(letter string) string{
		network.NATNone:    func(string) string { return "" },
		network.NATSingle:  func(string) string { return "a" },
		network.NATPerZone: func(letter string) string { return letter },
	} {
		t.Run(string(strategy), func(t *testing.T) {
			g := run(t, func(a *network.Args) { a.NAT = strategy })
			assert.Equal(t, map[string]any{
				"routeTableId": g.Get(t, typeTable, "net-public").ID, "destinationCidrBlock": "0.0.0.0/0",
				"gatewayId": g.Get(t, typeIGW, "net-igw").ID,
			}, g.Get(t, typeRoute, "net-public-internet").Plain())
			tables := map[string]any{"public": g.Get(t, typeTable, "net-public").ID}
			for _, letter := range []string{"a", "b", "c"} {
				private := g.Get(t, typeTable, "net-private-"+letter)
				tables["private-"+letter] = private.ID
				if zone := zoneOf(letter); zone == "" {
					assert.Nil(t, g.Find(typeRoute, "net-private-"+letter+"-nat"))
				} else {
					assert.Equal(t, map[string]any{
						"routeTableId": private.ID, "destinationCidrBlock": "0.0.0.0/0",
						"natGatewayId": g.Get(t, typeNAT, "net-nat-"+zone).ID,
					}, g.Get(t, typeRoute, "net-private-"+letter+"-nat").Plain())
				}
				for tier, table := range map[string]string{"private": private.ID, "public": g.Get(t, typeTable, "net-public").ID} {
					assert.Equal(t, map[string]any{
						"subnetId": g.Get(t, typeSubnet, "net-"+tier+"-"+letter).ID, "routeTableId": table,
					}, g.Get(t, typeAssociation, "net-"+tier+"-"+letter).Plain())
				}
			}
			assert.Equal(t, tables, g.Output("routeTables"), "every table is listed for who joins")
		})
	}
}

// What uses a subnet comes after all that makes it useful.
func TestUsersWaitForTheRoutes(t *testing.T) {
	g := run(t, func(a *network.Args) { a.NAT, a.InterfaceEndpoints = network.NATPerZone, []string{"sts"} })
	for _, typ := range []string{typeAssociation, typeRoute, typeNAT, typeEIP, typeIGW, typeEndpoint, typeSG, typeIngress} {
		for _, r := range g.OfType(typ) {
			if g.ParentOf(r) != nil {
				assert.True(t, g.DependsOn(user(t, g, "private"), r), "private: %s", r)
			}
		}
	}
	for _, letter := range []string{"a", "b", "c"} {
		assert.True(t, g.DependsOn(user(t, g, "public"), g.Get(t, typeAssociation, "net-public-"+letter)))
		assert.False(t, g.DependsOn(user(t, g, "public"), g.Get(t, typeAssociation, "net-private-"+letter)))
	}
	assert.True(t, g.DependsOn(user(t, g, "public"), g.Get(t, typeRoute, "net-public-internet")))
}

// NAT gateways and interface endpoints are deleted before their replacements are
// made. The engine then also replaces what has a property that depends on them, as
// far as the property cannot change in place: nothing in a subnet may be that.
func TestNoIDOfASubnetComesFromWhatIsDeletedFirst(t *testing.T) {
	g := run(t, func(a *network.Args) { a.NAT, a.InterfaceEndpoints = network.NATPerZone, []string{"sts"} })
	first := map[string]bool{}
	for _, r := range g.Resources {
		if r.DeleteBeforeReplace {
			first[r.URN] = true
		}
	}
	require.Len(t, first, 4, "three NAT gateways, one interface endpoint")
	for _, tier := range []string{"private", "public"} {
		for _, urn := range user(t, g, tier).PropertyDependencies["subnetId"] {
			assert.False(t, first[urn], urn)
		}
	}
	for _, r := range g.OfType(typeAssociation) {
		for property, urns := range r.PropertyDependencies {
			for _, urn := range urns {
				assert.False(t, first[urn], "%s, property %q: %s", r, property, urn)
			}
		}
	}
}

// In a preview, a route that is new does not make the ids of subnets unknown that
// exist: they would look like the replacement of everything in them.
func TestIDsStayKnownWhileRoutesAreNew(t *testing.T) {
	unknown := pulumitest.Type{ID: func(pulumitest.TypeArgs) string { return "" }}
	g := pulumitest.Run(t, program(sample()), pulumitest.Options{Types: map[string]pulumitest.Type{
		typeRoute: unknown, typeAssociation: unknown, typeEndpoint: unknown,
	}})
	assert.Equal(t, g.Get(t, typeSubnet, "net-private-a").ID, user(t, g, "private").Get("subnetId"))
}
