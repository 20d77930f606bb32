package account

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/role_policy.go
var _ = register(typeRolePolicy, rules{
	name:       &autoname{property: "name", max: 128},
	forceNew:   []string{"name", "namePrefix", "role"},
	computed:   []string{"name"},
	documents:  []string{"policy"},
	unmodelled: []string{"namePrefix"},
	check: func(in Props) []Failure {
		return append(checkIAMName(in, "name", 128), checkRoleName(in)...)
	},
	create: createRolePolicy,
	update: func(v *view, _, o *Object) error { return v.checkInlinePolicy(o) },
})

// checkRoleName checks a reference to a role, which is made by its name: an ARN
// in its place is a usual slip.
func checkRoleName(in Props) []Failure {
	if hasUnknown(in["role"]) || !in.Has("role") {
		return nil
	}
	if name, ok := in["role"].(string); !ok || !iamNameForm.MatchString(name) {
		return []Failure{{Property: "role", Reason: "expected the name of a role"}}
	}
	return nil
}

func createRolePolicy(v *view, o *Object) error {
	role, name := o.in().String("role"), o.in().String("name")
	o.ID = role + ":" + name
	// IAM would overwrite the other policy without a word, and the resource that
	// goes first would take away the rights of both.
	if v.get(typeRolePolicy, o.ID) != nil {
		return refuse("EntityAlreadyExists", "role %s has an inline policy called %s already", role, name)
	}
	return v.checkInlinePolicy(o)
}

func (v *view) checkInlinePolicy(o *Object) error {
	role, err := v.roleNamed(o.in().String("role"))
	if err != nil {
		return err
	}
	text := o.in().String("policy")
	if _, err := v.policyStatements(text, identityPolicy); err != nil {
		return err
	}
	size := policySize(text)
	for _, other := range v.all(typeRolePolicy, func(other *Object) bool { return other.in().String("role") == role.ID && other.ID != o.ID }) {
		size += policySize(other.in().String("policy"))
	}
	if size > inlinePolicySizeLimit {
		return refuse("LimitExceeded", "maximum policy size of %d characters exceeded for role %s: its inline policies have %d", inlinePolicySizeLimit, role.ID, size)
	}
	return nil
}
