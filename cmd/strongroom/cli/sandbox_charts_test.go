package cli

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
)

// Proves what a person and a machine are told of charts that are there, fetched and
// missing, and that missing ones make it fail.
func TestSandboxCharts(t *testing.T) {
	f := newFixture(t)
	vault := charts.Pin{Name: "vault", Version: "0.34.1", Source: "https://helm.example.com"}
	runner := charts.Pin{Name: "gitlab-runner", Version: "0.89.1", Source: "https://charts.example.com"}
	f.box.charts = []charts.Fetched{
		{Chart: vault, Already: true, Bytes: 1, Done: 1, Total: 2},
		{Chart: runner, Begun: true, Done: 1, Total: 2},
		{Chart: runner, Bytes: 1025, CheckedAgainst: "the repository's index", Done: 2, Total: 2},
	}
	require.Equal(t, exitOK, f.call("sandbox", "charts"), f.err.String())
	for _, want := range []string{
		"charts: waiting, another run fetches them",
		"charts: fetched gitlab-runner 0.89.1 from charts.example.com (2 kB, checked against the repository's index)",
		"charts: all 2 charts are in " + f.box.ChartsDir() + "; 1 of them were there already",
	} {
		require.Contains(t, f.err.String()+f.out.String(), want)
	}

	failed := charts.Fetched{Chart: runner, Err: errors.New("no such host"), Done: 2, Total: 2}
	f.box.charts[2] = failed
	f.box.fails["charts"] = &charts.MissingError{Total: 2, Missing: []charts.Fetched{failed}}
	require.Equal(t, exitFailure, f.call("sandbox", "charts"))
	said := f.err.String() + f.out.String()
	require.Contains(t, said, "1 of 2 charts could not be fetched:\n  chart gitlab-runner 0.89.1: host charts.example.com: no such host\n")
	require.Contains(t, said, "the sandbox goes on with stubs for these")
	require.NotContains(t, said, "charts: all")

	require.Equal(t, exitFailure, f.call("sandbox", "charts", "--json"))
	var states []any
	for _, line := range jsonLines(t, f.out.String()) {
		if line["kind"] == "chart" {
			states = append(states, line["state"])
		}
	}
	require.Equal(t, []any{"there", "fetching", "failed"}, states)

	require.Equal(t, exitUsage, f.call("sandbox", "charts", "vault"))
}

// Proves that up refuses a damaged chart before anything is started.
func TestSandboxUpRefusesDamagedCharts(t *testing.T) {
	f := newFixture(t)
	f.box.fails["check charts"] = &charts.DamagedError{Chart: charts.Pin{Name: "vault", Version: "0.34.1"}, Path: "/mirror/vault.tgz"}
	require.Equal(t, exitFailure, f.call("sandbox", "up"))
	require.Contains(t, f.err.String(), "chart vault 0.34.1: /mirror/vault.tgz is not what was fetched")
	require.Contains(t, f.err.String(), "run `make charts`")
	require.NotContains(t, f.engine.all(), "start")
}
