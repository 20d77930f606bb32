// Package stacks_test runs whole stacks, from their Pulumi.<stack>.yaml to their
// graph of resources, against a simulated engine. What it does not prove: that AWS
// takes the inputs, and the order of things in time. See tests/sandbox for those.
package stacks_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/stacks"
)

const projectDir = "../.."

// settings reads Pulumi.<stack>.yaml in dir with Pulumi's own reader and returns
// what the engine hands to the program.
func settings(t testing.TB, dir, stack string) map[string]string {
	t.Helper()
	project, err := workspace.LoadProject(filepath.Join(projectDir, "Pulumi.yaml"))
	require.NoError(t, err)
	file := filepath.Join(dir, "Pulumi."+stack+".yaml")
	require.FileExists(t, file)
	loaded, err := workspace.LoadProjectStack(nil, project, file)
	require.NoError(t, err)
	plain, err := loaded.Config.Decrypt(config.NopDecrypter)
	require.NoError(t, err)
	values := map[string]string{}
	for key, value := range plain {
		values[key.String()] = value
	}
	return values
}

// environment is a tooling stack and the application stack that joins it.
type environment struct {
	dir                  string
	tooling, application string
	// change is applied to the settings of both stacks.
	change func(map[string]string)
}

// production is the environment that the repository's own files describe.
func production() environment {
	return environment{dir: projectDir, tooling: "tooling", application: "application"}
}

func (e environment) run(t testing.TB, stack string, unknown bool, outputs map[string]resource.PropertyMap) *pulumitest.Graph {
	t.Helper()
	g, err := e.tryRun(t, stack, unknown, outputs)
	require.NoError(t, err)
	return g
}

func (e environment) tryRun(
	t testing.TB, stack string, unknown bool, outputs map[string]resource.PropertyMap,
) (*pulumitest.Graph, error) {
	t.Helper()
	values := settings(t, e.dir, stack)
	if e.change != nil {
		e.change(values)
	}
	return pulumitest.RunErr(stacks.Run, pulumitest.Options{
		Stack: stack, Config: values, StackOutputs: outputs, Unknown: unknown,
	})
}

// up runs both stacks with known outputs.
func (e environment) up(t testing.TB) (tooling, application *pulumitest.Graph) {
	t.Helper()
	tooling = e.run(t, e.tooling, false, nil)
	return tooling, e.run(t, e.application, false, e.outputs(tooling))
}

// preview runs both stacks with unknown outputs: the preview of an empty account,
// but for the tooling stack, which is up before application is previewed.
func (e environment) preview(t testing.TB) (tooling, application *pulumitest.Graph) {
	t.Helper()
	up := e.run(t, e.tooling, false, nil)
	return e.run(t, e.tooling, true, nil), e.run(t, e.application, true, e.outputs(up))
}

func (e environment) outputs(tooling *pulumitest.Graph) map[string]resource.PropertyMap {
	return map[string]resource.PropertyMap{"organization/strongroom/" + e.tooling: tooling.Outputs}
}

// write makes Pulumi.<stack>.yaml in a new folder out of one of the repository's.
func writeStackFile(t testing.TB, dir, stack, from string, edit func(string) string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(projectDir, "Pulumi."+from+".yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi."+stack+".yaml"), []byte(edit(string(text))), 0o600))
}
