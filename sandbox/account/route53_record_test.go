package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecordNames(t *testing.T) {
	w := newWorld(t)
	zone := w.privateZone(w.vpc("10.0.0.0/16"))
	for _, test := range []struct{ name, fqdn, id string }{
		{"vault.tooling.internal", "vault.tooling.internal", "vault.tooling.internal"},
		{"db", "db.tooling.internal", "db"},
		{"", "tooling.internal", ""},
		{"*.Apps.tooling.internal.", "*.apps.tooling.internal", "*.apps.tooling.internal"},
		// As with the real provider, a name of another zone is a name in this one.
		{"vault.other.internal", "vault.other.internal.tooling.internal", "vault.other.internal"},
	} {
		record := w.create(typeRecord, m{"zoneId": zone.ID, "name": test.name, "type": "A", "ttl": 60, "records": l("10.0.0.5")})
		require.Equal(t, test.fqdn, record.Outputs["fqdn"], test.name)
		require.Equal(t, zone.ID+"_"+test.id+"_A", record.ID)
	}
	_, err := w.try(typeRecord, m{"zoneId": zone.ID, "name": "xtooling.internal", "type": "A", "ttl": 60, "records": l("10.0.0.5")})
	refused(t, err, "InvalidChangeBatch")
}

func TestRecordsConflict(t *testing.T) {
	w := newWorld(t)
	zone := w.privateZone(w.vpc("10.0.0.0/16"))
	record := func(name, kind string, more m, values ...any) m {
		inputs := m{"zoneId": zone.ID, "name": name, "type": kind, "ttl": 60, "records": values}
		for k, v := range more {
			inputs[k] = v
		}
		return inputs
	}
	w.create(typeRecord, record("db", "A", nil, "10.0.0.5"))
	w.create(typeRecord, record("db", "TXT", nil, "another type beside it"))
	w.create(typeRecord, record("www", "CNAME", nil, "db.tooling.internal"))
	for name, test := range map[string]struct {
		inputs m
		code   string
	}{
		"twice":                   {record("db", "A", nil, "10.0.0.6"), "InvalidChangeBatch"},
		"twice, in full":          {record("db.tooling.internal", "A", nil, "10.0.0.6"), "InvalidChangeBatch"},
		"CNAME beside A":          {record("db", "CNAME", nil, "www.tooling.internal"), "InvalidChangeBatch"},
		"A beside CNAME":          {record("www", "A", nil, "10.0.0.6"), "InvalidChangeBatch"},
		"CNAME at the apex":       {record("", "CNAME", nil, "www.tooling.internal"), "InvalidChangeBatch"},
		"NS that exists":          {record("", "NS", nil, "ns1.tooling.internal"), "InvalidChangeBatch"},
		"not an IPv4 address":     {record("a", "A", nil, "db"), "InvalidChangeBatch"},
		"not an IPv6 address":     {record("a", "AAAA", nil, "10.0.0.5"), "InvalidChangeBatch"},
		"one value twice":         {record("a", "A", nil, "10.0.0.5", "10.0.0.5"), "InvalidChangeBatch"},
		"CNAME with two values":   {record("a", "CNAME", nil, "a.b", "b.c"), "InvalidChangeBatch"},
		"MX without priority":     {record("a", "MX", nil, "mail.tooling.internal"), "InvalidChangeBatch"},
		"SRV without port":        {record("a", "SRV", nil, "1 10 db.tooling.internal"), "InvalidChangeBatch"},
		"without ttl":             {record("a", "A", m{"ttl": nil}, "10.0.0.5"), "InvalidInput"},
		"no such zone":            {record("a", "A", m{"zoneId": "ZGONE"}, "10.0.0.5"), "NoSuchHostedZone"},
		"a space in the name":     {record("a b", "A", nil, "10.0.0.5"), "InvalidChangeBatch"},
		"overwriting without say": {record("db", "A", m{"allowOverwrite": false}, "10.0.0.6"), "InvalidChangeBatch"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeRecord, test.inputs)
			refused(t, err, test.code)
		})
	}
	require.NotNil(t, w.create(typeRecord, record("db", "A", m{"allowOverwrite": true}, "10.0.0.6")))
}

func TestRecordInputsAreChecked(t *testing.T) {
	w := newWorld(t)
	alias := m{"name": "db.tooling.internal", "zoneId": "Z1", "evaluateTargetHealth": false}
	for name, test := range map[string]struct {
		inputs m
		want   string
	}{
		"nothing":      {m{"type": "A", "ttl": 60}, "exactly one of"},
		"both":         {m{"type": "A", "records": l("10.0.0.5"), "aliases": l(alias)}, "exactly one of"},
		"alias, ttl":   {m{"type": "A", "ttl": 60, "aliases": l(alias)}, "has the ttl of its target"},
		"two aliases":  {m{"type": "A", "aliases": l(alias, alias)}, "takes one"},
		"type":         {m{"type": "ADDRESS", "ttl": 60, "records": l("10.0.0.5")}, "expected one of"},
		"ttl":          {m{"type": "A", "ttl": -1, "records": l("10.0.0.5")}, "out of range"},
		"health check": {m{"type": "A", "ttl": 60, "records": l("10.0.0.5"), "healthCheckId": "x"}, "not modelled"},
		"weights":      {m{"type": "A", "ttl": 60, "records": l("10.0.0.5"), "weightedRoutingPolicies": l(m{"weight": 1})}, "not modelled"},
	} {
		t.Run(name, func(t *testing.T) {
			test.inputs["zoneId"], test.inputs["name"] = "Z1", "db"
			_, err := w.try(typeRecord, test.inputs)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestAliasTargetMustExist(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	zone := w.privateZone(vpc)
	balancer := w.balancer(vpc, l(w.subnet(vpc, "10.0.0.0/24", "a").ID))
	w.create(typeRecord, m{"zoneId": zone.ID, "name": "db", "type": "A", "ttl": 60, "records": l("10.0.0.5")})
	dnsName, balancerZone := balancer.out().String("dnsName"), balancer.out().String("zoneId")
	for name, test := range map[string]struct {
		kind, target, zone string
		refused            bool
	}{
		"load balancer":               {"A", dnsName, balancerZone, false},
		"load balancer, dualstack":    {"A", "dualstack." + dnsName + ".", balancerZone, false},
		"load balancer that is gone":  {"A", "gone-0123456789abcdef.elb.eu-central-1.amazonaws.com", balancerZone, true},
		"load balancer, other zone":   {"A", dnsName, "Z2IFOLAFXWLO4F", true},
		"load balancer, its own zone": {"A", dnsName, zone.ID, true},
		"load balancer, text":         {"TXT", dnsName, balancerZone, true},
		"a zone that does not exist":  {"A", dnsName, "ZGONE", true},
		"a record of the zone":        {"A", "db.tooling.internal", zone.ID, false},
		"a record of another type":    {"AAAA", "db.tooling.internal", zone.ID, true},
		"a record that is gone":       {"A", "gone.tooling.internal", zone.ID, true},
	} {
		t.Run(name, func(t *testing.T) {
			record, err := w.try(typeRecord, m{"zoneId": zone.ID, "name": "vault", "type": test.kind,
				"aliases": l(m{"name": test.target, "zoneId": test.zone, "evaluateTargetHealth": false})})
			if test.refused {
				refused(t, err, "InvalidChangeBatch")
				return
			}
			require.NoError(t, err)
			require.NoError(t, w.delete(record))
		})
	}
}

func TestRecordChanges(t *testing.T) {
	w := newWorld(t)
	zone := w.privateZone(w.vpc("10.0.0.0/16"))
	record := w.create(typeRecord, m{"zoneId": zone.ID, "name": "db", "type": "A", "ttl": 60, "records": l("10.0.0.5", "10.0.0.6")})
	kind, err := Lookup(typeRecord)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		change m
		want   Diff
	}{
		"values in another order": {m{"records": l("10.0.0.6", "10.0.0.5")}, Diff{}},
		"other values":            {m{"records": l("10.0.0.7")}, Diff{Changed: []string{"records"}}},
		"another type":            {m{"type": "AAAA"}, Diff{Changed: []string{"type"}}},
		"another name":            {m{"name": "sql"}, Diff{Changed: []string{"name"}, Replaces: []string{"name"}}},
	} {
		news := cloneMap(record.Inputs)
		for k, v := range test.change {
			news[k] = v
		}
		require.Equal(t, test.want, kind.Diff(record.Inputs, record.Outputs, news), name)
	}
	require.NoError(t, w.update(record, m{"type": "AAAA", "records": l("fd00::5")}))
	require.Equal(t, "AAAA", w.read(record).Outputs["type"])
	refused(t, w.update(record, m{"records": l("10.0.0.5")}), "InvalidChangeBatch")
}

// The zone's own records can be taken over, and never go.
func TestApexRecordsStay(t *testing.T) {
	w := newWorld(t)
	zone := w.privateZone(w.vpc("10.0.0.0/16"))
	servers := w.create(typeRecord, m{"zoneId": zone.ID, "name": "tooling.internal", "type": "NS", "ttl": 300,
		"records": l("ns1.tooling.internal"), "allowOverwrite": true})
	refused(t, w.delete(servers), "InvalidChangeBatch")
	refused(t, w.update(servers, m{"type": "TXT", "records": l("text")}), "InvalidChangeBatch")
	require.NoError(t, w.delete(zone), "they do not keep the zone")
	gone(t, w.delete(servers))
}
