package account

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_security_group.go
//
// Rules may be given inline or as resources of their own. Inline rules, where
// given, are all that the group has in that direction after an update, as in
// the provider: rules of other resources in it are revoked.
var _ = register(typeSecurityGroup, rules{
	name:     &autoname{property: "name", max: 255},
	defaults: map[string]any{"description": "Managed by Pulumi", "revokeRulesOnDelete": false},
	forceNew: []string{"description", "name", "namePrefix", "vpcId"},
	computed: []string{"egress", "ingress", "name", "namePrefix", "vpcId"},
	sets:     []string{"egress", "egress.securityGroups", "ingress", "ingress.securityGroups"},
	check:    checkSecurityGroup,
	create:   createSecurityGroup,
	update:   func(v *view, _, o *Object) error { return v.setInlineRules(o, o) },
	remove:   removeSecurityGroup,
	read:     readInlineRules,
})

// groupDescription is what EC2's API takes as the description of a group or of a
// rule: other characters, such as an apostrophe, are refused.
var groupDescription = regexp.MustCompile(`^[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]*$`)

func checkSecurityGroup(in Props) []Failure {
	failures := checkGroupDescription("description", in["description"])
	if description, ok := in["description"].(string); ok && description == "" {
		failures = append(failures, Failure{Property: "description", Reason: "must not be empty"})
	}
	for _, property := range []string{"name", "namePrefix"} {
		name := in.String(property)
		if len(name) > 255 {
			failures = append(failures, Failure{Property: property, Reason: "must have at most 255 characters"})
		}
		if strings.HasPrefix(name, "sg-") || name == "default" {
			failures = append(failures, Failure{Property: property, Reason: fmt.Sprintf(`%q is reserved: a name must not start with "sg-" nor be "default"`, name)})
		}
	}
	if in.Has("name") && in.Has("namePrefix") {
		failures = append(failures, Failure{Property: "namePrefix", Reason: `cannot be given together with "name"`})
	}
	if !in.Has("vpcId") {
		failures = append(failures, Failure{Property: "vpcId", Reason: "is required: the simulated account has no default VPC"})
	}
	return append(failures, checkInlineRules(in)...)
}

func checkGroupDescription(path string, v any) []Failure {
	if text, ok := v.(string); ok && (!groupDescription.MatchString(text) || len(text) > 255) {
		return []Failure{{Property: path, Reason: fmt.Sprintf("%q is not allowed: expected at most 255 characters of a-z, A-Z, 0-9, spaces and ._-:/()#,@[]+=&;{}!$*", text)}}
	}
	return nil
}

func createSecurityGroup(v *view, o *Object) error {
	vpc, err := v.vpcOf(o.in().String("vpcId"), o.Region)
	if err != nil {
		return err
	}
	name := o.in().String("name")
	if prefix := o.in().String("namePrefix"); prefix != "" {
		name = prefix + v.a.now().UTC().Format("20060102150405") + randomHex(12)
	} else if name == "" {
		name = "terraform-" + v.a.now().UTC().Format("20060102150405") + randomHex(12)
	}
	same := v.first(typeSecurityGroup, func(other *Object) bool {
		return other.out().String("vpcId") == vpc.ID && other.out().String("name") == name
	})
	if same != nil {
		return refuse("InvalidGroup.Duplicate", "the security group %q already exists for VPC %q: it is %q", name, vpc.ID, same.ID)
	}
	o.ID = ec2ID("sg")
	o.Outputs["arn"] = arn("ec2", o.Region, "security-group/"+o.ID)
	o.Outputs["ownerId"] = AccountID
	o.Outputs["name"] = name
	o.Outputs["namePrefix"] = o.in().String("namePrefix")
	// AWS lets a new group send everywhere; the provider revokes that at once.
	if err := v.setInlineRules(o, o); err != nil {
		return err
	}
	readSecurityGroup(v, o)
	return nil
}

func removeSecurityGroup(v *view, o *Object) error {
	if o.out().String("name") == "default" {
		return refuse("CannotDelete", "the specified group %q cannot be deleted by a user: it is the default security group of VPC %q", o.ID, o.out().String("vpcId"))
	}
	if user := v.groupUser(o); user != "" {
		return refuse("DependencyViolation", "resource %s has a dependent object: %s", o.ID, user)
	}
	v.revokeAll(o.ID)
	return nil
}

// groupUser describes what keeps a security group from being deleted, or is
// empty. Rules in a peered VPC do not: they become stale.
func (v *view) groupUser(o *Object) string {
	nic := v.first(typeNetworkInterface, func(nic *Object) bool { return slices.Contains(nic.out().Strings("securityGroups"), o.ID) })
	if nic != nil {
		return fmt.Sprintf("network interface %s (%s) is in it", nic.ID, nic.out().String("description"))
	}
	for _, rule := range v.all(typePermission, func(p *Object) bool { return p.out().String("source") == o.ID }) {
		group := v.get(typeSecurityGroup, rule.out().String("groupId"))
		if group != nil && group.ID != o.ID && group.out().String("vpcId") == o.out().String("vpcId") {
			return fmt.Sprintf("rule %s of security group %s refers to it", rule.ID, group.ID)
		}
	}
	return ""
}

// securityGroupOf returns a security group that something refers to.
func (v *view) securityGroupOf(id, region string) (*Object, error) {
	group := v.get(typeSecurityGroup, id)
	if group == nil || group.Region != region {
		return nil, missingReference("InvalidGroup.NotFound", "the security group %q does not exist in %s", id, region)
	}
	return group, nil
}

// openGroup gives a security group the rules that AWS gives to one that it
// makes itself: its members reach each other, and everything outside. They
// belong to the owner.
func (v *view) openGroup(owner *Object, groupID string) {
	inside := newPermission(groupID, ingress, allProtocols, 0, 0, "")
	inside.source = groupID
	outside := newPermission(groupID, egress, allProtocols, 0, 0, "")
	outside.source = "0.0.0.0/0"
	for _, p := range []permission{inside, outside} {
		v.own(owner, typePermission, ec2ID("sgr"), p.outputs())
	}
}

// dropGroup takes a security group that AWS made itself away, with all rules in
// it and the resource that adopted it.
func (v *view) dropGroup(groupID string) {
	v.revokeAll(groupID)
	for _, typ := range []string{typeDefaultSecurityGroup, typeSecurityGroup} {
		if v.get(typ, groupID) != nil {
			v.del(typ, groupID)
		}
	}
}
