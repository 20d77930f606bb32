package stacks

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

// Proves that the keys are found where this version of the SDK keeps them, so that
// a key nobody knows is seen. (The engine tests prove it for a real engine.)
func TestConfigValues(t *testing.T) {
	want := map[string]string{"strongroom:region": "eu-west-1", "strongroom:unheard-of": "{}", "other:key": ""}
	pulumitest.Run(t, func(ctx *pulumi.Context) error {
		got, err := configValues(ctx)
		require.NoError(t, err)
		require.Equal(t, want, got)
		return nil
	}, pulumitest.Options{Config: want})
}

// A program with a wrong configuration registers nothing.
func TestRunWithUnknownKey(t *testing.T) {
	keys := values(t, set("networq", "x"))
	g, err := pulumitest.RunErr(Run, pulumitest.Options{Stack: "tooling", Config: keys})
	require.ErrorContains(t, err, `config strongroom:networq: unknown key, did you mean "network"?`)
	require.Empty(t, g.Resources)
}
