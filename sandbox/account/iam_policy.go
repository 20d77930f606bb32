package account

import (
	"fmt"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/policy.go
var _ = register(typePolicy, rules{
	name:       &autoname{property: "name", max: 128},
	defaults:   map[string]any{"path": "/"},
	forceNew:   []string{"description", "name", "namePrefix", "path"},
	computed:   []string{"name"},
	documents:  []string{"policy"},
	unmodelled: []string{"namePrefix"},
	check: func(in Props) []Failure {
		return append(checkIAMName(in, "name", 128), checkIAMPath(in)...)
	},
	create: createPolicy,
	update: func(v *view, _, o *Object) error { return v.checkManagedPolicy(o) },
	remove: removePolicy,
	read:   readPolicy,
})

// managedPolicySizeLimit and the limit of all inline policies of a role, in
// characters: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	managedPolicySizeLimit = 6144
	inlinePolicySizeLimit  = 10240
)

func createPolicy(v *view, o *Object) error {
	name := o.in().String("name")
	// Names are unique whatever their paths.
	if v.first(typePolicy, func(other *Object) bool { return other.in().String("name") == name }) != nil {
		return refuse("EntityAlreadyExists", "a policy called %s already exists; duplicate names are not allowed", name)
	}
	if err := v.checkManagedPolicy(o); err != nil {
		return err
	}
	o.ID = iamARN("policy", o.in().String("path"), name)
	o.Outputs["arn"] = o.ID
	o.Outputs["policyId"] = "ANPA" + upper(17)
	o.Outputs["attachmentCount"] = 0.0
	return nil
}

func (v *view) checkManagedPolicy(o *Object) error {
	text := o.in().String("policy")
	if size := policySize(text); size > managedPolicySizeLimit {
		return refuse("LimitExceeded", "cannot exceed quota for PolicySize: %d, policy %s has %d characters", managedPolicySizeLimit, o.in().String("name"), size)
	}
	_, err := v.policyStatements(text, identityPolicy)
	return err
}

func removePolicy(v *view, o *Object) error {
	if attachment := v.first(typeRolePolicyAttachment, func(other *Object) bool { return other.in().String("policyArn") == o.ID }); attachment != nil {
		return refuse("DeleteConflict", "cannot delete a policy attached to entities: %s is attached to role %s", o.ID, attachment.in().String("role"))
	}
	if role := v.first(typeRole, func(other *Object) bool { return other.in().String("permissionsBoundary") == o.ID }); role != nil {
		return refuse("DeleteConflict", "cannot delete a policy attached to entities: %s is the permissions boundary of role %s", o.ID, role.ID)
	}
	return nil
}

func readPolicy(v *view, o *Object) {
	attachments := v.all(typeRolePolicyAttachment, func(other *Object) bool { return other.in().String("policyArn") == o.ID })
	o.Outputs["attachmentCount"] = float64(len(attachments))
}

// checkPolicyExists refuses the ARN of a policy that is neither the account's
// nor one of AWS's.
func (v *view) checkPolicyExists(arn string) error {
	if name, ok := strings.CutPrefix(arn, "arn:aws:iam::aws:policy/"); ok {
		if awsPolicies[name] {
			return nil
		}
		reason := "the simulated account does not know it as one of AWS's"
		if near := nearPolicy(name); near != "" {
			reason += fmt.Sprintf("; did you mean %q?", near)
		}
		return missingReference("NoSuchEntity", "policy %s does not exist or is not attachable: %s", arn, reason)
	}
	if v.get(typePolicy, arn) == nil {
		return missingReference("NoSuchEntity", "policy %s does not exist or is not attachable", arn)
	}
	return nil
}

// nearPolicy finds one of AWS's policies with the same name and another path,
// the usual slip.
func nearPolicy(name string) string {
	last := name[strings.LastIndex(name, "/")+1:]
	for _, known := range sorted(awsPolicies) {
		if strings.EqualFold(known[strings.LastIndex(known, "/")+1:], last) {
			return known
		}
	}
	return ""
}
