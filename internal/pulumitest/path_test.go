package pulumitest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSplitPath(t *testing.T) {
	for path, want := range map[string][]string{
		"":                   nil,
		"name":               {"name"},
		"tags.Name":          {"tags", "Name"},
		`tags["a.b"]`:        {"tags", "a.b"},
		`tags["a.b"].c`:      {"tags", "a.b", "c"},
		`["a.b"].c`:          {"a.b", "c"},
		"name[0]":            {"name", "0"},
		"rules[0].id":        {"rules", "0", "id"},
		"rules.0.id":         {"rules", "0", "id"},
		"grid[0][12]":        {"grid", "0", "12"},
		`rules[0]["a.b"][1]`: {"rules", "0", "a.b", "1"},
		"name[0":             {"name", "[0"},
		`name["a`:            {"name", `["a`},
	} {
		require.Equal(t, want, splitPath(path), path)
	}
}

// It ends, whatever the path is.
func TestSplitPathEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.StringOf(rapid.SampledFrom([]rune(`a0.[]"`))).Draw(t, "path")
		require.LessOrEqual(t, len(splitPath(path)), len(path))
	})
}
