package account

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/route53/zone.go
var _ = register(typeZone, rules{
	name:       &autoname{property: "name", max: 255},
	defaults:   map[string]any{"comment": "Managed by Pulumi", "forceDestroy": false},
	forceNew:   []string{"delegationSetId", "name"},
	computed:   []string{"vpcs.vpcRegion"},
	sets:       []string{"vpcs"},
	unmodelled: []string{"delegationSetId"},
	check:      checkZone,
	create:     createZone,
	update:     updateZone,
	remove:     removeZone,
})

// privateNameServers are those of every private zone: nobody can ask them.
var privateNameServers = []string{"ns-0.awsdns-00.com.", "ns-1024.awsdns-00.org.", "ns-1536.awsdns-00.co.uk.", "ns-512.awsdns-00.net."}

var domainForm = regexp.MustCompile(`^(\*\.)?([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\.)*[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?\.?$`)

func checkZone(in Props) []Failure {
	var failures []Failure
	if name, ok := in["name"].(string); ok && (!domainForm.MatchString(name) || len(name) > 255) {
		failures = append(failures, Failure{Property: "name", Reason: fmt.Sprintf("%q is not a domain name", name)})
	}
	if comment := in.String("comment"); len(comment) > 256 {
		failures = append(failures, Failure{Property: "comment", Reason: fmt.Sprintf("has %d characters, AWS takes at most 256", len(comment))})
	}
	return failures
}

// domain brings a name to the form in which names are compared.
func domain(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// zoneVPC is one VPC that resolves a private zone's names.
type zoneVPC struct{ id, region string }

// zoneVPCs reads a zone's VPCs from its inputs or outputs. They are a set: one
// that is there twice counts once.
func zoneVPCs(properties Props, region string) []zoneVPC {
	var out []zoneVPC
	for _, item := range properties.List("vpcs") {
		vpc := zoneVPC{item.String("vpcId"), item.StringOr("vpcRegion", region)}
		if !slices.Contains(out, vpc) {
			out = append(out, vpc)
		}
	}
	return out
}

func setZoneVPCs(zone *Object, vpcs []zoneVPC) {
	items := []any{}
	for _, vpc := range vpcs {
		items = append(items, map[string]any{"vpcId": vpc.id, "vpcRegion": vpc.region})
	}
	zone.Outputs["vpcs"] = items
}

func createZone(v *view, o *Object) error {
	name := domain(o.in().String("name"))
	o.ID = "Z" + upper(20)
	o.Outputs["zoneId"] = o.ID
	o.Outputs["arn"] = "arn:aws:route53:::hostedzone/" + o.ID
	o.Outputs["name"] = name
	o.Outputs["delegationSetId"] = ""
	wanted := zoneVPCs(o.in(), o.Region)
	setZoneVPCs(o, nil)
	servers := privateNameServers
	if len(wanted) == 0 {
		servers = publicNameServers()
	}
	o.Outputs["nameServers"] = list(servers)
	o.Outputs["primaryNameServer"] = servers[0]
	for _, vpc := range wanted {
		if err := v.associate(o, vpc); err != nil {
			return err
		}
	}
	// Every zone starts with these two; they go with it.
	v.ownRecord(o, name, "NS", 172800, servers)
	v.ownRecord(o, name, "SOA", 900, []string{strings.TrimSuffix(servers[0], ".") + ". awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"})
	return nil
}

func publicNameServers() []string {
	var servers []string
	for i, end := range []string{"com", "net", "org", "co.uk"} {
		number := i*512 + int(randomBytes(1)[0])*2
		servers = append(servers, fmt.Sprintf("ns-%d.awsdns-%02d.%s", number, number%64, end))
	}
	slices.Sort(servers)
	return servers
}

func (v *view) ownRecord(zone *Object, name, kind string, ttl float64, records []string) {
	v.own(zone, typeRecord, recordID(zone.ID, name, kind), map[string]any{
		"zoneId": zone.ID, "name": name, "fqdn": name, "type": kind, "ttl": ttl, "records": list(records),
	})
}

// updateZone changes the associations by what changed in the program's list.
// Associations that were made by resources of their own are in the zone's real
// list, not in the program's, and stay: the real provider leaves them too, as
// long as it has not refreshed its state. After a refresh it would remove them,
// which is why a zone shared by other resources ignores changes of the list.
func updateZone(v *view, old, o *Object) error {
	before, after := zoneVPCs(old.in(), o.Region), zoneVPCs(o.in(), o.Region)
	setZoneVPCs(o, zoneVPCs(old.out(), o.Region))
	o.Outputs["name"] = old.Outputs["name"]
	o.Outputs["delegationSetId"] = ""
	// A private zone must never be without a VPC, so new ones come first.
	for _, vpc := range after {
		if !slices.Contains(before, vpc) && !slices.Contains(zoneVPCs(o.out(), o.Region), vpc) {
			if err := v.associate(o, vpc); err != nil {
				return err
			}
		}
	}
	for _, vpc := range before {
		if !slices.Contains(after, vpc) {
			if err := v.disassociate(o, vpc); err != nil {
				return err
			}
		}
	}
	return nil
}

// associate lets a VPC resolve a zone's names. The zone may still be under
// construction: then it is private from its first VPC on.
func (v *view) associate(zone *Object, vpc zoneVPC) error {
	if found := v.get(typeVPC, vpc.id); found == nil || found.Region != vpc.region {
		return missingReference("InvalidVPCId", "the VPC %s in region %s does not exist", vpc.id, vpc.region)
	}
	standing := zoneVPCs(zone.out(), zone.Region)
	if len(standing) == 0 && v.get(typeZone, zone.ID) != nil {
		return refuse("PublicZoneVPCAssociation", "attempting to associate public zone %s with VPC %s: only a zone made with a VPC is private", zone.ID, vpc.id)
	}
	conflict := v.first(typeZone, func(other *Object) bool {
		return other.ID != zone.ID && other.out().String("name") == zone.out().String("name") && slices.Contains(zoneVPCs(other.out(), other.Region), vpc)
	})
	if conflict == nil && slices.Contains(standing, vpc) {
		conflict = zone
	}
	if conflict != nil {
		return refuse("ConflictingDomainExists", "the VPC %s in region %s has already been associated with the hosted zone %s with the same domain name",
			vpc.id, vpc.region, conflict.ID)
	}
	setZoneVPCs(zone, append(standing, vpc))
	return nil
}

// disassociate takes a VPC away from a zone, with the resources that
// associated it. A VPC that was deleted meanwhile stays in the zone's list:
// EC2 lets a VPC go that is associated with zones.
func (v *view) disassociate(zone *Object, vpc zoneVPC) error {
	standing := zoneVPCs(zone.out(), zone.Region)
	at := slices.Index(standing, vpc)
	if at < 0 {
		return nil
	}
	if len(standing) == 1 {
		return refuse("LastVPCAssociation", "the VPC %s in region %s is the last one of the private zone %s: a private zone cannot be without one", vpc.id, vpc.region, zone.ID)
	}
	setZoneVPCs(zone, slices.Delete(standing, at, at+1))
	v.del(typeZoneAssociation, zoneAssociationID(zone.ID, vpc))
	return nil
}

func removeZone(v *view, o *Object) error {
	for _, record := range v.all(typeRecord, func(other *Object) bool { return other.out().String("zoneId") == o.ID }) {
		if !isApexRecord(o, record) && !o.in().Bool("forceDestroy", false) {
			return refuse("HostedZoneNotEmpty", "the specified hosted zone contains non-required resource record sets and so cannot be deleted: %s %s in %s",
				record.out().String("type"), record.out().String("fqdn"), o.ID)
		}
		v.del(record.Type, record.ID)
	}
	for _, association := range v.all(typeZoneAssociation, func(other *Object) bool { return other.in().String("zoneId") == o.ID }) {
		v.del(association.Type, association.ID)
	}
	return nil
}

// isApexRecord is about the two records that every zone has.
func isApexRecord(zone, record *Object) bool {
	kind := record.out().String("type")
	return (kind == "NS" || kind == "SOA") && record.out().String("fqdn") == zone.out().String("name")
}

// zoneOfID returns the hosted zone that something refers to. Route 53 has no
// regions.
func (v *view) zoneOfID(id string) (*Object, error) {
	zone := v.get(typeZone, id)
	if zone == nil {
		return nil, missingReference("NoSuchHostedZone", "no hosted zone found with ID: %s", id)
	}
	return zone, nil
}
