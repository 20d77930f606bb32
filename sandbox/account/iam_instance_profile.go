package account

import "time"

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/instance_profile.go
var _ = register(typeInstanceProfile, rules{
	name:       &autoname{property: "name", max: 128},
	defaults:   map[string]any{"path": "/"},
	forceNew:   []string{"name", "namePrefix", "path"},
	computed:   []string{"name"},
	unmodelled: []string{"namePrefix"},
	check: func(in Props) []Failure {
		failures := append(checkIAMName(in, "name", 128), checkIAMPath(in)...)
		return append(failures, checkRoleName(in)...)
	},
	create: createInstanceProfile,
	update: func(v *view, _, o *Object) error { return v.checkProfileRole(o) },
})

func createInstanceProfile(v *view, o *Object) error {
	name := o.in().String("name")
	if v.get(typeInstanceProfile, name) != nil {
		return refuse("EntityAlreadyExists", "instance profile %s already exists", name)
	}
	if err := v.checkProfileRole(o); err != nil {
		return err
	}
	o.ID = name
	o.Outputs["arn"] = iamARN("instance-profile", o.in().String("path"), name)
	o.Outputs["createDate"] = o.Created.Format(time.RFC3339)
	o.Outputs["uniqueId"] = "AIPA" + upper(17)
	return nil
}

func (v *view) checkProfileRole(o *Object) error {
	if name := o.in().String("role"); name != "" {
		_, err := v.roleNamed(name)
		return err
	}
	return nil
}
