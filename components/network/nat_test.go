package network_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

func TestNATGateways(t *testing.T) {
	for strategy, letters := range map[network.NATStrategy][]string{
		network.NATNone: nil, network.NATSingle: {"a"}, network.NATPerZone: {"a", "b", "c"},
	} {
		t.Run(string(strategy), func(t *testing.T) {
			g := run(t, func(a *network.Args) { a.NAT = strategy })
			require.Len(t, gateways(g), len(letters))
			require.Len(t, g.OfType(typeEIP), len(letters))
			for _, letter := range letters {
				address, nat := g.Get(t, typeEIP, "net-nat-"+letter), g.Get(t, typeNAT, "net-nat-"+letter)
				assert.Equal(t, "vpc", address.Get("domain"))
				assert.Equal(t, address.ID, nat.Get("allocationId"))
				assert.Equal(t, g.Get(t, typeSubnet, "net-public-"+letter).ID, nat.Get("subnetId"))
				assert.True(t, nat.DeleteBeforeReplace, "an address belongs to one gateway at a time")
				assert.False(t, address.DeleteBeforeReplace)
			}
			assert.Len(t, g.Get(t, typeNetwork, "net").Output("natPublicIps"), len(letters))
		})
	}
}

// AWS does not detach an internet gateway while an address is mapped, and a NAT
// gateway leads nowhere before its subnet does.
func TestNATGatewaysComeAfterTheWayOut(t *testing.T) {
	for _, strategy := range []network.NATStrategy{network.NATSingle, network.NATPerZone} {
		g := run(t, func(a *network.Args) { a.NAT = strategy })
		gateway := g.Get(t, typeIGW, "net-igw")
		for _, address := range g.OfType(typeEIP) {
			assert.Contains(t, address.Dependencies, gateway.URN)
		}
		for _, name := range gateways(g) {
			nat := g.Get(t, typeNAT, name)
			assert.Contains(t, nat.Dependencies, gateway.URN)
			assert.True(t, g.DependsOn(nat, g.Get(t, typeRoute, "net-public-internet")))
			for _, letter := range []string{"a", "b", "c"} {
				assert.True(t, g.DependsOn(nat, g.Get(t, typeAssociation, "net-public-"+letter)))
			}
		}
	}
}

// From one strategy to another nothing changes but gateways, addresses and the
// routes to the gateways; what both have stays, and routes change in place.
func TestAChangeOfTheStrategyIsSmall(t *testing.T) {
	strategies := []network.NATStrategy{network.NATNone, network.NATSingle, network.NATPerZone}
	graphs := map[network.NATStrategy]*pulumitest.Graph{}
	for _, strategy := range strategies {
		graphs[strategy] = run(t, func(a *network.Args) { a.NAT = strategy })
	}
	for _, from := range strategies {
		for _, to := range strategies {
			t.Run(string(from)+" to "+string(to), func(t *testing.T) {
				for _, before := range graphs[from].Resources {
					after := graphs[to].Find(before.Type, before.Name)
					switch {
					case after == nil:
						assert.Contains(t, []string{typeNAT, typeEIP, typeRoute}, before.Type, "%s goes", before)
						assert.NotEqual(t, "net-public-internet", before.Name)
					case before.Component():
					case before.Type == typeRoute:
						// The target of a route changes in place, its table and destination do not.
						assert.Equal(t, before.Get("routeTableId"), after.Get("routeTableId"))
						assert.Equal(t, before.Get("destinationCidrBlock"), after.Get("destinationCidrBlock"))
					default:
						assert.Equal(t, before.Plain(), after.Plain(), "%s changes", before)
					}
				}
			})
		}
	}
}
