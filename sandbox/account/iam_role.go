package account

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/role.go
var _ = register(typeRole, rules{
	name:      &autoname{property: "name", max: 64},
	defaults:  map[string]any{"forceDetachPolicies": false, "maxSessionDuration": 3600.0, "path": "/"},
	forceNew:  []string{"name", "namePrefix", "path"},
	computed:  []string{"inlinePolicies", "managedPolicyArns", "name"},
	documents: []string{"assumeRolePolicy"},
	// The lists are deprecated: they would take away what resources of their
	// own attach.
	unmodelled: []string{"inlinePolicies", "managedPolicyArns", "namePrefix"},
	check:      checkRole,
	create:     createRole,
	update:     updateRole,
	remove:     removeRole,
	read:       readRole,
})

// trustSizeLimit is the default quota of a trust policy, in characters:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const trustSizeLimit = 2048

var iamNameForm = regexp.MustCompile(`^[\w+=,.@-]+$`)

// checkIAMName checks the name of an IAM object.
func checkIAMName(in Props, property string, longest int) []Failure {
	name, ok := in[property].(string)
	if !ok {
		return nil
	}
	if !iamNameForm.MatchString(name) || len(name) > longest {
		return []Failure{{Property: property, Reason: fmt.Sprintf("%q must have 1 to %d letters, digits and characters of +=,.@-_", name, longest)}}
	}
	return nil
}

var iamPathForm = regexp.MustCompile(`^/([!-~]+/)?$`)

func checkIAMPath(in Props) []Failure {
	path, ok := in["path"].(string)
	if !ok || (iamPathForm.MatchString(path) && len(path) <= 512) {
		return nil
	}
	return []Failure{{Property: "path", Reason: fmt.Sprintf("%q must begin and end with a slash", path)}}
}

func checkRole(in Props) []Failure {
	failures := append(checkIAMName(in, "name", 64), checkIAMPath(in)...)
	failures = append(failures, between(in, "maxSessionDuration", 3600, 43200)...)
	if description := in.String("description"); len(description) > 1000 {
		failures = append(failures, Failure{Property: "description", Reason: fmt.Sprintf("has %d characters, AWS takes at most 1000", len(description))})
	}
	return failures
}

// between checks that an integer lies in a range.
func between(in Props, property string, least, most int) []Failure {
	n, ok := in[property].(float64)
	if !ok || (int(n) >= least && int(n) <= most) {
		return nil
	}
	return []Failure{{Property: property, Reason: fmt.Sprintf("%d is out of range: expected %d to %d", int(n), least, most)}}
}

func createRole(v *view, o *Object) error {
	name := o.in().String("name")
	if v.get(typeRole, name) != nil {
		return refuse("EntityAlreadyExists", "role with name %s already exists", name)
	}
	if err := v.checkRolePolicies(o); err != nil {
		return err
	}
	o.ID = name
	o.Outputs["arn"] = iamARN("role", o.in().String("path"), name)
	o.Outputs["createDate"] = o.Created.Format(time.RFC3339)
	o.Outputs["uniqueId"] = "AROA" + upper(17)
	o.Outputs["inlinePolicies"] = []any{}
	o.Outputs["managedPolicyArns"] = []any{}
	return nil
}

func updateRole(v *view, _, o *Object) error { return v.checkRolePolicies(o) }

func (v *view) checkRolePolicies(o *Object) error {
	trust := o.in().String("assumeRolePolicy")
	if size := policySize(trust); size > trustSizeLimit {
		return refuse("LimitExceeded", "cannot exceed quota for ACLSizePerRole: %d, the trust policy of %s has %d characters", trustSizeLimit, o.in().String("name"), size)
	}
	if _, err := v.policyStatements(trust, trustPolicy); err != nil {
		return err
	}
	if boundary := o.in().String("permissionsBoundary"); boundary != "" {
		return v.checkPolicyExists(boundary)
	}
	return nil
}

// removeRole refuses as IAM does. The real provider would take the role out of
// instance profiles by itself; here the order of the program has to do it.
func removeRole(v *view, o *Object) error {
	inRole := func(other *Object) bool { return other.in().String("role") == o.ID }
	if profile := v.first(typeInstanceProfile, inRole); profile != nil {
		return refuse("DeleteConflict", "cannot delete role %s, must remove roles from instance profile first: %s", o.ID, profile.ID)
	}
	policies, attachments := v.all(typeRolePolicy, inRole), v.all(typeRolePolicyAttachment, inRole)
	if o.in().Bool("forceDetachPolicies", false) {
		for _, policy := range append(policies, attachments...) {
			v.del(policy.Type, policy.ID)
		}
		return nil
	}
	if len(attachments) > 0 {
		return refuse("DeleteConflict", "cannot delete role %s, must detach all policies first: %s", o.ID, attachments[0].in().String("policyArn"))
	}
	if len(policies) > 0 {
		return refuse("DeleteConflict", "cannot delete role %s, must delete policies first: %s", o.ID, policies[0].in().String("name"))
	}
	return nil
}

func readRole(v *view, o *Object) {
	inRole := func(other *Object) bool { return other.in().String("role") == o.ID }
	attached := []string{}
	for _, attachment := range v.all(typeRolePolicyAttachment, inRole) {
		attached = append(attached, attachment.in().String("policyArn"))
	}
	slices.Sort(attached)
	o.Outputs["managedPolicyArns"] = list(slices.Compact(attached))
	inline := []any{}
	for _, policy := range v.all(typeRolePolicy, inRole) {
		inline = append(inline, map[string]any{"name": policy.in().String("name"), "policy": policy.in().String("policy")})
	}
	o.Outputs["inlinePolicies"] = inline
}

// iamARN makes the ARN of an IAM object. Its path is part of it.
func iamARN(kind, path, name string) string { return arn("iam", "", kind+path+name) }

// roleNamed returns the role that something refers to by its name. IAM has no
// regions.
func (v *view) roleNamed(name string) (*Object, error) {
	role := v.get(typeRole, name)
	if role == nil {
		return nil, missingReference("NoSuchEntity", "the role with name %s cannot be found", name)
	}
	return role, nil
}

// roleByARN returns the role with an ARN, or nil. What a service answers to a
// role that does not exist differs from service to service.
func (v *view) roleByARN(arn string) *Object {
	return v.first(typeRole, func(o *Object) bool { return o.out().String("arn") == arn })
}
