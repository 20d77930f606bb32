package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDoctorOnACompleteMachine(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("doctor"), f.err.String())
	require.Contains(t, f.out.String(), "Nothing that is needed is missing")
	require.Contains(t, f.out.String(), "go1.26.8 at /usr/bin/go")
	require.NotContains(t, f.out.String(), "Debian")
}

// Proves that each thing that may be missing is named with what to do, and that
// the exit code is 1 where it is needed.
func TestDoctorNamesWhatIsMissing(t *testing.T) {
	without := func(name string) func(*fixture) {
		return func(f *fixture) {
			look := f.machine.look
			f.machine.look = func(program string) (string, error) {
				if program == name {
					return "", errors.New("not found")
				}
				return look(program)
			}
		}
	}
	saying := func(name, text string) func(*fixture) {
		return func(f *fixture) {
			ask := f.machine.ask
			f.machine.ask = func(ctx context.Context, program string, args ...string) (string, error) {
				if filepath.Base(program) == name {
					return text, nil
				}
				return ask(ctx, program, args...)
			}
		}
	}
	for name, tt := range map[string]struct {
		breaks func(*fixture)
		code   int
		want   []string
	}{
		"no Go":        {without("go"), exitFailure, []string{"go, for building", "https://go.dev/doc/install", "brew install go", "sudo dnf install golang"}},
		"old Go":       {saying("go", "go1.24.1"), exitFailure, []string{"go1.24.1 at /usr/bin/go: 1.26 or newer is needed"}},
		"no Node":      {without("node"), exitFailure, []string{"sudo apt install nodejs npm", "brew install node"}},
		"old Node":     {saying("node", "v18.19.0"), exitFailure, []string{"20 or newer is needed"}},
		"no npm":       {without("npm"), exitFailure, []string{"installing the EKS component"}},
		"no git":       {without("git"), exitFailure, []string{"sudo apt install git"}},
		"no make":      {without("make"), exitFailure, []string{"sudo dnf install make"}},
		"no AWS CLI":   {without("aws"), exitOK, []string{"the sandbox brings a stand-in of its own"}},
		"old AWS CLI":  {saying("aws", "aws-cli/1.18.1 Python"), exitOK, []string{"1.24 or 2.7 or newer is needed"}},
		"no kubectl":   {without("kubectl"), exitOK, []string{"builds one of its own"}},
		"no pulumi":    {without("pulumi"), exitOK, []string{"https://get.pulumi.com"}},
		"disk full":    {func(f *fixture) { f.machine.disk = func(string) (uint64, error) { return 1 << 20, nil } }, exitFailure, []string{"1 GB are needed", dirVariable}},
		"small memory": {func(f *fixture) { f.machine.memory = func() uint64 { return 2 << 30 } }, exitOK, []string{"building needs about 3 GB"}},
		"no port":      {func(f *fixture) { f.machine.port = func() error { return errors.New("no port on 127.0.0.1") } }, exitFailure, []string{"no port on 127.0.0.1"}},
		"read-only":    {func(f *fixture) { f.machine.write = func(string) error { return errors.New("is not writable") } }, exitFailure, []string{"is not writable"}},
		"older layout": {func(f *fixture) { f.box.fails["check"] = errors.New("made by an older strongroom") }, exitFailure, []string{"made by an older strongroom"}},
		"a liar":       {saying("git", "who knows"), exitOK, []string{"of a version that it does not tell"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			tt.breaks(f)
			require.Equal(t, tt.code, f.call("doctor"), f.out.String())
			for _, want := range tt.want {
				require.Contains(t, f.out.String(), want)
			}
			require.Equal(t, tt.code, f.call("doctor", "--json"))
			var answer struct {
				OK       bool
				Findings []finding
			}
			require.NoError(t, json.Unmarshal(f.out.Bytes(), &answer))
			require.Equal(t, tt.code == exitOK, answer.OK)
			require.Len(t, answer.Findings, len(programs)+4)
		})
	}
}

// Proves that every program comes with the way to get it on every system.
func TestDoctorKnowsEverySystem(t *testing.T) {
	for _, p := range programs {
		for _, system := range systems {
			require.NotEmpty(t, p.get[system], "%s on %s", p.name, system)
		}
		require.Equal(t, p.needed, p.without == "", p.name)
	}
}

func TestWritable(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, writable(filepath.Join(dir, "not", "yet", "there")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "nothing may be left")
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, writable(file), "is a file")
}
