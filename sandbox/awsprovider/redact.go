package awsprovider

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// shortestSecret is the length from which a secret is looked for in messages. Shorter
// ones protect nothing, and taking them out would leave the message unreadable.
const shortestSecret = 4

// withoutSecrets takes the text of secret inputs out of a message: the account quotes
// what it refuses.
func withoutSecrets(message string, inputs ...resource.PropertyMap) string {
	var texts []string
	for _, m := range inputs {
		texts = secretTexts(texts, resource.NewProperty(m), false)
	}
	// The longest first: one secret may be a part of another.
	slices.SortFunc(texts, func(a, b string) int { return len(b) - len(a) })
	for _, text := range texts {
		message = strings.ReplaceAll(message, text, "[secret]")
	}
	return message
}

func secretTexts(texts []string, v resource.PropertyValue, secret bool) []string {
	switch {
	case v.IsSecret():
		return secretTexts(texts, v.SecretValue().Element, true)
	case v.IsOutput():
		return secretTexts(texts, v.OutputValue().Element, secret || v.OutputValue().Secret)
	case v.IsArray():
		for _, item := range v.ArrayValue() {
			texts = secretTexts(texts, item, secret)
		}
	case v.IsObject():
		for _, item := range v.ObjectValue() {
			texts = secretTexts(texts, item, secret)
		}
	case secret && v.IsString() && len(v.StringValue()) >= shortestSecret:
		return append(texts, v.StringValue())
	}
	return texts
}
