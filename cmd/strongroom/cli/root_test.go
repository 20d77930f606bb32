package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// every calls do for each command of ours.
func every(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, sub := range cmd.Commands() {
		every(sub, do)
	}
}

// Proves that the help of every command teaches: what it does, and an example
// that begins with the command itself.
func TestEveryCommandHasAnExample(t *testing.T) {
	count := 0
	every(newFixture(t).root(), func(cmd *cobra.Command) {
		count++
		name := cmd.CommandPath()
		require.NotEmpty(t, cmd.Short, name)
		require.NotEmpty(t, cmd.Long, name)
		require.Contains(t, cmd.Example, "strongroom "+strings.TrimPrefix(strings.TrimPrefix(name, "strongroom"), " "), name)
		require.NotNil(t, cmd.RunE, "%s: it must be able to fail", name)
		for _, line := range strings.Split(cmd.Long+"\n"+cmd.Example, "\n") {
			require.LessOrEqual(t, len(line), 110, "%s: %q", name, line)
		}
	})
	require.Greater(t, count, 15)
}

// Proves that help is printed on demand, without an error.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"sandbox"}, {"help", "sandbox", "up"}, {"sandbox", "up", "--help"}, {"destroy", "-h"}} {
		f := newFixture(t)
		require.Equal(t, exitOK, f.call(args...), args)
		require.Contains(t, f.out.String(), "Examples:", args)
		require.Empty(t, f.err.String(), args)
		require.Empty(t, f.box.all(), args)
	}
}

// Proves that the exit codes are the documented ones and that a command line
// that makes no sense does nothing.
func TestUsageErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"unknown command":        {[]string{"dwon"}, `has no command "dwon"`},
		"near miss":              {[]string{"previev"}, `did you mean "preview"?`},
		"unknown sandbox one":    {[]string{"sandbox", "upp"}, `did you mean "up"?`},
		"unknown flag":           {[]string{"up", "--frobnicate"}, "unknown flag: --frobnicate"},
		"too many arguments":     {[]string{"version", "now"}, "takes no arguments"},
		"unknown stack":          {[]string{"preview", "staging"}, "The stacks here are: application, tooling"},
		"adopt without an ID":    {[]string{"up", "--adopt", "urn:x"}, "expected URN=ID"},
		"only without a stack":   {[]string{"outputs", "--only", "vpcId"}, "name the one stack"},
		"not a project":          {[]string{"preview", "-C", "/"}, "no project in"},
		"two logs":               {[]string{"sandbox", "logs", "a", "b"}, "one log at a time"},
		"follow everything":      {[]string{"sandbox", "logs", "-f"}, "needs the name of a log"},
		"unknown log":            {[]string{"sandbox", "logs", "nothing"}, `there is no log "nothing"`},
		"unknown provider":       {[]string{"sandbox", "plugin", "gcp"}, `there is no provider "gcp"`},
		"no provider":            {[]string{"sandbox", "plugin"}, "name the provider"},
		"AWS without consent":    {[]string{"up"}, "give --yes"},
		"destroy without asking": {[]string{"destroy", "tooling"}, "give --yes"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			require.Equal(t, exitUsage, f.call(tt.args...))
			require.Contains(t, f.err.String(), tt.want)
			require.Contains(t, f.err.String(), "--help")
			require.Empty(t, f.engine.all())
		})
	}
}

func TestVersion(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("version"))
	require.Contains(t, f.out.String(), "strongroom ")
	require.Equal(t, exitOK, f.call("version", "--json"))
	require.Contains(t, f.out.String(), `"go":"go1.`)
}
