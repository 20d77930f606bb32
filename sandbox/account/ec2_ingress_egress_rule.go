package account

import (
	"fmt"
	"strings"
)

// ruleSources are the properties of a rule that may name its source, with the
// kind of source that each takes.
var ruleSources = map[string]sourceKind{
	"cidrIpv4": sourceIPv4, "cidrIpv6": sourceIPv6, "prefixListId": sourcePrefixList, "referencedSecurityGroupId": sourceGroup,
}

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_security_group_ingress_rule.go
var (
	_ = register(typeIngressRule, directedRule(ingress))
	_ = register(typeEgressRule, directedRule(egress))
)

func directedRule(direction string) rules {
	return rules{
		forceNew: []string{"securityGroupId"},
		check:    checkDirectedRule,
		replaces: otherKindOfSource,
		create:   func(v *view, o *Object) error { return createDirectedRule(v, o, direction) },
		update:   func(v *view, _, o *Object) error { return v.permitDirected(o, direction) },
		remove:   func(v *view, o *Object) error { v.del(typePermission, o.ID); return nil },
	}
}

func checkDirectedRule(in Props) []Failure {
	failures := checkPorts("", in["ipProtocol"], in["fromPort"], in["toPort"])
	for i := range failures {
		if failures[i].Property == "protocol" {
			failures[i].Property = "ipProtocol"
		}
	}
	if protocolName(in.String("ipProtocol")) == allProtocols {
		for _, property := range []string{"fromPort", "toPort"} {
			if in.Has(property) {
				failures = append(failures, Failure{Property: property, Reason: `cannot be given where "ipProtocol" is "-1": that takes in all ports`})
			}
		}
	}
	sources := sourcesOf(in)
	if len(sources) != 1 {
		failures = append(failures, Failure{Property: "cidrIpv4", Reason: fmt.Sprintf("a rule has one source, this one has %d: give one of %s", len(sources), strings.Join(sorted(ruleSources), ", "))})
	}
	for _, property := range sources {
		id, known := in[property].(string)
		switch kind := ruleSources[property]; {
		case kind == sourceIPv4 || kind == sourceIPv6:
			failures = append(failures, checkRuleCIDR(property, in[property], kind == sourceIPv6)...)
		case known && kindOfSource(id) != kind:
			failures = append(failures, Failure{Property: property, Reason: fmt.Sprintf("%q is not an ID of the kind expected here", id)})
		}
	}
	return append(failures, checkGroupDescription("description", in["description"])...)
}

func sourcesOf(in Props) []string {
	var out []string
	for _, property := range sorted(ruleSources) {
		if in.Has(property) {
			out = append(out, property)
		}
	}
	return out
}

// otherKindOfSource is the provider's rule that a source can change in place
// only into one of its kind.
func otherKindOfSource(old, new Props) []string {
	before, after := sourcesOf(old), sourcesOf(new)
	if len(before) == 1 && len(after) == 1 && before[0] != after[0] {
		return []string{before[0], after[0]}
	}
	return nil
}

func createDirectedRule(v *view, o *Object, direction string) error {
	o.ID = ec2ID("sgr")
	if err := v.permitDirected(o, direction); err != nil {
		return err
	}
	o.Outputs["arn"] = arn("ec2", o.Region, "security-group-rule/"+o.ID)
	o.Outputs["securityGroupRuleId"] = o.ID
	return nil
}

// permitDirected makes or changes the one permission of a rule, which has the
// rule's own ID.
func (v *view) permitDirected(o *Object, direction string) error {
	in := o.in()
	group, err := v.securityGroupOf(in.String("securityGroupId"), o.Region)
	if err != nil {
		return err
	}
	p := newPermission(group.ID, direction, in.String("ipProtocol"), in.Int("fromPort", -1), in.Int("toPort", -1), in.String("description"))
	for _, property := range sourcesOf(in) {
		p.source = in.String(property)
	}
	return v.permit(o, o.ID, group, p)
}
