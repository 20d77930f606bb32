package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// exported is what `pulumi stack export` prints of a stack with these outputs.
func exported(outputs string) string {
	return `{"version":3,"deployment":{"resources":[
{"urn":"urn:pulumi:tooling::strongroom::pulumi:pulumi:Stack::strongroom-tooling","type":"pulumi:pulumi:Stack","outputs":` + outputs + `},
{"urn":"urn:pulumi:tooling::strongroom::aws:ec2/vpc:Vpc::vpc","type":"aws:ec2/vpc:Vpc","outputs":{"name":"not this"}}]}}`
}

// engineWith makes a target whose CLI prints these two: the state, and the state with
// its secrets shown. started lists how it was started.
func engineWith(t *testing.T, encrypted, shown string) (target *Target, started func() []string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		return path
	}
	calls := filepath.Join(dir, "calls")
	path := write("pulumi", fmt.Sprintf("#!/bin/sh\necho \"$*\" >> %s\ncase \"$*\" in *--show-secrets*) cat %s;; *) cat %s;; esac\n",
		calls, write("shown", shown, 0o600), write("encrypted", encrypted, 0o600)), 0o700)
	target = &Target{WorkDir: dir, engine: &command{path: path}}
	target.once.Do(func() {})
	write("Pulumi.yaml", "name: strongroom\nruntime: go\n", 0o600)
	return target, func() []string {
		data, err := os.ReadFile(calls)
		require.NoError(t, err)
		return strings.Split(strings.TrimSpace(string(data)), "\n")
	}
}

func TestOutputs(t *testing.T) {
	secret := func(field, text string) string {
		return fmt.Sprintf(`{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270",%q:%q}`, field, text)
	}
	of := func(field, password, pin string) string {
		return exported(fmt.Sprintf(`{"name":"tooling","zones":3,"password":%s,"nested":{"list":[1,%s],"open":true}}`, secret(field, password), secret(field, pin)))
	}
	target, started := engineWith(t, of("ciphertext", "v1:abc", "v1:def"), of("plaintext", `"hunter2"`, "4711"))
	outputs, err := target.Outputs(t.Context(), "tooling")
	require.NoError(t, err)
	require.Equal(t, Outputs{
		"name":     {Value: "tooling"},
		"zones":    {Value: 3.0},
		"password": {Value: "hunter2", Secret: true},
		"nested":   {Value: map[string]any{"list": []any{1.0, 4711.0}, "open": true}, Secret: true},
	}, outputs)
	require.Len(t, started(), 2)
}

// Secrets are not opened where there are none; a stack that was never up has none.
func TestOutputsWithoutSecrets(t *testing.T) {
	for state, want := range map[string]Outputs{
		exported(`{"name":"tooling"}`): {"name": {Value: "tooling"}},
		`{"version":3}`:                {},
	} {
		target, started := engineWith(t, state, "not asked for")
		outputs, err := target.Outputs(t.Context(), "tooling")
		require.NoError(t, err)
		require.Equal(t, want, outputs)
		require.Len(t, started(), 1)
	}
}

func TestOutputsThatCannotBeOpened(t *testing.T) {
	locked := exported(`{"password":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"v1:abc"}}`)
	target, _ := engineWith(t, locked, locked)
	_, err := target.Outputs(t.Context(), "tooling")
	require.ErrorContains(t, err, `read output "password" of stack "tooling"`)
}

// The CLI is not started for a state in a folder, unless it alone understands it.
func TestStateOfAFolder(t *testing.T) {
	of := func(text string) (*Target, func() []string) {
		target, started := engineWith(t, exported(`{"name":"from the CLI"}`), "not asked for")
		target.Backend = "file://" + t.TempDir()
		path := filepath.Join(strings.TrimPrefix(target.Backend, "file://"), ".pulumi", "stacks", "strongroom", "tooling.json")
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		if text != "" {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		}
		return target, started
	}
	resources := `{"resources":[{"urn":"urn:pulumi:tooling::strongroom::pulumi:pulumi:Stack::strongroom-tooling","type":"pulumi:pulumi:Stack","outputs":{"name":"from the file","port":8200}}]}`

	target, _ := of(`{"version":3,"checkpoint":{"stack":"organization/strongroom/tooling","latest":` + resources + `}}`)
	target.engine = nil // it would panic
	outputs, err := target.Outputs(t.Context(), "tooling")
	require.NoError(t, err)
	require.Equal(t, Outputs{"name": {Value: "from the file"}, "port": {Value: 8200.0}}, outputs)
	s, err := target.export(t.Context(), "tooling")
	require.NoError(t, err)
	document, err := json.Marshal(s.document)
	require.NoError(t, err)
	require.JSONEq(t, `{"version":3,"deployment":`+resources+`}`, string(document), "what `stack import` takes")

	for name, text := range map[string]string{
		"none":             "",
		"another version":  `{"version":4,"checkpoint":{"latest":` + resources + `}}`,
		"never brought up": `{"version":3,"checkpoint":{"stack":"organization/strongroom/tooling"}}`,
		"not understood":   "{",
	} {
		target, started := of(text)
		outputs, err := target.Outputs(t.Context(), "tooling")
		require.NoError(t, err, name)
		require.Equal(t, "from the CLI", outputs["name"].Value, name)
		require.Len(t, started(), 1, name)
	}
}
