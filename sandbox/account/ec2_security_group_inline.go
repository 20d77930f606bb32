package account

import (
	"fmt"
	"slices"
)

// checkInlineRules checks the rules that a group holds itself.
func checkInlineRules(in Props) []Failure {
	var failures []Failure
	for _, direction := range directions {
		items, _ := in[direction].([]any)
		for i, item := range items {
			block, ok := item.(map[string]any)
			if !ok {
				continue
			}
			at := fmt.Sprintf("%s[%d]", direction, i)
			failures = append(failures, checkRuleBlock(at+".", block)...)
		}
	}
	return failures
}

// checkRuleBlock checks a rule of the older form, which names several sources
// at once.
func checkRuleBlock(at string, block Props) []Failure {
	failures := checkPorts(at, block["protocol"], block["fromPort"], block["toPort"])
	failures = append(failures, checkGroupDescription(at+"description", block["description"])...)
	for _, property := range []string{"cidrBlocks", "ipv6CidrBlocks"} {
		items, _ := block[property].([]any)
		for i, item := range items {
			failures = append(failures, checkRuleCIDR(fmt.Sprintf("%s%s[%d]", at, property, i), item, property == "ipv6CidrBlocks")...)
		}
	}
	return failures
}

// blockPermissions takes a rule of the older form apart into AWS's own rules,
// which have one source each.
func blockPermissions(groupID, direction string, block Props) []permission {
	base := newPermission(groupID, direction, block.String("protocol"), block.Int("fromPort", -1), block.Int("toPort", -1), block.String("description"))
	sources := slices.Concat(block.Strings("cidrBlocks"), block.Strings("ipv6CidrBlocks"), block.Strings("prefixListIds"), block.Strings("securityGroups"))
	if id := block.String("sourceSecurityGroupId"); id != "" {
		sources = append(sources, id)
	}
	if block.Bool("self", false) {
		sources = append(sources, groupID)
	}
	var out []permission
	for _, source := range sources {
		p := base
		p.source = source
		out = append(out, p)
	}
	return out
}

// setInlineRules makes a group's rules those that its resource holds, in each
// direction that the resource says something about. The owner is the resource,
// which for a default security group is not the group.
func (v *view) setInlineRules(owner, group *Object) error {
	for _, direction := range directions {
		items, given := owner.Inputs[direction].([]any)
		if !given {
			continue
		}
		wanted := map[permission]bool{}
		for _, item := range items {
			if block, ok := item.(map[string]any); ok {
				for _, p := range blockPermissions(group.ID, direction, block) {
					if wanted[p] {
						return duplicatePermission(p)
					}
					wanted[p] = true
				}
			}
		}
		for _, standing := range v.permissionsOf(group.ID, direction) {
			if p := permissionOf(standing); wanted[p] && standing.Owner == owner.key() {
				delete(wanted, p)
			} else {
				v.revoke(standing)
			}
		}
		for _, item := range items {
			block, _ := item.(map[string]any)
			for _, p := range blockPermissions(group.ID, direction, block) {
				if !wanted[p] {
					continue
				}
				if err := v.permit(owner, ec2ID("sgr"), group, p); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// readSecurityGroup lists all rules that stand in a group, those of other
// resources too.
func readSecurityGroup(v *view, o *Object) {
	for _, direction := range directions {
		o.Outputs[direction] = v.ruleBlocks(o, o.ID, direction)
	}
}

// readInlineRules is readSecurityGroup, and tells rules of another hand as a
// difference too, in each direction that the resource says something about: it
// would revoke them. That of a default security group speaks for both.
func readInlineRules(v *view, o *Object) {
	readSecurityGroup(v, o)
	for _, direction := range directions {
		blocks, _ := o.Outputs[direction].([]any)
		own, given := o.Inputs[direction].([]any)
		if (given || o.Type == typeDefaultSecurityGroup) && len(blocks) != len(own) {
			o.Inputs[direction] = clone(blocks)
		}
	}
}

// ruleBlocks gives a group's rules in the older form: the resource's own as it
// wrote them, the others put together where they differ in their source only.
func (v *view) ruleBlocks(owner *Object, groupID, direction string) []any {
	blocks := []any{}
	own, given := owner.Inputs[direction].([]any)
	for _, block := range own {
		blocks = append(blocks, clone(block))
	}
	merged := map[permission]map[string]any{}
	for _, standing := range v.permissionsOf(groupID, direction) {
		if given && standing.Owner == owner.key() {
			continue
		}
		p := permissionOf(standing)
		source := p.source
		p.source = ""
		block := merged[p]
		if block == nil {
			from, to := p.from, p.to
			if p.protocol == allProtocols {
				from, to = 0, 0
			}
			block = map[string]any{
				"description": p.description, "protocol": p.protocol, "fromPort": float64(from), "toPort": float64(to), "self": false,
				"cidrBlocks": []any{}, "ipv6CidrBlocks": []any{}, "prefixListIds": []any{}, "securityGroups": []any{},
			}
			merged[p] = block
			blocks = append(blocks, block)
		}
		if source == groupID {
			block["self"] = true
			continue
		}
		property := map[sourceKind]string{
			sourceIPv4: "cidrBlocks", sourceIPv6: "ipv6CidrBlocks", sourcePrefixList: "prefixListIds", sourceGroup: "securityGroups",
		}[kindOfSource(source)]
		items, _ := block[property].([]any)
		block[property] = append(items, source)
	}
	return blocks
}
