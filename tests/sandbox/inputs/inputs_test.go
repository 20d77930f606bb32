// Package inputs_test holds the inputs of every AWS resource that the stacks
// register against the checks of the simulated account: names, ranges, documents,
// properties that exclude each other. It needs no engine and no sandbox. What it
// does not prove: that what the inputs refer to exists.
package inputs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/stacks"
)

const projectDir = "../../.."

// graph runs a stack of the repository against the simulated engine of the unit
// tests.
func graph(t *testing.T, stack string, unknown bool, outputs map[string]resource.PropertyMap) *pulumitest.Graph {
	t.Helper()
	project, err := workspace.LoadProject(filepath.Join(projectDir, "Pulumi.yaml"))
	require.NoError(t, err)
	loaded, err := workspace.LoadProjectStack(nil, project, filepath.Join(projectDir, "Pulumi."+stack+".yaml"))
	require.NoError(t, err)
	plain, err := loaded.Config.Decrypt(config.NopDecrypter)
	require.NoError(t, err)
	values := map[string]string{}
	for key, value := range plain {
		values[key.String()] = value
	}
	return pulumitest.Run(t, stacks.Run, pulumitest.Options{Stack: stack, Config: values, StackOutputs: outputs, Unknown: unknown})
}

func TestAccountTakesTheInputsOfTheStacks(t *testing.T) {
	tooling := map[string]resource.PropertyMap{"organization/strongroom/tooling": graph(t, "tooling", false, nil).Outputs}
	for name, unknown := range map[string]bool{"up": false, "preview of an empty account": true} {
		t.Run("tooling, "+name, func(t *testing.T) { check(t, graph(t, "tooling", unknown, nil)) })
		t.Run("application, "+name, func(t *testing.T) { check(t, graph(t, "application", unknown, tooling)) })
	}
}

// check fails for each input that the account refuses, and for each type that it
// does not know.
func check(t *testing.T, g *pulumitest.Graph) {
	t.Helper()
	checked := 0
	for _, r := range g.Resources {
		if !strings.HasPrefix(r.Type, "aws:") {
			continue
		}
		typ, err := account.Lookup(r.Type)
		if err != nil {
			t.Errorf("%s: %v", r, err)
			continue
		}
		inputs, ok := withUnknown(r.Plain()).(map[string]any)
		require.True(t, ok)
		_, failures := typ.Check(nil, inputs, r.Name, nil)
		for _, failure := range failures {
			t.Errorf("%s: %s: %s", r, failure.Property, failure.Reason)
		}
		checked++
	}
	require.Greater(t, checked, 40, "the stack has lost its AWS resources")
}

// withUnknown turns the unknown values of the unit tests' engine into those of
// the account.
func withUnknown(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = withUnknown(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = withUnknown(item)
		}
		return out
	}
	if v == any(pulumitest.UnknownValue) {
		return account.Unknown{}
	}
	return v
}
