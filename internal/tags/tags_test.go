package tags_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/tags"
)

func TestTagsAreCopied(t *testing.T) {
	base := tags.Tags{"environment": "staging"}
	require.Equal(t, tags.Tags{"environment": "staging", "team": "platform"}, base.With("team", "platform"))
	require.Equal(t, tags.Tags{"environment": "prod", "a": "b"}, base.Merge(tags.Tags{"environment": "prod", "a": "b"}))
	named := base.Named("vpc")
	require.Equal(t, pulumi.StringMap{"environment": pulumi.String("staging"), "Name": pulumi.String("vpc")}, named)
	require.Equal(t, tags.Tags{"environment": "staging"}, base, "the base must stay as it was")
	require.Equal(t, pulumi.StringMap{"environment": pulumi.String("staging")}, base.Map())
	require.Equal(t, tags.Tags{"k": "v"}, tags.Tags(nil).With("k", "v"), "the zero value works")
}

func TestValidate(t *testing.T) {
	many := tags.Tags{}
	for i := range 50 {
		many[fmt.Sprintf("key-%d", i)] = "v"
	}
	cases := map[string]struct {
		tags tags.Tags
		want string
	}{
		"none":         {nil, ""},
		"usual":        {tags.Tags{"strongroom:stack": "tooling", "owner": "platform@example.org"}, ""},
		"limits":       {tags.Tags{strings.Repeat("k", 128): strings.Repeat("é", 256)}, ""},
		"empty key":    {tags.Tags{"": "v"}, `tags: the key of value "v" is empty`},
		"reserved":     {tags.Tags{"AWS:team": "v"}, `tags: key "AWS:team" starts with "aws:"`},
		"long key":     {tags.Tags{strings.Repeat("k", 129): "v"}, "has more than 128 characters"},
		"long value":   {tags.Tags{"k": strings.Repeat("v", 257)}, `tags: the value of "k" has more than 256 characters`},
		"too many":     {many, "tags: 50 given, at most 49 are possible"},
		"first sorted": {tags.Tags{"aws:b": "", "aws:a": ""}, `tags: key "aws:a"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := c.tags.Validate()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}
