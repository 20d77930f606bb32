// Package tags holds the AWS tags that every taggable resource carries.
package tags

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Limits of AWS, see
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html#id_tags_naming_best_practices.
// One of the 50 places is kept for Name.
const (
	maxTags  = 49
	maxKey   = 128
	maxValue = 256
)

// Tags are AWS tags by key. The zero value has none and is ready to use.
type Tags map[string]string

// With returns a copy in which key has value.
func (t Tags) With(key, value string) Tags {
	out := make(Tags, len(t)+1)
	for k, v := range t {
		out[k] = v
	}
	out[key] = value
	return out
}

// Merge returns a copy with the tags of other added; where both have a key,
// other wins.
func (t Tags) Merge(other Tags) Tags {
	out := make(Tags, len(t)+len(other))
	for k, v := range t {
		out[k] = v
	}
	for k, v := range other {
		out[k] = v
	}
	return out
}

// Map returns the tags as a resource input.
func (t Tags) Map() pulumi.StringMap {
	out := make(pulumi.StringMap, len(t))
	for k, v := range t {
		out[k] = pulumi.String(v)
	}
	return out
}

// Named returns the tags with Name set to name, which is what the AWS console
// shows for resources that have no name of their own.
func (t Tags) Named(name string) pulumi.StringMap {
	return t.With("Name", name).Map()
}

// Validate reports the first tag, in order of the keys, that AWS would refuse.
func (t Tags) Validate() error {
	if len(t) > maxTags {
		return fmt.Errorf("tags: %d given, at most %d are possible (AWS allows 50, one is kept for %q)", len(t), maxTags, "Name")
	}
	keys := make([]string, 0, len(t))
	for k := range t {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		switch {
		case k == "":
			return fmt.Errorf("tags: the key of value %q is empty: give it one or leave it out", t[k])
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return fmt.Errorf("tags: key %q starts with %q, which AWS keeps for itself: use another prefix", k, "aws:")
		case utf8.RuneCountInString(k) > maxKey:
			return fmt.Errorf("tags: key %q has more than %d characters", k, maxKey)
		case utf8.RuneCountInString(t[k]) > maxValue:
			return fmt.Errorf("tags: the value of %q has more than %d characters", k, maxValue)
		}
	}
	return nil
}
