package account

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_security_group_rule.go
//
// The order of cidrBlocks counts, as in the provider: it is a list there.
var _ = register(typeSecurityGroupRule, rules{
	defaults: map[string]any{"self": false},
	forceNew: []string{
		"cidrBlocks", "fromPort", "ipv6CidrBlocks", "prefixListIds", "protocol", "securityGroupId", "self",
		"sourceSecurityGroupId", "toPort", "type",
	},
	computed: []string{"sourceSecurityGroupId"},
	check:    checkSecurityGroupRule,
	create:   createSecurityGroupRule,
	update:   updateSecurityGroupRule,
	remove:   func(v *view, o *Object) error { v.dropOwned(o, typePermission); return nil },
})

func checkSecurityGroupRule(in Props) []Failure {
	failures := append(oneOf(in, "type", egress, ingress), checkRuleBlock("", in)...)
	self, known := in["self"].(bool)
	var sources []string
	for _, property := range []string{"cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "sourceSecurityGroupId"} {
		if in.Has(property) {
			sources = append(sources, property)
		}
	}
	if self {
		sources = append(sources, "self")
	}
	if len(sources) == 0 && known {
		failures = append(failures, Failure{Property: "cidrBlocks", Reason: "a rule needs a source: give one of cidrBlocks, ipv6CidrBlocks, prefixListIds, self, sourceSecurityGroupId"})
	}
	for _, property := range []string{"self", "sourceSecurityGroupId"} {
		others := slices.DeleteFunc(slices.Clone(sources), func(other string) bool { return other == property || other == "prefixListIds" })
		if slices.Contains(sources, property) && len(others) > 0 {
			failures = append(failures, Failure{Property: property, Reason: fmt.Sprintf("cannot be given together with %s", strings.Join(others, ", "))})
		}
	}
	return failures
}

func createSecurityGroupRule(v *view, o *Object) error {
	in := o.in()
	group, err := v.securityGroupOf(in.String("securityGroupId"), o.Region)
	if err != nil {
		return err
	}
	permissions := blockPermissions(group.ID, in.String("type"), in)
	o.ID = securityGroupRuleID(permissions)
	for _, p := range permissions {
		id := ec2ID("sgr")
		if err := v.permit(o, id, group, p); err != nil {
			return err
		}
		if len(permissions) == 1 {
			o.Outputs["securityGroupRuleId"] = id
		}
	}
	return nil
}

// updateSecurityGroupRule changes the description, which is all that can change.
func updateSecurityGroupRule(v *view, _, o *Object) error {
	for _, p := range v.owned(o, typePermission) {
		v.edit(p.Type, p.ID).Outputs["description"] = o.in().String("description")
	}
	return nil
}

// securityGroupRuleID is a hash of the rule, as in the provider: AWS has no
// object that stands for a rule with several sources.
func securityGroupRuleID(permissions []permission) string {
	var text strings.Builder
	for _, p := range permissions {
		fmt.Fprintf(&text, "%s-%s-%s-%d-%d-%s-", p.groupID, p.direction, p.protocol, p.from, p.to, p.source)
	}
	return fmt.Sprintf("sgrule-%d", crc32.ChecksumIEEE([]byte(text.String())))
}
