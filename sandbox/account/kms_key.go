package account

import (
	"fmt"
	"slices"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/kms/key.go
var _ = register(typeKey, rules{
	defaults: map[string]any{
		"bypassPolicyLockoutSafetyCheck": false, "customerMasterKeySpec": "SYMMETRIC_DEFAULT", "enableKeyRotation": false,
		"isEnabled": true, "keyUsage": "ENCRYPT_DECRYPT",
	},
	forceNew:   []string{"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"},
	computed:   []string{"description", "multiRegion", "policy", "rotationPeriodInDays"},
	documents:  []string{"policy"},
	unmodelled: []string{"customKeyStoreId", "multiRegion", "xksKeyId"},
	check:      checkKey,
	create:     createKey,
	update:     updateKey,
	remove:     removeKey,
})

const (
	keyPolicySizeLimit    = 32 * 1024 // https://docs.aws.amazon.com/kms/latest/developerguide/limits.html
	defaultRotationPeriod = 365       // days
)

// defaultKeyPolicy is what KMS gives a key without a policy of its own:
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
const defaultKeyPolicy = `{"Id":"key-default-1","Statement":[{"Action":"kms:*","Effect":"Allow",` +
	`"Principal":{"AWS":"arn:aws:iam::` + AccountID + `:root"},"Resource":"*","Sid":"Enable IAM User Permissions"}],"Version":"2012-10-17"}`

func checkKey(in Props) []Failure {
	failures := between(in, "deletionWindowInDays", 7, 30)
	failures = append(failures, between(in, "rotationPeriodInDays", 90, 2560)...)
	if in.Has("rotationPeriodInDays") && in["enableKeyRotation"] == false {
		failures = append(failures, Failure{Property: "rotationPeriodInDays", Reason: `needs "enableKeyRotation"`})
	}
	if description := in.String("description"); len(description) > 8192 {
		failures = append(failures, Failure{Property: "description", Reason: fmt.Sprintf("has %d characters, AWS takes at most 8192", len(description))})
	}
	// The simulated KMS encrypts and decrypts, and nothing else.
	failures = append(failures, onlyModelled(in, "customerMasterKeySpec", "SYMMETRIC_DEFAULT")...)
	return append(failures, onlyModelled(in, "keyUsage", "ENCRYPT_DECRYPT")...)
}

// onlyModelled refuses values that AWS takes and the account does not model.
func onlyModelled(in Props, property string, modelled ...string) []Failure {
	value, ok := in[property].(string)
	if !ok || slices.Contains(modelled, value) {
		return nil
	}
	return []Failure{{Property: property, Reason: fmt.Sprintf("%q is not modelled by the simulated AWS account: use one of %q", value, modelled)}}
}

func createKey(v *view, o *Object) error {
	o.ID = uuid()
	o.Outputs["keyId"] = o.ID
	o.Outputs["arn"] = arn("kms", o.Region, "key/"+o.ID)
	o.Outputs["multiRegion"] = false
	o.Outputs["description"] = o.in().String("description")
	o.Outputs["policy"] = o.in().StringOr("policy", defaultKeyPolicy)
	setRotation(o)
	return v.checkKeyPolicy(o)
}

func updateKey(v *view, old, o *Object) error {
	setRotation(o)
	if o.out().String("policy") == old.out().String("policy") {
		return nil
	}
	return v.checkKeyPolicy(o)
}

// setRotation completes the rotation period, which exists only while the key
// rotates.
func setRotation(o *Object) {
	if !o.in().Bool("enableKeyRotation", false) {
		delete(o.Outputs, "rotationPeriodInDays")
		return
	}
	if o.Outputs["rotationPeriodInDays"] == nil {
		o.Outputs["rotationPeriodInDays"] = float64(defaultRotationPeriod)
	}
}

// checkKeyPolicy reads the key's policy and refuses one with which the caller
// could not change it again. Conditions are not evaluated: a statement with
// conditions counts.
func (v *view) checkKeyPolicy(o *Object) error {
	text := o.out().String("policy")
	if len(text) > keyPolicySizeLimit {
		return refuse("LimitExceededException", "the key policy has %d bytes, KMS takes at most %d", len(text), keyPolicySizeLimit)
	}
	statements, err := v.policyStatements(text, keyPolicy)
	if err != nil {
		return err
	}
	if o.in().Bool("bypassPolicyLockoutSafetyCheck", false) {
		return nil
	}
	mayPut := func(s policyStatement) bool {
		return slices.ContainsFunc(s.principals["AWS"], v.includesCaller) &&
			slices.ContainsFunc(s.actions, func(pattern string) bool { return wildcard(pattern, "kms:PutKeyPolicy") }) &&
			slices.ContainsFunc(s.resources, func(pattern string) bool { return wildcard(pattern, o.out().String("arn")) })
	}
	allowed, denied := false, false
	for _, s := range statements {
		if mayPut(s) {
			allowed, denied = allowed || s.allow, denied || !s.allow
		}
	}
	if !allowed || denied {
		return refuse("MalformedPolicyDocumentException",
			"the new key policy will not allow you to update the key policy in the future: let %s or the account's root call kms:PutKeyPolicy", v.actor())
	}
	return nil
}

// actor is the principal that acts. An update knows none: it is the operator's.
func (v *view) actor() string {
	if v.caller == "" {
		return OperatorARN
	}
	return v.caller
}

// includesCaller says whether a principal of a policy stands for who acts. The
// account's root stands for everyone in it whose own policies allow it.
func (v *view) includesCaller(principal string) bool {
	switch principal {
	case "*", AccountID, "arn:aws:iam::" + AccountID + ":root", v.actor():
		return true
	}
	return false
}

// removeKey takes the key's aliases with it. AWS schedules the deletion and
// does the same at its end.
func removeKey(v *view, o *Object) error {
	for _, alias := range v.all(typeKeyAlias, func(other *Object) bool { return other.out().String("targetKeyArn") == o.out().String("arn") }) {
		v.del(alias.Type, alias.ID)
	}
	return nil
}

// keyOf returns the key that something refers to by its ID or ARN, or nil.
// What a service answers to a key that does not exist differs from service to
// service.
func (v *view) keyOf(reference, region string) *Object {
	id := reference
	if rest, ok := strings.CutPrefix(reference, arn("kms", region, "key/")); ok {
		id = rest
	}
	key := v.get(typeKey, id)
	if key == nil || key.Region != region {
		return nil
	}
	return key
}

// keyAllowsService says whether a key's policy names a service as a principal.
func (v *view) keyAllowsService(key *Object, services ...string) bool {
	statements, err := v.policyStatements(key.out().String("policy"), keyPolicy)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(statements, func(s policyStatement) bool {
		return s.allow && (slices.Contains(s.principals["AWS"], "*") ||
			slices.ContainsFunc(services, func(service string) bool { return slices.Contains(s.principals["Service"], service) }))
	})
}
