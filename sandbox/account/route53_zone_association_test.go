package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestZoneAssociation(t *testing.T) {
	w := newWorld(t)
	a, b := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	zone := w.privateZone(a)
	association := w.create(typeZoneAssociation, m{"zoneId": zone.ID, "vpcId": b.ID})
	require.Equal(t, zone.ID+":"+b.ID+":"+testRegion, association.ID)
	require.Equal(t, testRegion, association.Outputs["vpcRegion"])
	require.Equal(t, AccountID, association.Outputs["owningAccount"])
	for name, test := range map[string]struct {
		inputs m
		code   string
	}{
		"twice":                    {m{"zoneId": zone.ID, "vpcId": b.ID}, "ConflictingDomainExists"},
		"the zone's own VPC":       {m{"zoneId": zone.ID, "vpcId": a.ID}, "ConflictingDomainExists"},
		"no such VPC":              {m{"zoneId": zone.ID, "vpcId": "vpc-gone"}, "InvalidVPCId"},
		"a VPC of another region":  {m{"zoneId": zone.ID, "vpcId": b.ID, "vpcRegion": "eu-west-1"}, "InvalidVPCId"},
		"no such zone":             {m{"zoneId": "ZGONE", "vpcId": b.ID}, "NoSuchHostedZone"},
		"the same domain for both": {m{"zoneId": w.create(typeZone, m{"name": "tooling.internal", "vpcs": vpcs(w.vpc("10.2.0.0/16"))}).ID, "vpcId": b.ID}, "ConflictingDomainExists"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeZoneAssociation, test.inputs)
			refused(t, err, test.code)
		})
	}
	require.NoError(t, w.delete(association))
	require.Equal(t, vpcs(a), w.read(zone).Outputs["vpcs"])
}

func TestLastVPCStays(t *testing.T) {
	w := newWorld(t)
	a, b := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	zone := w.privateZone(a)
	association := w.create(typeZoneAssociation, m{"zoneId": zone.ID, "vpcId": b.ID})
	require.NoError(t, w.update(zone, m{"vpcs": vpcs(b)}), "b is associated already, a goes")
	require.Equal(t, vpcs(b), w.read(zone).Outputs["vpcs"])
	refused(t, w.delete(association), "LastVPCAssociation")
	require.NoError(t, w.delete(zone))
	gone(t, w.delete(association))
}

// EC2 does not ask Route 53 when a VPC goes. The zone keeps the dead VPC, and
// its association cannot be undone any more: the order of the program has to
// prevent that.
func TestVPCGoesBeforeItsAssociation(t *testing.T) {
	w := newWorld(t)
	a, b := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	zone := w.privateZone(a)
	association := w.create(typeZoneAssociation, m{"zoneId": zone.ID, "vpcId": b.ID})
	require.NoError(t, w.delete(b))
	require.Equal(t, vpcs(a, b), w.read(zone).Outputs["vpcs"])
	refused(t, w.delete(association), "InvalidVPCId")
	require.NoError(t, w.delete(zone))
}
