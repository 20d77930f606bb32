package runtimeinfo_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

func TestExamplesAreComplete(t *testing.T) {
	for _, cluster := range runtimeinfo.Clusters() {
		require.NoError(t, runtimeinfo.Check(cluster, runtimeinfo.Examples(cluster)))
	}
}

// Leaving out any key is an error that names it.
func TestEveryKeyIsNeeded(t *testing.T) {
	for _, cluster := range runtimeinfo.Clusters() {
		for _, key := range runtimeinfo.For(cluster) {
			values := runtimeinfo.Examples(cluster)
			delete(values, key.Name)
			require.ErrorContains(t, runtimeinfo.Check(cluster, values), `key "`+key.Name+`"`)
		}
	}
}

func TestUnknownIsRefused(t *testing.T) {
	values := runtimeinfo.Examples(runtimeinfo.Application)
	values["vault_peers"] = "x"
	require.EqualError(t, runtimeinfo.Check(runtimeinfo.Application, values),
		`runtime info: key "vault_peers" is unknown to cluster "application": add it to internal/runtimeinfo, or leave it out`)
	require.EqualError(t, runtimeinfo.Check("staging", values),
		`runtime info: there is no cluster "staging" in gitops/clusters: use one of tooling, application`)
}

// What CheckValue lets through is a value that a YAML reader gets back as text or as
// the one thing that the same text is everywhere: nothing breaks out of its line.
func TestAcceptedValuesStayOneValue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringMatching(`[A-Za-z0-9 ._:/@+#'"\n-]{1,20}`).Draw(rt, "value")
		if runtimeinfo.CheckValue("k", value) != nil {
			return
		}
		var quoted map[string]string
		if err := yaml.Unmarshal([]byte(`k: "`+value+`"`), &quoted); err != nil || quoted["k"] != value {
			rt.Fatalf("%q became %q, %v", value, quoted["k"], err)
		}
		var bare map[string]any
		if err := yaml.Unmarshal([]byte("k: "+value), &bare); err != nil || len(bare) != 1 {
			rt.Fatalf("%q became %v, %v", value, bare, err)
		}
	})
}
