package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
)

// Proves the order of the stacks, whatever the order of the names, and that a
// destroy goes the other way round.
func TestOrderOfStacks(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"preview of all":     {[]string{"preview"}, []string{"preview tooling", "preview application"}},
		"up of all":          {[]string{"up", "--yes"}, []string{"up tooling", "up application"}},
		"named":              {[]string{"up", "--yes", "application", "tooling"}, []string{"up tooling", "up application"}},
		"refresh of one":     {[]string{"refresh", "application"}, []string{"refresh application"}},
		"destroy of all":     {[]string{"destroy", "--yes"}, []string{"destroy application", "destroy tooling"}},
		"destroy both named": {[]string{"destroy", "-y", "tooling", "application"}, []string{"destroy application", "destroy tooling"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			require.Equal(t, exitOK, f.call(tt.args...), f.err.String())
			require.Equal(t, tt.want, f.engine.all())
			require.Contains(t, f.out.String(), "on AWS with your own credentials")
		})
	}
}

// Proves that the sandbox is chosen by the flag and by the variable, that it is
// locked for what changes it, and that it never asks.
func TestSandboxTarget(t *testing.T) {
	f := newFixture(t)
	t.Setenv("STRONGROOM_TEST_FOREIGN", "of the cloud")
	require.Equal(t, exitOK, f.call("up", "--sandbox", "tooling"), f.err.String())
	require.Equal(t, []string{"lock", "start", "project", "up tooling", "unlock"}, f.engine.all())
	require.Contains(t, f.out.String(), "AWS is simulated")
	require.Equal(t, f.box.dir, f.engine.target.Env[dirVariable])
	require.NotEmpty(t, f.engine.target.LockWait)
	_, set := os.LookupEnv("STRONGROOM_TEST_FOREIGN")
	require.False(t, set, "the engine would inherit it")

	f = newFixture(t)
	f.env[dirVariable] = "/srv/sandbox"
	require.Equal(t, exitOK, f.call("preview", "tooling"), f.err.String())
	require.Equal(t, []string{"start", "project", "preview tooling"}, f.engine.all())

	f = newFixture(t)
	f.env[dirVariable] = "/srv/sandbox"
	require.Equal(t, exitOK, f.call("preview", "--sandbox=false", "tooling"), f.err.String())
	require.Equal(t, []string{"preview tooling"}, f.engine.all())
}

func TestSandboxWithoutTools(t *testing.T) {
	f := newFixture(t)
	f.box.dir = t.TempDir()
	require.Equal(t, exitFailure, f.call("preview", "--sandbox"))
	require.Contains(t, f.err.String(), "has no tools yet: run `make up`")
	require.Empty(t, f.engine.all())
}

// Proves that a failure ends the run: nothing comes up on top of it.
func TestFailureStopsTheRest(t *testing.T) {
	f := newFixture(t)
	f.engine.fails["up tooling"] = &deploy.Failure{Stack: "tooling", Phase: deploy.PhaseUp, Cause: errors.New("quota exceeded")}
	require.Equal(t, exitFailure, f.call("up", "--yes"))
	require.Equal(t, []string{"up tooling"}, f.engine.all())
	require.Contains(t, f.err.String(), `strongroom: up of stack "tooling" failed: quota exceeded`)
}

func TestExpectNoChanges(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitFailure, f.call("preview", "--expect-no-changes"))
	require.Contains(t, f.err.String(), "expected no changes, and 4 resources would be changed")
	f.engine.changes = map[string]int{"same": 96}
	require.Equal(t, exitOK, f.call("preview", "--expect-no-changes"), f.err.String())
	require.Contains(t, f.out.String(), "tooling: preview: 96 unchanged in 3 s")
}

func TestOptions(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("up", "--yes", "tooling", "--refresh", "-m", "why",
		"--adopt", "urn:a=vpc-1", "--adopt", "urn:b=x=y", "--forget", "urn:c"), f.err.String())
	require.True(t, f.engine.options.Refresh)
	require.Equal(t, "why", f.engine.options.Message)
	require.Equal(t, map[string]string{"urn:a": "vpc-1", "urn:b": "x=y"}, f.engine.options.Adopt)
	require.Equal(t, []string{"urn:c"}, f.engine.options.Forget)
}

// Proves that on a terminal each stack is shown and asked for, and that another
// answer than the one asked for does nothing.
func TestConsent(t *testing.T) {
	for name, tt := range map[string]struct {
		args   []string
		answer string
		code   int
		want   []string
	}{
		"up, yes":             {[]string{"up", "tooling"}, "yes\n", exitOK, []string{"preview tooling", "up tooling"}},
		"up, y is not yes":    {[]string{"up", "tooling"}, "y\n", exitFailure, []string{"preview tooling"}},
		"up, nobody there":    {[]string{"up", "tooling"}, "", exitFailure, []string{"preview tooling"}},
		"destroy, its name":   {[]string{"destroy", "tooling"}, "tooling\n", exitOK, []string{"destroy tooling"}},
		"destroy, yes is not": {[]string{"destroy", "tooling"}, "yes\n", exitFailure, nil},
		"JSON cannot ask":     {[]string{"up", "--json"}, "yes\n", exitUsage, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.asks, f.in = true, strings.NewReader(tt.answer)
			require.Equal(t, tt.code, f.call(tt.args...), f.err.String())
			require.Equal(t, tt.want, f.engine.all())
			if tt.code == exitFailure {
				require.Contains(t, f.err.String(), "nothing was done")
			}
		})
	}
}

// Proves that nobody is asked about nothing.
func TestNoConsentForNoChange(t *testing.T) {
	f := newFixture(t)
	f.asks, f.engine.changes = true, map[string]int{"same": 3}
	require.Equal(t, exitOK, f.call("up", "tooling"), f.err.String())
	require.Equal(t, []string{"preview tooling", "up tooling"}, f.engine.all())
}

// Proves that --json prints nothing but JSON, one object per line, that the last
// one is the result, and that no secret is in it.
func TestJSON(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("up", "--yes", "--json"), f.err.String())
	lines := jsonLines(t, f.out.String())
	last := lines[len(lines)-1]
	require.Equal(t, "result", last["kind"])
	require.Equal(t, true, last["ok"])
	require.Equal(t, false, last["sandbox"])
	require.Len(t, last["stacks"], 2)
	require.NotContains(t, f.out.String(), "hunter2")
	require.Contains(t, f.out.String(), "[secret]")
	require.Empty(t, f.err.String())

	f.engine.fails["up tooling"] = errors.New("quota exceeded")
	require.Equal(t, exitFailure, f.call("up", "--yes", "--json"))
	lines = jsonLines(t, f.out.String())
	last = lines[len(lines)-1]
	require.Equal(t, false, last["ok"])
	require.Equal(t, "quota exceeded", last["error"])
}

func jsonLines(t *testing.T, text string) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		object := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(line), &object), line)
		require.NotEmpty(t, object["kind"], line)
		lines = append(lines, object)
	}
	return lines
}

// Proves what ^C does: the first cancels, the second aborts, the third ends the
// process.
func TestInterrupt(t *testing.T) {
	f := newFixture(t)
	f.engine.during = func(ctx context.Context, _ string) error {
		f.signals <- os.Interrupt
		<-ctx.Done()
		return &deploy.Failure{Stack: "tooling", Phase: deploy.PhaseUp, Cancelled: true}
	}
	require.Equal(t, exitInterrupted, f.call("up", "--yes"))
	require.Equal(t, []string{"up tooling"}, f.engine.all())
	require.Contains(t, f.out.String(), "^C again stops at once")
	require.Contains(t, f.err.String(), "was cancelled; run it again to finish")
	select {
	case <-f.abort:
		t.Fatal("one ^C must not abort")
	default:
	}

	f = newFixture(t)
	ended := make(chan struct{})
	f.exit = func(code int) {
		f.exits = append(f.exits, code)
		close(ended)
	}
	f.engine.during = func(ctx context.Context, _ string) error {
		f.signals <- os.Interrupt
		<-ctx.Done()
		f.signals <- os.Interrupt
		<-f.engine.target.Abort
		f.signals <- os.Interrupt
		<-ended
		return ctx.Err()
	}
	require.Equal(t, exitInterrupted, f.call("up", "--yes"))
	require.Equal(t, []int{exitInterrupted}, f.exits)
}

func TestOutputs(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("outputs"), f.err.String())
	require.Contains(t, f.out.String(), "tooling\n")
	require.Contains(t, f.out.String(), `  contract         {"version":1}`)
	require.Contains(t, f.out.String(), "[secret]")
	require.NotContains(t, f.out.String(), "hunter2")

	require.Equal(t, exitOK, f.call("outputs", "tooling", "--only", "clusterEndpoint"), f.err.String())
	require.Equal(t, "https://127.0.0.1:20001\n", f.out.String())

	require.Equal(t, exitFailure, f.call("outputs", "tooling", "--only", "password"))
	require.Contains(t, f.err.String(), "is secret: give --show-secrets")
	require.Equal(t, exitOK, f.call("outputs", "tooling", "--only", "password", "--show-secrets"))
	require.Equal(t, "hunter2-tooling\n", f.out.String())

	require.Equal(t, exitFailure, f.call("outputs", "tooling", "--only", "vpc"))
	require.Contains(t, f.err.String(), `has no output "vpc": it has clusterEndpoint, contract, kubeconfig, password, region`)

	require.Equal(t, exitOK, f.call("outputs", "--json", "--sandbox"), f.err.String())
	var all map[string]deploy.Outputs
	require.NoError(t, json.Unmarshal(f.out.Bytes(), &all))
	require.Equal(t, "[secret]", all["application"]["password"].Value)

	f.engine.fails["outputs tooling"] = deploy.ErrNoStack
	require.Equal(t, exitFailure, f.call("outputs", "tooling"))
}
