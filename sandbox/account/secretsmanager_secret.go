package account

import (
	"fmt"
	"regexp"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/secretsmanager/secret.go
//
// The values of a secret are no resources here: they are put through the data plane.
var _ = register(typeSecret, rules{
	name:       &autoname{property: "name", max: 512},
	defaults:   map[string]any{"forceOverwriteReplicaSecret": false, "recoveryWindowInDays": 30.0},
	forceNew:   []string{"name", "namePrefix"},
	computed:   []string{"name", "policy", "replicas"},
	documents:  []string{"policy"},
	unmodelled: []string{"forceOverwriteReplicaSecret", "namePrefix", "policy", "replicas"},
	check:      checkSecret,
	create:     createSecret,
	update:     func(v *view, _, o *Object) error { return v.checkSecretKey(o) },
})

// The length is checked beside the form, as that of a log group is.
var secretForm = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]+$`)

func checkSecret(in Props) []Failure {
	var failures []Failure
	if name, ok := in["name"].(string); ok && (!secretForm.MatchString(name) || len(name) > 512) {
		failures = append(failures, Failure{Property: "name", Reason: fmt.Sprintf("%q must have 1 to 512 letters, digits and characters of /_+=.@-", name)})
	}
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
	if days, ok := in["recoveryWindowInDays"].(float64); ok && days != 0 && (days < 7 || days > 30) {
		failures = append(failures, Failure{Property: "recoveryWindowInDays", Reason: fmt.Sprintf("%v is not allowed: expected 0, or 7 to 30", days)})
	}
	if description := in.String("description"); len(description) > 2048 {
		failures = append(failures, Failure{Property: "description", Reason: fmt.Sprintf("has %d characters, AWS takes at most 2048", len(description))})
	}
	return failures
}

// createSecret gives the secret its ARN, which ends in six characters that make it
// another one than a deleted secret of the same name.
func createSecret(v *view, o *Object) error {
	name := o.in().String("name")
	if v.first(typeSecret, func(other *Object) bool { return other.Region == o.Region && other.in().String("name") == name }) != nil {
		return refuse("ResourceExistsException", "the operation failed because the secret %s already exists", name)
	}
	o.ID = arn("secretsmanager", o.Region, "secret:"+name+"-"+randomHex(6))
	o.Outputs["arn"] = o.ID
	o.Outputs["policy"] = ""
	o.Outputs["replicas"] = []any{}
	return v.checkSecretKey(o)
}

// checkSecretKey checks that the secret's key exists, given by its ARN or ID.
func (v *view) checkSecretKey(o *Object) error {
	reference := o.in().String("kmsKeyId")
	if reference == "" || strings.HasPrefix(reference, "alias/") || strings.Contains(reference, ":alias/") {
		return nil
	}
	if v.keyOf(reference, o.Region) == nil {
		return missingReference("InvalidRequestException", "the KMS key %q does not exist in %s: give the key that encrypts the secret", reference, o.Region)
	}
	return nil
}
