package cli

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
)

// Bad input is refused before anything is opened.
func TestVaultBadInput(t *testing.T) {
	there := filepath.Join(t.TempDir(), "there")
	require.NoError(t, newFile(there, nil))
	for want, args := range map[string][]string{
		`has no command "unseal"`:                               {"unseal"},
		`did you mean "status"?`:                                {"statsu"},
		"takes no arguments":                                    {"status", "vault-0"},
		"reset-empty takes no arguments":                        {"reset-empty", "vault"},
		"unknown flag: --force":                                 {"reset-empty", "--force"},
		"--shares 1: 2 to 10":                                   {"rotate-recovery", "--shares", "1"},
		"--shares 11: 2 to 10":                                  {"rotate-recovery", "--shares", "11"},
		"--threshold 1: 2 to 5 are expected":                    {"rotate-recovery", "--threshold", "1"},
		"--threshold 6: 2 to 5 are expected":                    {"rotate-recovery", "--threshold", "6"},
		"standard output is no terminal":                        {"generate-root", "--yes"},
		"--first-start and --out exclude each other":            {"generate-root", "--first-start", "--out", "x"},
		there + " exists: it is never written over":             {"snapshot", "--out", there},
		"needs one snapshot: a file, s3://bucket/key or newest": {"restore"},
		"hand-over needs the name of one database":              {"hand-over"},
		"--password-file: open " + there + "x":                  {"hand-over", "orders", "--password-file", there + "x"},
		"--password-file: " + there + " is empty":               {"hand-over", "orders", "--password-file", there},
		"restore needs one snapshot":                            {"restore", "a", "b"},
		there + "x is no file that can be read":                 {"restore", there + "x"},
		filepath.Dir(there) + " is no file":                     {"restore", filepath.Dir(there)},
	} {
		f := newFixture(t)
		f.reach = func(context.Context, vaultFlags) (*vaultSite, error) {
			return nil, errors.New("nothing may be opened")
		}
		require.Equal(t, exitUsage, f.call(append([]string{"vault"}, args...)...), "%q: %s", args, f.err.String())
		require.Contains(t, f.err.String(), want)
		require.Empty(t, f.out.String())
	}
}

// What the stack lacks is named, and nothing is contacted.
func TestVaultOutputs(t *testing.T) {
	whole := deploy.Outputs{
		outputVaultAddress:   {Value: "https://vault.tooling.internal:8200"},
		outputVaultCA:        {Value: "no certificate"},
		outputVaultRecovery:  {Value: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:recovery"},
		outputVaultSnapshots: {Value: "snapshots"},
	}
	for name := range whole {
		f := newFixture(t)
		f.reach = f.reachVault
		f.engine.more = deploy.Outputs{}
		for other, output := range whole {
			if other != name {
				f.engine.more[other] = output
			}
		}
		require.Equal(t, exitFailure, f.call("vault", "status"))
		require.Contains(t, f.err.String(), `stack "tooling" has no output "`+name+`"`)
	}
	f := newFixture(t)
	f.reach = f.reachVault
	f.engine.fails["outputs staging"] = errors.New("there is no such stack")
	require.Equal(t, exitFailure, f.call("vault", "status", "--stack", "staging"))
	require.Contains(t, f.err.String(), "there is no such stack")
}

func TestSize(t *testing.T) {
	for want, bytes := range map[string]int64{"0 bytes": 0, "1023 bytes": 1023, "1.0 KiB": 1024, "1.5 MiB": 3 << 19, "2048.0 MiB": 2 << 30} {
		require.Equal(t, want, size(bytes))
	}
}
