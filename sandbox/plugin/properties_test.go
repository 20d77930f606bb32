package plugin

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// value draws a property value with secrets and unknowns at any depth.
func value(depth int) *rapid.Generator[resource.PropertyValue] {
	leaves := []*rapid.Generator[resource.PropertyValue]{
		rapid.Map(rapid.StringMatching(`[a-z]{0,6}`), func(s string) resource.PropertyValue { return resource.NewProperty(s) }),
		rapid.Map(rapid.Bool(), func(b bool) resource.PropertyValue { return resource.NewProperty(b) }),
		rapid.Map(rapid.IntRange(-9, 9), func(i int) resource.PropertyValue { return resource.NewProperty(float64(i)) }),
		rapid.Just(resource.NewNullProperty()),
		rapid.Just(resource.MakeComputed(resource.NewProperty(""))),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves,
		rapid.Map(value(depth-1), resource.MakeSecret),
		rapid.Map(rapid.SliceOfN(value(depth-1), 0, 3), func(l []resource.PropertyValue) resource.PropertyValue {
			return resource.NewProperty(l)
		}),
		rapid.Map(object(depth-1), func(m resource.PropertyMap) resource.PropertyValue { return resource.NewProperty(m) }),
	)...)
}

func object(depth int) *rapid.Generator[resource.PropertyMap] {
	return rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-z]{1,4}`), value(depth), 0, 4), func(m map[string]resource.PropertyValue) resource.PropertyMap {
		properties := resource.PropertyMap{}
		for k, v := range m {
			properties[resource.PropertyKey(k)] = v
		}
		return properties
	})
}

func TestMarshalKeepsSecretsAndUnknowns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := object(3).Draw(t, "properties")
		wire, err := Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		after, err := Unmarshal(wire)
		if err != nil {
			t.Fatal(err)
		}
		if !before.DeepEquals(after) || before.ContainsSecrets() != after.ContainsSecrets() {
			t.Fatalf("before %v, after %v", before, after)
		}
		if before.ContainsUnknowns() != after.ContainsUnknowns() {
			t.Fatalf("unknowns lost: before %v, after %v", before, after)
		}
	})
}

func TestMarshalWritesOutputsAsSecretAndUnknown(t *testing.T) {
	wire, err := Marshal(resource.PropertyMap{
		"known":   resource.NewProperty(resource.Output{Element: resource.NewProperty("v"), Known: true, Secret: true, Dependencies: []resource.URN{"u"}}),
		"unknown": resource.NewProperty(resource.Output{Element: resource.NewProperty("")}),
	})
	require.NoError(t, err)
	m, err := Unmarshal(wire)
	require.NoError(t, err)
	require.True(t, m["known"].IsSecret())
	require.Equal(t, "v", m["known"].SecretValue().Element.StringValue())
	require.True(t, m["unknown"].IsComputed())
}

func TestPlain(t *testing.T) {
	plain, known := PlainMap(resource.PropertyMap{
		"secret": resource.MakeSecret(resource.NewProperty("s")),
		"null":   resource.NewNullProperty(),
		"list":   resource.NewProperty([]resource.PropertyValue{resource.NewProperty(1.0)}),
	})
	require.True(t, known)
	require.Equal(t, map[string]any{"secret": "s", "list": []any{1.0}}, plain)
	_, known = PlainMap(resource.PropertyMap{"a": resource.NewProperty(resource.PropertyMap{
		"b": resource.MakeSecret(resource.MakeComputed(resource.NewProperty(""))),
	})})
	require.False(t, known)
}

func TestDiffOfEqualPropertiesIsNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := object(2).Draw(t, "properties")
		if m.ContainsUnknowns() {
			return
		}
		if d := Diff(m, m, func(resource.PropertyPath) bool { return true }); d.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
			t.Fatalf("%v", d)
		}
	})
}

func TestDiff(t *testing.T) {
	nested := func(v resource.PropertyValue) resource.PropertyMap {
		return resource.PropertyMap{"metadata": resource.NewProperty(resource.PropertyMap{"name": v})}
	}
	byName := func(p resource.PropertyPath) bool { return len(p) == 2 && p[1] == "name" }
	for _, c := range []struct {
		name       string
		olds, news resource.PropertyMap
		want       map[string]pulumirpc.PropertyDiff_Kind
	}{
		{"a secret equals its value", nested(resource.MakeSecret(resource.NewProperty("a"))), nested(resource.NewProperty("a")), nil},
		{"a null is absent", resource.PropertyMap{"x": resource.NewNullProperty()}, resource.PropertyMap{}, nil},
		{"changed", nested(resource.NewProperty("a")), nested(resource.NewProperty("b")),
			map[string]pulumirpc.PropertyDiff_Kind{"metadata.name": pulumirpc.PropertyDiff_UPDATE_REPLACE}},
		{"unknown", nested(resource.NewProperty("a")), nested(resource.MakeComputed(resource.NewProperty(""))),
			map[string]pulumirpc.PropertyDiff_Kind{"metadata.name": pulumirpc.PropertyDiff_UPDATE_REPLACE}},
		{"added", resource.PropertyMap{}, resource.PropertyMap{"tags": resource.NewProperty("t")},
			map[string]pulumirpc.PropertyDiff_Kind{"tags": pulumirpc.PropertyDiff_ADD}},
		{"removed", resource.PropertyMap{"tags": resource.NewProperty("t")}, resource.PropertyMap{},
			map[string]pulumirpc.PropertyDiff_Kind{"tags": pulumirpc.PropertyDiff_DELETE}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Diff(c.olds, c.news, byName)
			require.Len(t, d.GetDetailedDiff(), len(c.want))
			for path, kind := range c.want {
				require.Equal(t, kind, d.GetDetailedDiff()[path].GetKind(), path)
			}
		})
	}
}
