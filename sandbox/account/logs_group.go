package account

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/logs/group.go
var _ = register(typeLogGroup, rules{
	name:     &autoname{property: "name", max: 512},
	defaults: map[string]any{"retentionInDays": 0.0, "skipDestroy": false},
	forceNew: []string{"logGroupClass", "name", "namePrefix"},
	computed: []string{"logGroupClass", "name"},
	// A group that outlives its resource would be left in the account.
	unmodelled: []string{"namePrefix", "skipDestroy"},
	check:      checkLogGroup,
	create:     createLogGroup,
	update:     func(v *view, _, o *Object) error { return v.checkLogGroupKey(o) },
})

// retentions are the days that CloudWatch Logs takes; 0 keeps logs for ever:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int{
	0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// The length is checked beside the form: {1,512} compiles to 512 copies, in every
// process that starts.
var logGroupForm = regexp.MustCompile(`^[\w./#-]+$`)

func checkLogGroup(in Props) []Failure {
	failures := oneOf(in, "logGroupClass", "STANDARD", "INFREQUENT_ACCESS", "DELIVERY")
	if name, ok := in["name"].(string); ok && (!logGroupForm.MatchString(name) || len(name) > 512) {
		failures = append(failures, Failure{Property: "name", Reason: fmt.Sprintf("%q must have 1 to 512 letters, digits and characters of ._/#-", name)})
	}
	if days, ok := in["retentionInDays"].(float64); ok && !slices.Contains(retentions, int(days)) {
		failures = append(failures, Failure{Property: "retentionInDays", Reason: fmt.Sprintf("%d is not allowed: expected one of %v", int(days), retentions)})
	}
	if key, ok := in["kmsKeyId"].(string); ok && !strings.HasPrefix(key, "arn:aws:kms:") {
		failures = append(failures, Failure{Property: "kmsKeyId", Reason: fmt.Sprintf("%q is not the ARN of a key", key)})
	}
	return failures
}

func createLogGroup(v *view, o *Object) error {
	o.ID = o.in().String("name")
	if other := v.get(typeLogGroup, o.ID); other != nil && other.Region == o.Region {
		return refuse("ResourceAlreadyExistsException", "the specified log group already exists: %s", o.ID)
	}
	o.Outputs["arn"] = arn("logs", o.Region, "log-group:"+o.ID)
	o.Outputs["logGroupClass"] = o.in().StringOr("logGroupClass", "STANDARD")
	return v.checkLogGroupKey(o)
}

// checkLogGroupKey checks that the group's key exists and lets CloudWatch Logs
// use it: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
func (v *view) checkLogGroupKey(o *Object) error {
	reference := o.in().String("kmsKeyId")
	if reference == "" {
		return nil
	}
	key := v.keyOf(reference, o.Region)
	service := "logs." + o.Region + ".amazonaws.com"
	if key == nil || !v.keyAllowsService(key, service, "logs.amazonaws.com") {
		return missingReference("InvalidParameterException",
			"the specified KMS key %q does not exist or is not allowed to be used with %s: its policy must let %s use it", reference, o.Outputs["arn"], service)
	}
	return nil
}
