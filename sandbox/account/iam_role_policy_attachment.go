package account

import (
	"fmt"
	"strings"
	"time"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/iam/role_policy_attachment.go
var _ = register(typeRolePolicyAttachment, rules{
	forceNew: []string{"policyArn", "role"},
	// pulumi-aws deletes first: an attachment is the same object for IAM
	// whichever resource made it, so deleting the old one afterwards would undo
	// the new one.
	deleteBeforeReplace: true,
	check:               checkRolePolicyAttachment,
	create:              createRolePolicyAttachment,
	remove:              removeRolePolicyAttachment,
})

func checkRolePolicyAttachment(in Props) []Failure {
	failures := checkRoleName(in)
	if arn, ok := in["policyArn"].(string); ok && !strings.HasPrefix(arn, "arn:aws:iam::") {
		failures = append(failures, Failure{Property: "policyArn", Reason: fmt.Sprintf("%q is not the ARN of a policy", arn)})
	}
	return failures
}

func createRolePolicyAttachment(v *view, o *Object) error {
	role, err := v.roleNamed(o.in().String("role"))
	if err != nil {
		return err
	}
	if err := v.checkPolicyExists(o.in().String("policyArn")); err != nil {
		return err
	}
	o.ID = role.ID + "-" + uniqueID(o.Created)
	return nil
}

// removeRolePolicyAttachment detaches the policy for every resource that
// attached it: attaching twice is one attachment for IAM.
func removeRolePolicyAttachment(v *view, o *Object) error {
	for _, same := range v.all(typeRolePolicyAttachment, func(other *Object) bool {
		return other.in().String("role") == o.in().String("role") && other.in().String("policyArn") == o.in().String("policyArn")
	}) {
		v.del(same.Type, same.ID)
	}
	return nil
}

// uniqueID is how terraform-plugin-sdk makes identifiers for what has none: the
// time down to tenths of a millisecond and eight hexadecimal digits.
func uniqueID(now time.Time) string {
	return strings.Replace(now.UTC().Format("20060102150405.0000"), ".", "", 1) + randomHex(8)
}
