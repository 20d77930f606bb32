package account

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/route53/record.go
var _ = register(typeRecord, rules{
	forceNew: []string{"name", "zoneId"},
	computed: []string{"allowOverwrite"},
	sets:     []string{"records"},
	unmodelled: []string{
		"cidrRoutingPolicy", "failoverRoutingPolicies", "geolocationRoutingPolicies", "geoproximityRoutingPolicy", "healthCheckId",
		"latencyRoutingPolicies", "multivalueAnswerRoutingPolicy", "setIdentifier", "weightedRoutingPolicies",
	},
	check:  checkRecord,
	create: createRecord,
	update: updateRecord,
	remove: removeRecord,
})

// recordTypes of Route 53:
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html
var recordTypes = []string{"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"}

func checkRecord(in Props) []Failure {
	failures := oneOf(in, "type", recordTypes...)
	aliases, records := in["aliases"], in["records"]
	if (isEmpty(aliases)) == (isEmpty(records)) {
		failures = append(failures, Failure{Property: "records", Reason: `exactly one of "aliases" and "records" is needed`})
	}
	if items, known := aliases.([]any); known && len(items) > 1 {
		failures = append(failures, Failure{Property: "aliases", Reason: fmt.Sprintf("there are %d, Route 53 takes one", len(items))})
	}
	if !isEmpty(aliases) && in.Has("ttl") {
		failures = append(failures, Failure{Property: "ttl", Reason: "an alias has the ttl of its target"})
	}
	return append(failures, between(in, "ttl", 0, 2147483647)...)
}

// recordID is how the provider names a record. The name is the one in the
// program, which need not be the full one.
func recordID(zone, name, kind string) string { return zone + "_" + domain(name) + "_" + kind }

// recordName makes the full name of a record as the provider does: a name that
// does not end with the zone's is taken to be relative to the zone.
func recordName(name, zone string) string {
	name = domain(name)
	switch {
	case strings.HasSuffix(name, zone):
		return name
	case name == "":
		return zone
	}
	return name + "." + zone
}

func invalidChange(format string, args ...any) error {
	return refuse("InvalidChangeBatch", "["+format+"]", args...)
}

func createRecord(v *view, o *Object) error {
	zone, err := v.zoneOfID(o.in().String("zoneId"))
	if err != nil {
		return err
	}
	kind := o.in().String("type")
	o.ID = recordID(zone.ID, o.in().String("name"), kind)
	o.Outputs["fqdn"] = recordName(o.in().String("name"), zone.out().String("name"))
	o.Outputs["name"] = domain(o.in().String("name"))
	o.Outputs["allowOverwrite"] = o.in().Bool("allowOverwrite", false)
	fqdn := o.out().String("fqdn")
	if standing := v.first(typeRecord, func(other *Object) bool { return sameRecord(o, other) }); standing != nil {
		if !o.in().Bool("allowOverwrite", false) {
			return invalidChange("Tried to create resource record set [name='%s.', type='%s'] but it already exists", fqdn, kind)
		}
		v.del(standing.Type, standing.ID)
	}
	return v.checkRecordSet(zone, o)
}

func sameRecord(o, other *Object) bool {
	return other.out().String("zoneId") == o.out().String("zoneId") && other.out().String("fqdn") == o.out().String("fqdn") &&
		other.out().String("type") == o.out().String("type")
}

// updateRecord may change the type too, which the provider does by removing the
// old record set and making the new one.
func updateRecord(v *view, old, o *Object) error {
	zone, err := v.zoneOfID(o.in().String("zoneId"))
	if err != nil {
		return err
	}
	o.Outputs["name"] = old.Outputs["name"]
	if old.out().String("type") != o.out().String("type") {
		if isApexRecord(zone, old) {
			return refuseApexRemoval(old)
		}
		if v.first(typeRecord, func(other *Object) bool { return sameRecord(o, other) }) != nil {
			return invalidChange("Tried to create resource record set [name='%s.', type='%s'] but it already exists", o.out().String("fqdn"), o.out().String("type"))
		}
	}
	return v.checkRecordSet(zone, o)
}

// checkRecordSet holds a record set to Route 53's rules.
func (v *view) checkRecordSet(zone, o *Object) error {
	fqdn, apex, kind := o.out().String("fqdn"), zone.out().String("name"), o.out().String("type")
	if fqdn != apex && !strings.HasSuffix(fqdn, "."+apex) {
		return invalidChange("RRSet with DNS name %s. is not permitted in zone %s.", fqdn, apex)
	}
	if !domainForm.MatchString(fqdn) || len(fqdn) > 255 {
		return invalidChange("FATAL problem: DomainLabel with DNS name %s. is not a valid name", fqdn)
	}
	if kind == "CNAME" && fqdn == apex {
		return invalidChange("RRSet of type CNAME with DNS name %s. is not permitted at apex in zone %s.", fqdn, apex)
	}
	conflict := v.first(typeRecord, func(other *Object) bool {
		otherKind := other.out().String("type")
		return other.ID != o.ID && other.out().String("zoneId") == zone.ID && other.out().String("fqdn") == fqdn &&
			otherKind != kind && (kind == "CNAME" || otherKind == "CNAME")
	})
	if conflict != nil {
		return invalidChange("RRSet of type %s with DNS name %s. is not permitted as it conflicts with other records with the same DNS name in zone %s.", kind, fqdn, apex)
	}
	if aliases := o.in().List("aliases"); len(aliases) > 0 {
		return v.checkAliasTarget(zone, o, aliases[0])
	}
	if !o.in().Has("ttl") {
		return refuse("InvalidInput", "record %s of type %s has no ttl: give one, or an alias", fqdn, kind)
	}
	return checkRecordValues(fqdn, kind, o.in().Strings("records"))
}

// checkAliasTarget checks that what an alias points at exists: a load balancer,
// an interface endpoint or another record of the zone.
func (v *view) checkAliasTarget(zone, o *Object, alias Props) error {
	kind, target, targetZone := o.out().String("type"), domain(alias.String("name")), alias.String("zoneId")
	refusal := func(reason string) error {
		return invalidChange("Tried to create an alias that targets %s., type %s in zone %s, but %s", target, kind, targetZone, reason)
	}
	if targetZone == zone.ID {
		found := v.first(typeRecord, func(other *Object) bool {
			return other.ID != o.ID && other.out().String("zoneId") == zone.ID && other.out().String("fqdn") == target && other.out().String("type") == kind
		})
		if found == nil {
			return refusal("that target was not found")
		}
		return nil
	}
	if kind != "A" && kind != "AAAA" {
		return refusal("only records of type A and AAAA can be aliases of it")
	}
	target = strings.TrimPrefix(target, "dualstack.")
	sameName := func(name string) bool { return domain(name) == target }
	zoneKnown := false
	for _, known := range regions {
		zoneKnown = zoneKnown || known.nlbZone == targetZone
	}
	for _, endpoint := range v.all(typeVPCEndpoint, func(*Object) bool { return true }) {
		for _, entry := range endpoint.out().List("dnsEntries") {
			if entry.String("hostedZoneId") != targetZone {
				continue
			}
			zoneKnown = true
			if sameName(entry.String("dnsName")) {
				return nil
			}
		}
	}
	if v.first(typeLoadBalancer, func(other *Object) bool {
		return other.out().String("zoneId") == targetZone && sameName(other.out().String("dnsName"))
	}) != nil {
		return nil
	}
	if !zoneKnown {
		return refusal("the zone of the alias target does not exist")
	}
	return refusal("the alias target name does not lie within the target zone")
}

var (
	mxForm  = regexp.MustCompile(`^\d{1,5} \S+$`)
	srvForm = regexp.MustCompile(`^\d{1,5} \d{1,5} \d{1,5} \S+$`)
)

func checkRecordValues(fqdn, kind string, values []string) error {
	if kind == "CNAME" && len(values) > 1 {
		return invalidChange("RRSet of type CNAME with DNS name %s. must have exactly one value, it has %d", fqdn, len(values))
	}
	for i, value := range values {
		if slices.Contains(values[:i], value) {
			return invalidChange("Duplicate Resource Record: '%s'", value)
		}
		if problem := recordValueProblem(kind, value); problem != "" {
			return invalidChange("Invalid Resource Record: 'FATAL problem: %s encountered with '%s''", problem, value)
		}
	}
	return nil
}

func recordValueProblem(kind, value string) string {
	addr, err := netip.ParseAddr(value)
	switch kind {
	case "A":
		if err != nil || !addr.Is4() {
			return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
		}
	case "AAAA":
		if err != nil || !addr.Is6() {
			return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
		}
	case "CNAME", "NS", "PTR":
		if !domainForm.MatchString(value) {
			return "DomainLabel (Value is not a valid domain name)"
		}
	case "MX":
		if !mxForm.MatchString(value) {
			return "InvalidCharacterString (Value should be a priority and a domain name)"
		}
	case "SRV":
		if !srvForm.MatchString(value) {
			return "InvalidCharacterString (Value should be priority, weight, port and a domain name)"
		}
	}
	return ""
}

func removeRecord(v *view, o *Object) error {
	if zone := v.get(typeZone, o.out().String("zoneId")); zone != nil && isApexRecord(zone, o) {
		return refuseApexRemoval(o)
	}
	return nil
}

func refuseApexRemoval(o *Object) error {
	return invalidChange("A HostedZone must contain at least one %s record for the zone itself.", o.out().String("type"))
}
