package account

import (
	"fmt"
	"regexp"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/kms/alias.go
var _ = register(typeKeyAlias, rules{
	name:       &autoname{property: "name", prefix: "alias/", max: 244},
	forceNew:   []string{"name", "namePrefix"},
	computed:   []string{"name"},
	unmodelled: []string{"namePrefix"},
	check:      checkKeyAlias,
	create:     createKeyAlias,
	update:     func(v *view, _, o *Object) error { return v.pointAlias(o) },
})

var keyAliasForm = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)

func checkKeyAlias(in Props) []Failure {
	name, ok := in["name"].(string)
	switch {
	case !ok:
		return nil
	case strings.HasPrefix(name, "alias/aws/"):
		return []Failure{{Property: "name", Reason: fmt.Sprintf(`%q begins with "alias/aws/", which is reserved for keys that AWS manages`, name)}}
	case !keyAliasForm.MatchString(name) || len(name) > 256:
		return []Failure{{Property: "name", Reason: fmt.Sprintf(`%q must begin with "alias/" and have at most 256 letters, digits and characters of /_-`, name)}}
	}
	return nil
}

func createKeyAlias(v *view, o *Object) error {
	o.ID = o.in().String("name")
	o.Outputs["arn"] = arn("kms", o.Region, o.ID)
	if other := v.get(typeKeyAlias, o.ID); other != nil && other.Region == o.Region {
		return refuse("AlreadyExistsException", "an alias with the name %s already exists", o.Outputs["arn"])
	}
	return v.pointAlias(o)
}

func (v *view) pointAlias(o *Object) error {
	target := o.in().String("targetKeyId")
	key := v.keyOf(target, o.Region)
	if key == nil {
		return missingReference("NotFoundException", "key %q does not exist in %s", target, o.Region)
	}
	o.Outputs["targetKeyId"] = key.ID
	o.Outputs["targetKeyArn"] = key.out().String("arn")
	return nil
}
