package account

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSameRuleTwiceIsRefused(t *testing.T) {
	w := newNetwork(t)
	https := m{"securityGroupId": w.group.ID, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/8"}
	rule := w.create(typeIngressRule, https)
	require.Regexp(t, `^sgr-[0-9a-f]{17}$`, rule.ID)
	require.Equal(t, "arn:aws:ec2:eu-central-1:123456789012:security-group-rule/"+rule.ID, rule.Outputs["arn"])

	_, err := w.try(typeIngressRule, https)
	refused(t, err, "InvalidPermission.Duplicate")
	_, err = w.try(typeSecurityGroupRule, m{"type": "ingress", "securityGroupId": w.group.ID, "protocol": "6", "fromPort": 443, "toPort": 443, "cidrBlocks": l("10.1.0.0/16", "10.0.0.0/8"), "description": "another"})
	refused(t, err, "InvalidPermission.Duplicate")
	w.create(typeEgressRule, https)

	second := w.create(typeIngressRule, m{"securityGroupId": w.group.ID, "ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "10.0.0.0/8"})
	refused(t, w.update(second, m{"fromPort": 443, "toPort": 443}), "InvalidPermission.Duplicate")
	require.NoError(t, w.update(second, m{"fromPort": 81, "toPort": 81, "description": "other ports"}))
	w.create(typeIngressRule, m{"securityGroupId": w.group.ID, "ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "10.0.0.0/8"})
}

func TestRuleReferences(t *testing.T) {
	w := newNetwork(t)
	peer := w.world.vpc("10.1.0.0/16")
	beyond := w.create(typeSecurityGroup, m{"vpcId": peer.ID})
	inputs := m{"securityGroupId": w.group.ID, "ipProtocol": "-1", "referencedSecurityGroupId": beyond.ID}
	_, err := w.try(typeIngressRule, inputs)
	refused(t, err, "InvalidGroup.NotFound")
	_, err = w.try(typeIngressRule, m{"securityGroupId": "sg-0123", "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/8"})
	refused(t, err, "InvalidGroup.NotFound")
	_, err = w.tryIn("eu-west-1", typeIngressRule, m{"securityGroupId": w.group.ID, "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/8"})
	refused(t, err, "InvalidGroup.NotFound")

	peering := w.create(typePeering, m{"vpcId": w.vpc.ID, "peerVpcId": peer.ID})
	_, err = w.try(typeIngressRule, inputs)
	refused(t, err, "InvalidGroup.NotFound")
	require.NoError(t, w.update(peering, m{"autoAccept": true}))
	w.create(typeIngressRule, inputs)
	require.NoError(t, w.delete(beyond), "a rule in a peered VPC becomes stale, it holds nothing back")

	s3 := w.create(typeVPCEndpoint, m{"vpcId": w.vpc.ID, "serviceName": "com.amazonaws." + testRegion + ".s3"})
	w.create(typeEgressRule, m{"securityGroupId": w.group.ID, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "prefixListId": s3.Outputs["prefixListId"]})
}

func TestRuleInputsAreChecked(t *testing.T) {
	w := newNetwork(t)
	for name, test := range map[string]struct {
		typ    string
		inputs m
		want   string
	}{
		"no source":              {typeIngressRule, m{"ipProtocol": "-1"}, "one source, this one has 0"},
		"two sources":            {typeIngressRule, m{"ipProtocol": "-1", "cidrIpv4": "10.0.0.0/8", "prefixListId": Unknown{}}, "one source, this one has 2"},
		"ports of all protocols": {typeIngressRule, m{"ipProtocol": "-1", "fromPort": 0, "toPort": 0, "cidrIpv4": "10.0.0.0/8"}, "takes in all ports"},
		"no ports":               {typeEgressRule, m{"ipProtocol": "tcp", "cidrIpv4": "10.0.0.0/8"}, "is required"},
		"not a protocol":         {typeEgressRule, m{"ipProtocol": "https", "cidrIpv4": "10.0.0.0/8"}, "check: ipProtocol"},
		"host bits":              {typeEgressRule, m{"ipProtocol": "-1", "cidrIpv4": "10.0.0.1/8"}, "did you mean"},
		"a group as list":        {typeEgressRule, m{"ipProtocol": "-1", "prefixListId": "sg-1"}, "of the kind expected"},
		"old form, no source":    {typeSecurityGroupRule, m{"type": "ingress", "protocol": "-1", "fromPort": 0, "toPort": 0}, "needs a source"},
		"old form, self and net": {typeSecurityGroupRule, m{"type": "ingress", "protocol": "-1", "fromPort": 0, "toPort": 0, "self": true, "cidrBlocks": l("10.0.0.0/8")}, "together with cidrBlocks"},
		"old form, direction":    {typeSecurityGroupRule, m{"type": "inbound", "protocol": "-1", "fromPort": 0, "toPort": 0, "self": true}, "expected one of"},
	} {
		t.Run(name, func(t *testing.T) {
			inputs := cloneMap(test.inputs)
			inputs["securityGroupId"] = w.group.ID
			_, err := w.try(test.typ, inputs)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestRuleDiff(t *testing.T) {
	for name, test := range map[string]struct {
		typ         string
		old, change m
		want        Diff
	}{
		"another network, in place": {typeIngressRule, m{"securityGroupId": "sg-1", "cidrIpv4": "10.0.0.0/8"}, m{"cidrIpv4": "10.1.0.0/16"}, Diff{Changed: []string{"cidrIpv4"}}},
		"another kind of source": {
			typeIngressRule, m{"securityGroupId": "sg-1", "cidrIpv4": "10.0.0.0/8"}, m{"cidrIpv4": nil, "referencedSecurityGroupId": Unknown{}},
			Diff{Changed: []string{"cidrIpv4", "referencedSecurityGroupId"}, Replaces: []string{"cidrIpv4", "referencedSecurityGroupId"}},
		},
		"another group": {
			typeEgressRule, m{"securityGroupId": "sg-1", "cidrIpv4": "10.0.0.0/8"}, m{"securityGroupId": "sg-2"},
			Diff{Changed: []string{"securityGroupId"}, Replaces: []string{"securityGroupId"}},
		},
		"old form, description": {typeSecurityGroupRule, m{"securityGroupId": "sg-1", "description": "a"}, m{"description": "b"}, Diff{Changed: []string{"description"}}},
		"old form, port": {
			typeSecurityGroupRule, m{"securityGroupId": "sg-1", "fromPort": 1.0}, m{"fromPort": 2.0},
			Diff{Changed: []string{"fromPort"}, Replaces: []string{"fromPort"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			typ, err := Lookup(test.typ)
			require.NoError(t, err)
			news := cloneMap(test.old)
			for k, v := range test.change {
				news[k] = v
			}
			require.Equal(t, test.want, typ.Diff(test.old, test.old, news))
		})
	}
}

func TestOldFormRule(t *testing.T) {
	w := newNetwork(t)
	inputs := m{"type": "egress", "securityGroupId": w.group.ID, "protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": l("10.0.0.0/8", "192.168.0.0/16")}
	rule := w.create(typeSecurityGroupRule, inputs)
	require.Regexp(t, `^sgrule-[0-9]+$`, rule.ID)
	require.NotContains(t, rule.Outputs, "securityGroupRuleId", "it stands for two of AWS's rules")
	require.NoError(t, w.update(rule, m{"description": "told"}))
	egress := w.refreshed(w.group)["egress"].([]any)
	require.Len(t, egress, 1)
	require.ElementsMatch(t, l("10.0.0.0/8", "192.168.0.0/16"), egress[0].(m)["cidrBlocks"])
	require.Equal(t, "told", egress[0].(m)["description"])
	refused(t, w.update(rule, m{"cidrBlocks": l("10.0.0.0/8")}), "InvalidParameterValue")
	require.NoError(t, w.delete(rule))
	require.Equal(t, l(), w.refreshed(w.group)["egress"])
	require.Equal(t, rule.ID, w.create(typeSecurityGroupRule, inputs).ID, "the same rule has the same ID")
}

// Whatever rules are made, changed and deleted, a group has each of them once,
// and exactly those that stand.
func TestRulesAreASet(t *testing.T) {
	w := newNetwork(t)
	rapid.Check(t, func(t *rapid.T) {
		group := w.create(typeSecurityGroup, m{"vpcId": w.vpc.ID})
		standing := map[string]*Object{}
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			port := float64(rapid.IntRange(1, 3).Draw(t, "port"))
			cidr := rapid.SampledFrom([]string{"10.0.0.0/8", "10.1.0.0/16"}).Draw(t, "cidr")
			wanted := fmt.Sprintf("%v %s", port, cidr)
			switch existing := standing[wanted]; rapid.SampledFrom([]string{"create", "delete", "move"}).Draw(t, "step") {
			case "create":
				o, err := w.try(typeIngressRule, m{"securityGroupId": group.ID, "ipProtocol": "tcp", "fromPort": port, "toPort": port, "cidrIpv4": cidr})
				if (err == nil) != (existing == nil) {
					t.Fatalf("%s stands: %v, but creating it gave %v", wanted, existing != nil, err)
				}
				if err == nil {
					standing[wanted] = o
				}
			case "delete":
				if existing != nil {
					if err := w.delete(existing); err != nil {
						t.Fatal(err)
					}
					delete(standing, wanted)
				}
			case "move":
				target := fmt.Sprintf("%v %s", port+1, cidr)
				if existing == nil {
					continue
				}
				err := w.update(existing, m{"fromPort": port + 1, "toPort": port + 1})
				if (err == nil) != (standing[target] == nil) {
					t.Fatalf("%s stands: %v, but moving to it gave %v", target, standing[target] != nil, err)
				}
				if err == nil {
					delete(standing, wanted)
					standing[target] = existing
				}
			}
			told := 0
			for _, block := range w.refreshed(group)["ingress"].([]any) {
				told += len(block.(m)["cidrBlocks"].([]any))
			}
			if told != len(standing) {
				t.Fatalf("the group tells %d rules, %d stand", told, len(standing))
			}
		}
		if err := w.delete(group); err != nil {
			t.Fatal(err)
		}
	})
}
