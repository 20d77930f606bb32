package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPeeringIsRefused(t *testing.T) {
	w := newWorld(t)
	vpc, peer, same := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16"), w.vpc("10.0.128.0/17")
	w.create(typePeering, m{"vpcId": vpc.ID, "peerVpcId": peer.ID})
	for name, test := range map[string]struct {
		inputs m
		code   string
	}{
		"no such VPC":            {m{"vpcId": "vpc-0123", "peerVpcId": peer.ID}, "InvalidVpcID.NotFound"},
		"no such peer":           {m{"vpcId": vpc.ID, "peerVpcId": "vpc-0123"}, "InvalidVpcID.NotFound"},
		"peer in another region": {m{"vpcId": vpc.ID, "peerVpcId": peer.ID, "peerRegion": "eu-west-1"}, "InvalidVpcID.NotFound"},
		"no such region":         {m{"vpcId": vpc.ID, "peerVpcId": peer.ID, "peerRegion": "eu-north-9"}, "UnrecognizedRegion"},
		"overlapping networks":   {m{"vpcId": vpc.ID, "peerVpcId": same.ID}, "InvalidParameterValue"},
		"with itself":            {m{"vpcId": vpc.ID, "peerVpcId": vpc.ID}, "InvalidParameterValue"},
		"the same again":         {m{"vpcId": vpc.ID, "peerVpcId": peer.ID}, "VpcPeeringConnectionAlreadyExists"},
		"the same, turned":       {m{"vpcId": peer.ID, "peerVpcId": vpc.ID}, "VpcPeeringConnectionAlreadyExists"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typePeering, test.inputs)
			refused(t, err, test.code)
		})
	}
	_, err := w.try(typePeering, m{"vpcId": vpc.ID, "peerVpcId": peer.ID, "peerRegion": testRegion, "autoAccept": true})
	require.ErrorContains(t, err, "check: autoAccept")
	_, err = w.try(typePeering, m{"vpcId": vpc.ID, "peerVpcId": peer.ID, "peerOwnerId": "210987654321"})
	require.ErrorContains(t, err, "check: peerOwnerId")
}

func TestPeeringAcrossRegions(t *testing.T) {
	w := newWorld(t)
	in := func(region, typ string, inputs m) *Object {
		t.Helper()
		o, err := w.tryIn(region, typ, inputs)
		require.NoError(t, err)
		return o
	}
	here := w.vpc("10.0.0.0/16")
	there := in("eu-west-1", typeVPC, m{"cidrBlock": "10.1.0.0/16", "enableDnsHostnames": true})
	table := w.create(typeRouteTable, m{"vpcId": here.ID})
	farTable := in("eu-west-1", typeRouteTable, m{"vpcId": there.ID})

	peering := w.create(typePeering, m{"vpcId": here.ID, "peerVpcId": there.ID, "peerRegion": "eu-west-1"})
	require.Regexp(t, `^pcx-[0-9a-f]{17}$`, peering.ID)
	require.Equal(t, peeringPending, peering.Outputs["acceptStatus"])
	early := w.create(typeRoute, m{"routeTableId": table.ID, "destinationCidrBlock": "10.1.0.0/16", "vpcPeeringConnectionId": peering.ID})
	require.Equal(t, "blackhole", early.Outputs["state"], "until the other side accepts")

	allow := m{"allowRemoteVpcDnsResolution": true}
	_, err := w.try(typePeeringOptions, m{"vpcPeeringConnectionId": peering.ID, "requester": allow})
	refused(t, err, "OperationNotPermitted")
	_, err = w.try(typePeeringAccepter, m{"vpcPeeringConnectionId": peering.ID, "autoAccept": true})
	refused(t, err, "OperationNotPermitted")
	_, err = w.tryIn("us-east-1", typePeeringAccepter, m{"vpcPeeringConnectionId": peering.ID, "autoAccept": true})
	refused(t, err, "InvalidVpcPeeringConnectionID.NotFound")

	accepter := in("eu-west-1", typePeeringAccepter, m{"vpcPeeringConnectionId": peering.ID, "autoAccept": true})
	require.Equal(t, peering.ID, accepter.ID)
	require.Equal(t, peeringActive, accepter.Outputs["acceptStatus"])
	require.Equal(t, "eu-west-1", accepter.Outputs["peerRegion"])
	require.Equal(t, here.ID, accepter.Outputs["vpcId"])
	require.Equal(t, there.ID, accepter.Outputs["peerVpcId"])
	require.Equal(t, peeringActive, w.refreshed(peering)["acceptStatus"])
	require.Equal(t, "active", w.refreshed(early)["state"])
	in("eu-west-1", typeRoute, m{"routeTableId": farTable.ID, "destinationCidrBlock": "10.0.0.0/16", "vpcPeeringConnectionId": peering.ID})

	_, err = w.try(typePeeringOptions, m{"vpcPeeringConnectionId": peering.ID, "accepter": allow})
	refused(t, err, "OperationNotPermitted")
	first := w.create(typePeeringOptions, m{"vpcPeeringConnectionId": peering.ID, "requester": allow})
	second := in("eu-west-1", typePeeringOptions, m{"vpcPeeringConnectionId": peering.ID, "accepter": allow})
	require.NotEqual(t, first.ID, second.ID)
	require.Equal(t, allow, w.refreshed(peering)["accepter"])
	require.Equal(t, allow, w.refreshed(first)["accepter"], "each tells both sides")

	require.NoError(t, w.delete(second))
	require.Equal(t, allow, w.refreshed(peering)["accepter"], "deleting the options leaves them as they are")
	require.NoError(t, w.delete(accepter))
	require.Equal(t, peeringActive, w.refreshed(peering)["acceptStatus"], "deleting the accepter takes nothing back")
	refused(t, w.delete(there), "DependencyViolation")
	require.NoError(t, w.delete(peering))
	gone(t, w.delete(first))
	require.Equal(t, "blackhole", w.refreshed(early)["state"])
}

func TestPeeringOptionsNeedDNSInTheVPC(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	plain := w.create(typeVPC, m{"cidrBlock": "10.1.0.0/16"})
	peering := w.create(typePeering, m{"vpcId": vpc.ID, "peerVpcId": plain.ID, "autoAccept": true})
	allow := m{"allowRemoteVpcDnsResolution": true}
	options := w.create(typePeeringOptions, m{"vpcPeeringConnectionId": peering.ID, "requester": allow})
	refused(t, w.update(options, m{"accepter": allow}), "OperationNotPermitted")
	require.NoError(t, w.update(plain, m{"enableDnsHostnames": true}))
	require.NoError(t, w.update(options, m{"accepter": allow}))
	require.Equal(t, allow, w.refreshed(peering)["accepter"])
	require.NoError(t, w.update(options, m{"accepter": m{"allowRemoteVpcDnsResolution": false}}))
	require.Equal(t, m{"allowRemoteVpcDnsResolution": false}, w.refreshed(peering)["accepter"])

	typ, err := Lookup(typePeeringOptions)
	require.NoError(t, err)
	require.NoError(t, w.a.Edit(typePeering, peering.ID, func(o *Object) { o.Outputs["requester"] = m{"allowRemoteVpcDnsResolution": false} }))
	require.Equal(t, Diff{Changed: []string{"requester"}}, typ.Diff(w.read(options).Inputs, w.read(options).Outputs, options.Inputs), "drift is a difference")
}

func TestPeeringDiff(t *testing.T) {
	peering, err := Lookup(typePeering)
	require.NoError(t, err)
	old := m{"vpcId": "vpc-1", "peerVpcId": "vpc-2", "requester": m{"allowRemoteVpcDnsResolution": true}}
	for name, test := range map[string]struct {
		change m
		want   Diff
	}{
		"options no longer given": {m{"requester": nil}, Diff{}},
		"options":                 {m{"requester": m{"allowRemoteVpcDnsResolution": false}}, Diff{Changed: []string{"requester"}}},
		"another peer":            {m{"peerVpcId": Unknown{}}, Diff{Changed: []string{"peerVpcId"}, Replaces: []string{"peerVpcId"}}},
	} {
		t.Run(name, func(t *testing.T) {
			news := cloneMap(old)
			for k, v := range test.change {
				news[k] = v
			}
			require.Equal(t, test.want, peering.Diff(old, old, news))
		})
	}
}
