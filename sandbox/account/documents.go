package account

import (
	"encoding/json"
	"fmt"
)

// checkDocument checks that a property is the text of a JSON object.
func checkDocument(path string, v any) []Failure {
	text, ok := v.(string)
	if !ok {
		if v == nil || hasUnknown(v) {
			return nil
		}
		return []Failure{{Property: path, Reason: "expected a JSON document"}}
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return []Failure{{Property: path, Reason: fmt.Sprintf("is not a JSON object: %v", err)}}
	}
	return nil
}
