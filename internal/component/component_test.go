package component_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/component"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

type thing struct{ pulumi.ResourceState }

func TestRegisterRecordsTheInputs(t *testing.T) {
	g := pulumitest.RunBoth(t, func(ctx *pulumi.Context) error {
		outer, inner := &thing{}, &thing{}
		if err := component.Register(ctx, "strongroom:test:Thing", "outer", pulumi.Map{"size": pulumi.Int(3)}, outer); err != nil {
			return err
		}
		return component.Register(ctx, "strongroom:test:Thing", "outer-inner", nil, inner, component.Child(outer)...)
	}, pulumitest.Options{})
	outer := g.Get(t, "strongroom:test:Thing", "outer")
	require.Equal(t, float64(3), outer.Get("size"))
	require.True(t, outer.Component())
	require.Equal(t, outer, g.ParentOf(g.Get(t, "strongroom:test:Thing", "outer-inner")))
}

func TestRegisterRefusesBadTokensAndNames(t *testing.T) {
	cases := map[string]struct{ token, name, want string }{
		"no package": {"strongroom:Thing", "a", `component "a": type token "strongroom:Thing" is not of the form`},
		"foreign":    {"aws:test:Thing", "a", "is not of the form"},
		"lower case": {"strongroom:test:thing", "a", "is not of the form"},
		"no name":    {"strongroom:test:Thing", "", "the name is empty"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
				return component.Register(ctx, c.token, c.name, nil, &thing{})
			}, pulumitest.Options{})
			require.ErrorContains(t, err, c.want)
			require.Empty(t, g.Resources)
		})
	}
}

func TestChildReturnsASliceOfItsOwn(t *testing.T) {
	parent := &thing{}
	base := component.Child(parent)
	_ = append(base, pulumi.Protect(true))
	require.Len(t, base, 1)
	require.Len(t, component.Child(parent, pulumi.Protect(true), pulumi.RetainOnDelete(true)), 3)
}
