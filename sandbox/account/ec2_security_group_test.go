package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func (w *world) refreshed(o *Object) m { return w.read(o).Outputs }

func TestSecurityGroupNames(t *testing.T) {
	w := newWorld(t)
	vpc, other := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	group := w.create(typeSecurityGroup, m{"vpcId": vpc.ID, "name": "web"})
	require.Regexp(t, `^sg-[0-9a-f]{17}$`, group.ID)
	require.Equal(t, "Managed by Pulumi", group.Outputs["description"])
	require.Equal(t, l(), group.Outputs["egress"], "the provider revokes AWS's rule that lets everything out")
	_, err := w.try(typeSecurityGroup, m{"vpcId": vpc.ID, "name": "web"})
	refused(t, err, "InvalidGroup.Duplicate")
	w.create(typeSecurityGroup, m{"vpcId": other.ID, "name": "web"})
	prefixed := w.create(typeSecurityGroup, m{"vpcId": vpc.ID, "namePrefix": "web-"})
	require.Regexp(t, `^web-[0-9]{14}[0-9a-f]{12}$`, prefixed.Outputs["name"])
	_, err = w.try(typeSecurityGroup, m{"vpcId": "vpc-0123"})
	refused(t, err, "InvalidVpcID.NotFound")
}

func TestSecurityGroupInputsAreChecked(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	rule := func(change m) m {
		block := m{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": l("10.0.0.0/8")}
		for k, v := range change {
			block[k] = v
		}
		return m{"vpcId": vpc.ID, "ingress": l(block)}
	}
	for name, test := range map[string]struct {
		inputs m
		want   string
	}{
		"no VPC":                  {m{}, "no default VPC"},
		"apostrophe":              {m{"vpcId": vpc.ID, "description": "Vault's"}, "is not allowed"},
		"reserved name":           {m{"vpcId": vpc.ID, "name": "default"}, "reserved"},
		"name like an ID":         {m{"vpcId": vpc.ID, "name": "sg-web"}, "reserved"},
		"name and prefix":         {m{"vpcId": vpc.ID, "name": "a", "namePrefix": "a"}, "together"},
		"not a protocol":          {rule(m{"protocol": "https"}), "not a protocol"},
		"port too high":           {rule(m{"toPort": 70000}), "out of range"},
		"ports the wrong way":     {rule(m{"fromPort": 444}), "greater than toPort"},
		"not a network":           {rule(m{"cidrBlocks": l("10.0.0.1/8")}), "did you mean"},
		"long description":        {m{"vpcId": vpc.ID, "description": strings.Repeat("x", 256)}, "at most 255"},
		"apostrophe in a rule":    {rule(m{"description": "it's"}), "is not allowed"},
		"IPv4 as IPv6":            {rule(m{"ipv6CidrBlocks": l("10.0.0.0/8")}), "not an IPv6 network"},
		"no such group":           {rule(m{"securityGroups": l("sg-0123")}), "InvalidGroup.NotFound"},
		"no such prefix list":     {rule(m{"prefixListIds": l("pl-0123")}), "InvalidPrefixListID.NotFound"},
		"a source that is double": {rule(m{"cidrBlocks": l("10.0.0.0/8", "10.0.0.0/8")}), "InvalidPermission.Duplicate"},
	} {
		t.Run(name, func(t *testing.T) {
			before := standing(w.a)
			_, err := w.try(typeSecurityGroup, test.inputs)
			require.ErrorContains(t, err, test.want)
			require.Equal(t, before, standing(w.a))
		})
	}
}

func TestSecurityGroupInUseIsNotDeleted(t *testing.T) {
	w := newNetwork(t)
	other := w.create(typeSecurityGroup, m{"vpcId": w.vpc.ID})
	t.Run("by another group's rule", func(t *testing.T) {
		rule := w.create(typeSecurityGroupRule, m{"type": "ingress", "securityGroupId": other.ID, "sourceSecurityGroupId": w.group.ID, "protocol": "tcp", "fromPort": 443, "toPort": 443})
		refused(t, w.delete(w.group), "DependencyViolation")
		require.NoError(t, w.delete(rule))
	})
	t.Run("by a network interface", func(t *testing.T) {
		endpoint := w.create(typeVPCEndpoint, m{"vpcId": w.vpc.ID, "serviceName": "com.amazonaws." + testRegion + ".kms", "vpcEndpointType": "Interface", "subnetIds": l(w.private.ID), "securityGroupIds": l(w.group.ID)})
		refused(t, w.delete(w.group), "DependencyViolation")
		require.NoError(t, w.delete(endpoint))
	})
	t.Run("but not by itself", func(t *testing.T) {
		rule := w.create(typeIngressRule, m{"securityGroupId": w.group.ID, "ipProtocol": "-1", "referencedSecurityGroupId": w.group.ID})
		require.NoError(t, w.delete(w.group))
		gone(t, w.delete(rule))
	})
	t.Run("the default group never", func(t *testing.T) {
		refused(t, w.delete(&Object{Type: typeSecurityGroup, ID: w.vpc.Outputs["defaultSecurityGroupId"].(string)}), "CannotDelete")
	})
}

func TestInlineRulesChangeInPlace(t *testing.T) {
	w := newNetwork(t)
	https := m{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": l("10.0.0.0/8")}
	group := w.create(typeSecurityGroup, m{"vpcId": w.vpc.ID, "ingress": l(https)})
	foreign := w.create(typeEgressRule, m{"securityGroupId": group.ID, "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"})
	require.Len(t, w.refreshed(group)["ingress"], 1)
	require.Equal(t, l(m{
		"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "self": false, "description": "",
		"cidrBlocks": l("0.0.0.0/0"), "ipv6CidrBlocks": l(), "prefixListIds": l(), "securityGroups": l(),
	}), w.refreshed(group)["egress"], "rules of other resources are told too")

	require.NoError(t, w.update(group, m{"ingress": l(m{"protocol": "tcp", "fromPort": 8200, "toPort": 8200, "self": true})}))
	require.Len(t, w.refreshed(group)["ingress"], 1)
	w.create(typeIngressRule, m{"securityGroupId": group.ID, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/8"})
	typ, err := Lookup(typeSecurityGroup)
	require.NoError(t, err)
	require.Equal(t, Diff{Changed: []string{"ingress"}}, typ.Diff(w.read(group).Inputs, w.read(group).Outputs, group.Inputs),
		"a rule of another hand is a difference where the rules are inline, and none where they are not")
	require.NoError(t, w.update(group, m{"ingress": l()}))
	require.Equal(t, l(), w.refreshed(group)["ingress"], "inline rules are all that there is")
	require.Len(t, w.refreshed(group)["egress"], 1, "in their own direction only")
	require.NoError(t, w.delete(foreign))
	refused(t, w.update(group, m{"description": "another"}), "InvalidParameterValue")
}

func TestSecurityGroupDiff(t *testing.T) {
	group, err := Lookup(typeSecurityGroup)
	require.NoError(t, err)
	one := m{"protocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrBlocks": l("10.0.0.0/8")}
	two := m{"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "securityGroups": l("sg-1", "sg-2")}
	swapped := m{"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "securityGroups": l("sg-2", "sg-1")}
	old := m{"vpcId": "vpc-1", "name": "web", "description": "d", "ingress": l(one, two)}
	for name, test := range map[string]struct {
		change m
		want   Diff
	}{
		"the order of rules":     {m{"ingress": l(two, one)}, Diff{}},
		"the order of groups":    {m{"ingress": l(one, swapped)}, Diff{}},
		"rules no longer inline": {m{"ingress": nil}, Diff{}},
		"a rule less":            {m{"ingress": l(one)}, Diff{Changed: []string{"ingress"}}},
		"its description":        {m{"description": "e"}, Diff{Changed: []string{"description"}, Replaces: []string{"description"}, DeleteBeforeReplace: true}},
		"its name":               {m{"name": "api"}, Diff{Changed: []string{"name"}, Replaces: []string{"name"}}},
	} {
		t.Run(name, func(t *testing.T) {
			news := cloneMap(old)
			for k, v := range test.change {
				news[k] = v
			}
			require.Equal(t, test.want, group.Diff(old, old, news))
		})
	}
}
