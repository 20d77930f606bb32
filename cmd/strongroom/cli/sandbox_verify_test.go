package cli

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox/verify"
)

// verifiable is a fixture whose stacks declare what is inside of Vault, with what a
// verification finds.
func verifiable(t *testing.T) *fixture {
	f := newFixture(t)
	f.box.addProgram(t, "aws")
	f.engine.logins = map[string]any{"sandbox-pod": "kubernetes-tooling:sandbox-pod"}
	f.engine.more = deploy.Outputs{outputVaultAddress: {Value: "https://vault.tooling.internal:8200"}}
	f.box.verified = &verify.Report{
		Logins: []verify.Login{
			{Method: "jwt (application)", Who: "a pod of sandbox/orders", OK: true, Outcome: "let in with the policy x", Simulated: "the pod"},
			{Method: "jwt (application)", Who: "a pod of sandbox/intruder", MustBeRefused: true, OK: true, Outcome: "refused: invalid subject"},
		},
		User: &verify.User{Name: "v-1", Role: "application-sandbox-orders", By: "the pod", LeaseSeconds: 5, Steps: []verify.Step{
			{What: "looked for in pg_roles", At: "18:00:05", AfterSeconds: 5.2, OK: true, Outcome: "gone"},
		}},
		NotTried: []string{"kubernetes (application): why"},
		Seconds:  7,
	}
	return f
}

// Proves that `up` ends with what was tried, for people and for machines, and that the
// command tells the same.
func TestVerification(t *testing.T) {
	want := []string{
		"\nVault: every way to log in, tried for real in 7 s\n",
		"  jwt (application)  a pod of sandbox/orders    let in   let in with the policy x\n",
		"  jwt (application)  a pod of sandbox/intruder  refused  refused: invalid subject\n",
		"    jwt (application): the pod\n",
		"\nA user of PostgreSQL (real) that lives for 5 s, made by Vault for the pod\n",
		"  18:00:05  after  5.2 s  looked for in pg_roles  gone\n",
		"\nNot tried\n  kubernetes (application): why\n",
	}
	for _, command := range []string{"up", "verify"} {
		f := verifiable(t)
		require.Equal(t, exitOK, f.call("sandbox", command), f.err.String())
		require.Contains(t, f.engine.all(), "verify")
		for _, text := range want {
			require.Contains(t, f.out.String(), text, command)
		}
		require.NotContains(t, f.out.String(), "FAILED")
	}
	f := verifiable(t)
	require.Equal(t, exitOK, f.call("sandbox", "up", "--json"), f.err.String())
	lines := jsonLines(t, f.out.String())
	last, err := json.Marshal(lines[len(lines)-1]["vault"])
	require.NoError(t, err)
	f = verifiable(t)
	require.Equal(t, exitOK, f.call("sandbox", "verify", "--json"), f.err.String())
	require.JSONEq(t, string(last), f.out.String())
}

// Proves that one thing that went otherwise than it must fails the command, which shows
// all of it and says where to look.
func TestVerificationFails(t *testing.T) {
	for _, command := range []string{"up", "verify"} {
		f := verifiable(t)
		f.box.verified.Logins[1].OK, f.box.verified.Logins[1].Outcome = false, "LET IN"
		require.Equal(t, exitFailure, f.call("sandbox", command))
		require.Contains(t, f.out.String(), "a pod of sandbox/intruder  refused  FAILED: LET IN\n")
		require.NotContains(t, f.out.String(), "Try next")
		require.Contains(t, f.err.String(), "login to Vault by jwt (application), a pod of sandbox/intruder: LET IN")
		require.Contains(t, f.err.String(), "vault-*/vault.log")

		f = verifiable(t)
		f.box.fails["verify"] = errors.New("no server is active")
		require.Equal(t, exitFailure, f.call("sandbox", command))
		require.Contains(t, f.err.String(), "no server is active")
		require.NotContains(t, f.out.String(), "Try next")
	}
}

// Proves that a sandbox whose Vault is switched off comes up, and that nobody is told
// that something was verified.
func TestVerificationOfNothing(t *testing.T) {
	f := newFixture(t)
	require.Equal(t, exitOK, f.call("sandbox", "up"), f.err.String())
	require.NotContains(t, f.engine.all(), "verify")
	require.Contains(t, f.out.String(), "Vault: nothing was tried")
	f = newFixture(t)
	require.Equal(t, exitFailure, f.call("sandbox", "verify"))
	require.Contains(t, f.err.String(), "nothing inside of Vault is declared in this sandbox")
}
