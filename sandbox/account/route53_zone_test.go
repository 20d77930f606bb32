package account

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func vpcs(all ...*Object) []any {
	items := []any{}
	for _, vpc := range all {
		items = append(items, m{"vpcId": vpc.ID, "vpcRegion": vpc.Region})
	}
	return items
}

func TestPrivateZone(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	zone := w.privateZone(vpc)
	require.Regexp(t, `^Z[A-Z0-9]{20}$`, zone.ID)
	require.Equal(t, zone.ID, zone.Outputs["zoneId"])
	require.Equal(t, "arn:aws:route53:::hostedzone/"+zone.ID, zone.Outputs["arn"])
	require.Equal(t, vpcs(vpc), zone.Outputs["vpcs"])
	require.Equal(t, "ns-0.awsdns-00.com.", zone.Outputs["primaryNameServer"])
	require.NoError(t, w.update(zone, m{"comment": "changed"}))
	require.Equal(t, vpcs(vpc), w.read(zone).Outputs["vpcs"])

	_, err := w.try(typeZone, m{"name": "Tooling.internal.", "vpcs": vpcs(vpc)})
	refused(t, err, "ConflictingDomainExists")
	_, err = w.try(typeZone, m{"name": "other.internal", "vpcs": l(m{"vpcId": "vpc-gone"})})
	refused(t, err, "InvalidVPCId")
	_, err = w.try(typeZone, m{"name": "other.internal", "vpcs": l(m{"vpcId": vpc.ID, "vpcRegion": "eu-west-1"})})
	refused(t, err, "InvalidVPCId")
	_, err = w.try(typeZone, m{"name": "not a name"})
	require.ErrorContains(t, err, "is not a domain name")

	require.NoError(t, w.delete(zone))
	require.NoError(t, w.delete(vpc))
	require.Empty(t, w.a.Objects(), "the NS and SOA records go with the zone")
}

func TestPublicZoneTakesNoVPC(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	zone := w.create(typeZone, m{"name": "example.com"})
	require.Regexp(t, `^ns-\d+\.awsdns-\d\d\.(com|net|org|co\.uk)$`, zone.Outputs["primaryNameServer"])
	refused(t, w.update(zone, m{"vpcs": vpcs(vpc)}), "PublicZoneVPCAssociation")
	_, err := w.try(typeZoneAssociation, m{"zoneId": zone.ID, "vpcId": vpc.ID})
	refused(t, err, "PublicZoneVPCAssociation")
}

func TestZoneWithRecordsIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	zone := w.privateZone(w.vpc("10.0.0.0/16"))
	record := w.create(typeRecord, m{"zoneId": zone.ID, "name": "db", "type": "A", "ttl": 60, "records": l("10.0.0.5")})
	refused(t, w.delete(zone), "HostedZoneNotEmpty")
	require.NoError(t, w.delete(record))
	require.NoError(t, w.delete(zone))
}

func TestForceDestroyTakesTheRecordsAlong(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	zone := w.create(typeZone, m{"name": "tooling.internal", "vpcs": vpcs(vpc), "forceDestroy": true})
	record := w.create(typeRecord, m{"zoneId": zone.ID, "name": "db", "type": "A", "ttl": 60, "records": l("10.0.0.5")})
	require.NoError(t, w.delete(zone))
	gone(t, w.delete(record))
}

func TestZoneVPCsChangeInPlace(t *testing.T) {
	w := newWorld(t)
	a, b := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	zone := w.privateZone(a)
	require.NoError(t, w.update(zone, m{"vpcs": vpcs(a, b)}))
	require.NoError(t, w.update(zone, m{"vpcs": vpcs(b)}), "the new VPC comes before the old one goes")
	require.Equal(t, vpcs(b), w.read(zone).Outputs["vpcs"])
	refused(t, w.update(zone, m{"vpcs": l()}), "LastVPCAssociation")
}

// What the components do: the zone ignores changes of its list, and every other
// VPC comes and goes with an association of its own.
func TestZoneKeepsAssociationsOfOthers(t *testing.T) {
	w := newWorld(t)
	a, b := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	zone := w.privateZone(a)
	association := w.create(typeZoneAssociation, m{"zoneId": zone.ID, "vpcId": b.ID, "vpcRegion": testRegion})
	require.Equal(t, vpcs(a, b), w.read(zone).Outputs["vpcs"])
	require.NoError(t, w.update(zone, m{"tags": m{"a": "b"}}))
	require.Equal(t, vpcs(a, b), w.read(zone).Outputs["vpcs"], "an update of something else")

	// After a refresh the engine gives the whole list.
	require.NoError(t, w.update(zone, m{"vpcs": vpcs(a, b)}))
	require.Equal(t, vpcs(a, b), w.read(zone).Outputs["vpcs"])
	// Taking one out of the list removes it, whoever associated it.
	require.NoError(t, w.update(zone, m{"vpcs": vpcs(a)}))
	gone(t, w.delete(association))
}

// However associations come and go, a private zone is never without a VPC and
// never has one twice.
func TestZoneIsNeverWithoutVPC(t *testing.T) {
	w := newWorld(t)
	all := []*Object{w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16"), w.vpc("10.2.0.0/16")}
	rapid.Check(t, func(t *rapid.T) {
		zone := w.privateZone(all[0])
		associations := map[int]*Object{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			i := rapid.IntRange(0, len(all)-1).Draw(t, "vpc")
			switch {
			case associations[i] != nil:
				if w.delete(associations[i]) == nil {
					delete(associations, i)
				}
			case rapid.Bool().Draw(t, "inline"):
				list := vpcs(all[i])
				if rapid.Bool().Draw(t, "two") {
					list = vpcs(all[0], all[i])
				}
				_ = w.update(zone, m{"vpcs": list}) // may be refused
			default:
				if made, err := w.try(typeZoneAssociation, m{"zoneId": zone.ID, "vpcId": all[i].ID}); err == nil {
					associations[i] = made
				}
			}
			standing := zoneVPCs(w.read(zone).out(), testRegion)
			seen := map[zoneVPC]bool{}
			for _, vpc := range standing {
				if seen[vpc] {
					t.Fatalf("%v is there twice", vpc)
				}
				seen[vpc] = true
			}
			if len(standing) == 0 {
				t.Fatalf("the zone has no VPC")
			}
			for i, association := range associations {
				if _, err := w.a.Read(t.Context(), typeZoneAssociation, association.ID); err != nil {
					delete(associations, i)
				} else if !seen[associatedVPC(association)] {
					t.Fatalf("association %s stands without its VPC", association.ID)
				}
			}
		}
		if err := w.delete(zone); err != nil {
			t.Fatalf("deleting the zone: %v", err)
		}
	})
}
