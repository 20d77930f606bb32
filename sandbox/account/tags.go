package account

import (
	"fmt"
	"strings"
)

// checkTags holds tags to the limits of
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
func checkTags(v any) []Failure {
	tags, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	var failures []Failure
	if len(tags) > 50 {
		failures = append(failures, Failure{Property: "tags", Reason: fmt.Sprintf("there are %d tags, AWS takes at most 50", len(tags))})
	}
	for _, key := range sorted(tags) {
		path := "tags." + key
		if key == "" || len(key) > 128 {
			failures = append(failures, Failure{Property: path, Reason: "a tag's key must have 1 to 128 characters"})
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			failures = append(failures, Failure{Property: path, Reason: `a tag's key must not start with "aws:", that is AWS's own`})
		}
		if value, ok := tags[key].(string); ok && len(value) > 256 {
			failures = append(failures, Failure{Property: path, Reason: "a tag's value must have at most 256 characters"})
		}
	}
	return failures
}
