package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoadBalancerLifecycle(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	a, b := w.subnet(vpc, "10.0.0.0/24", "a"), w.subnet(vpc, "10.0.1.0/24", "b")
	balancer := w.create(typeLoadBalancer, m{"name": "vault", "loadBalancerType": "network", "internal": true, "subnets": l(a.ID),
		"securityGroups": l(vpc.Outputs["defaultSecurityGroupId"])})
	require.Regexp(t, `^arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/vault/[0-9a-f]{16}$`, balancer.ID)
	require.Regexp(t, `^vault-[0-9a-f]{16}\.elb\.eu-central-1\.amazonaws\.com$`, balancer.Outputs["dnsName"])
	require.Equal(t, "Z3F0SRJ5LGBH90", balancer.Outputs["zoneId"])
	require.Equal(t, vpc.ID, balancer.Outputs["vpcId"])
	require.True(t, strings.HasSuffix(balancer.ID, "loadbalancer/"+balancer.Outputs["arnSuffix"].(string)))

	_, err := w.try(typeLoadBalancer, m{"name": "vault", "loadBalancerType": "network", "internal": true, "subnets": l(b.ID)})
	refused(t, err, "DuplicateLoadBalancerName")

	refused(t, w.delete(a), "DependencyViolation")
	require.NoError(t, w.update(balancer, m{"subnets": l(a.ID, b.ID)}), "a subnet is added in place")
	refused(t, w.delete(b), "DependencyViolation")
	require.NoError(t, w.delete(balancer))
	for _, o := range []*Object{a, b, vpc} {
		require.NoError(t, w.delete(o), "nothing of the load balancer is left")
	}
}

// An endpoint as the component makes one: nothing can go before what uses it.
func TestEndpointGoesInOrder(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.0.0/24", "a")
	security := w.create(typeSecurityGroup, m{"vpcId": vpc.ID, "description": "Load balancer"})
	group := w.targetGroup(vpc)
	balancer := w.create(typeLoadBalancer, m{"loadBalancerType": "network", "internal": true, "subnets": l(subnet.ID), "securityGroups": l(security.ID)})
	require.Equal(t, "on", balancer.Outputs["enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"])
	listener := w.listener(balancer, group, 8200)
	zone := w.privateZone(vpc)
	record := w.create(typeRecord, m{"zoneId": zone.ID, "name": "vault.tooling.internal", "type": "A", "aliases": l(m{
		"name": balancer.Outputs["dnsName"], "zoneId": balancer.Outputs["zoneId"], "evaluateTargetHealth": false})})

	refused(t, w.delete(security), "DependencyViolation")
	refused(t, w.delete(subnet), "DependencyViolation")
	refused(t, w.delete(group), "ResourceInUse")
	refused(t, w.delete(zone), "HostedZoneNotEmpty")
	refused(t, w.delete(vpc), "DependencyViolation")
	for _, o := range []*Object{record, zone, listener, balancer, group, security, subnet, vpc} {
		require.NoError(t, w.delete(o), o.Type)
	}
	require.Empty(t, w.a.Objects())
}

func TestLoadBalancerFacingTheInternet(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	inputs := m{"loadBalancerType": "network", "subnets": l(w.subnet(vpc, "10.0.0.0/24", "a").ID)}
	_, err := w.try(typeLoadBalancer, inputs)
	refused(t, err, "InvalidSubnet")
	w.create(typeInternetGateway, m{"vpcId": vpc.ID})
	require.Equal(t, false, w.create(typeLoadBalancer, inputs).Outputs["internal"])
}

func TestLoadBalancerDeletionProtection(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	balancer := w.create(typeLoadBalancer, m{"loadBalancerType": "network", "internal": true,
		"subnets": l(w.subnet(vpc, "10.0.0.0/24", "a").ID), "enableDeletionProtection": true})
	refused(t, w.delete(balancer), "OperationNotPermitted")
	require.NoError(t, w.update(balancer, m{"enableDeletionProtection": false}))
	require.NoError(t, w.delete(balancer))
}

func TestLoadBalancerPlaces(t *testing.T) {
	w := newWorld(t)
	vpc, other := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	a, a2 := w.subnet(vpc, "10.0.0.0/24", "a"), w.subnet(vpc, "10.0.1.0/24", "a")
	elsewhere := w.subnet(other, "10.1.0.0/24", "b")
	for name, test := range map[string]struct {
		inputs m
		code   string
	}{
		"one zone twice":                {m{"subnets": l(a.ID, a2.ID)}, "InvalidConfigurationRequest"},
		"two VPCs":                      {m{"subnets": l(a.ID, elsewhere.ID)}, "InvalidParameterValue"},
		"no such subnet":                {m{"subnets": l("subnet-gone")}, "InvalidSubnetID.NotFound"},
		"no such group":                 {m{"subnets": l(a.ID), "securityGroups": l("sg-gone")}, "InvalidSecurityGroup"},
		"group of another VPC":          {m{"subnets": l(a.ID), "securityGroups": l(other.Outputs["defaultSecurityGroupId"])}, "InvalidConfigurationRequest"},
		"facing an internet that's not": {m{"subnets": l(a.ID), "internal": false}, "InvalidSubnet"},
	} {
		t.Run(name, func(t *testing.T) {
			inputs := m{"loadBalancerType": "network", "internal": true}
			for k, v := range test.inputs {
				inputs[k] = v
			}
			before := len(w.a.Objects())
			_, err := w.try(typeLoadBalancer, inputs)
			refused(t, err, test.code)
			require.Len(t, w.a.Objects(), before, "a refused load balancer leaves no interface behind")
		})
	}
}

func TestLoadBalancerInputsAreChecked(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		inputs m
		want   string
	}{
		"application":  {m{"subnets": l("subnet-1")}, "not modelled"},
		"long name":    {m{"loadBalancerType": "network", "subnets": l("subnet-1"), "name": strings.Repeat("x", 33)}, "1 to 32"},
		"underscore":   {m{"loadBalancerType": "network", "subnets": l("subnet-1"), "name": "a_b"}, "1 to 32"},
		"hyphen":       {m{"loadBalancerType": "network", "subnets": l("subnet-1"), "name": "-a"}, "begin or end with a hyphen"},
		"last hyphen":  {m{"loadBalancerType": "network", "subnets": l("subnet-1"), "name": "a-"}, "begin or end with a hyphen"},
		"AWS's prefix": {m{"loadBalancerType": "network", "subnets": l("subnet-1"), "name": "internal-a"}, "AWS's own"},
		"no subnets":   {m{"loadBalancerType": "network"}, "at least one is required"},
		"mappings":     {m{"loadBalancerType": "network", "subnetMappings": l(m{"subnetId": "subnet-1"})}, "not modelled"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeLoadBalancer, test.inputs)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestLoadBalancerPlan(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	a, b := w.subnet(vpc, "10.0.0.0/24", "a"), w.subnet(vpc, "10.0.1.0/24", "b")
	balancer := w.balancer(vpc, l(a.ID))
	typ, err := Lookup(typeLoadBalancer)
	require.NoError(t, err)
	inputs := cloneMap(balancer.Inputs)
	require.Equal(t, balancer.Outputs["subnetMappings"], typ.Plan(balancer.Outputs, inputs)["subnetMappings"])
	inputs["subnets"] = l(a.ID, b.ID)
	planned := typ.Plan(balancer.Outputs, inputs)
	require.Equal(t, Unknown{}, planned["subnetMappings"])
	require.Equal(t, balancer.Outputs["dnsName"], planned["dnsName"], "the name stays")
}

func TestLoadBalancerDiff(t *testing.T) {
	balancer, err := Lookup(typeLoadBalancer)
	require.NoError(t, err)
	old := m{"loadBalancerType": "network", "internal": true, "subnets": l("subnet-1", "subnet-2"), "securityGroups": l("sg-1"), "name": "made-up", defaultsKey: l("name")}
	replaced := func(properties ...string) Diff { return Diff{Changed: properties, Replaces: properties} }
	for name, test := range map[string]struct {
		change m
		want   Diff
	}{
		"subnets in another order":    {m{"subnets": l("subnet-2", "subnet-1")}, Diff{}},
		"a subnet more":               {m{"subnets": l("subnet-1", "subnet-2", "subnet-3")}, Diff{Changed: []string{"subnets"}}},
		"a subnet less":               {m{"subnets": l("subnet-1")}, replaced("subnets")},
		"another subnet":              {m{"subnets": l("subnet-1", "subnet-3")}, replaced("subnets")},
		"a subnet not known yet":      {m{"subnets": l("subnet-1", Unknown{})}, Diff{Changed: []string{"subnets"}}},
		"another group":               {m{"securityGroups": l("sg-2")}, Diff{Changed: []string{"securityGroups"}}},
		"no group any more":           {m{"securityGroups": l()}, replaced("securityGroups")},
		"groups left to AWS":          {m{"securityGroups": nil}, Diff{}},
		"internet-facing":             {m{"internal": false}, replaced("internal")},
		"cross-zone, a tag, together": {m{"enableCrossZoneLoadBalancing": true, "tags": m{"a": "b"}}, Diff{Changed: []string{"enableCrossZoneLoadBalancing", "tags"}}},
	} {
		t.Run(name, func(t *testing.T) {
			news := cloneMap(old)
			for k, v := range test.change {
				news[k] = v
			}
			require.Equal(t, test.want, balancer.Diff(old, old, news))
		})
	}
}
