package account

import "slices"

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/route53/zone_association.go
var _ = register(typeZoneAssociation, rules{
	forceNew: []string{"vpcId", "vpcRegion", "zoneId"},
	computed: []string{"vpcRegion"},
	create:   createZoneAssociation,
	remove:   removeZoneAssociation,
})

func zoneAssociationID(zone string, vpc zoneVPC) string {
	return zone + ":" + vpc.id + ":" + vpc.region
}

func associatedVPC(association *Object) zoneVPC {
	return zoneVPC{association.in().String("vpcId"), association.in().StringOr("vpcRegion", association.Region)}
}

func createZoneAssociation(v *view, o *Object) error {
	if _, err := v.zoneOfID(o.in().String("zoneId")); err != nil {
		return err
	}
	zone, vpc := v.edit(typeZone, o.in().String("zoneId")), associatedVPC(o)
	if err := v.associate(zone, vpc); err != nil {
		return err
	}
	o.ID = zoneAssociationID(zone.ID, vpc)
	o.Outputs["vpcRegion"] = vpc.region
	o.Outputs["owningAccount"] = AccountID
	return nil
}

func removeZoneAssociation(v *view, o *Object) error {
	zone, vpc := v.edit(typeZone, o.in().String("zoneId")), associatedVPC(o)
	if zone == nil || !slices.Contains(zoneVPCs(zone.out(), zone.Region), vpc) {
		return nil // the provider takes it for done
	}
	if found := v.get(typeVPC, vpc.id); found == nil || found.Region != vpc.region {
		return missingReference("InvalidVPCId", "the VPC %s in region %s does not exist any more: disassociate it from %s before it is deleted", vpc.id, vpc.region, zone.ID)
	}
	return v.disassociate(zone, vpc)
}
