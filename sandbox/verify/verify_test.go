package verify

import (
	"database/sql/driver"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

var surroundings = Surroundings{STS: "http://127.0.0.1:1", GitLabKey: "public", Database: "127.0.0.1:2", TunnelPort: 3}

// What a stack declares itself stays, and what is verified comes after it.
func TestDeclare(t *testing.T) {
	own := map[string]any{
		"replicas":  3,
		"access":    map[string]any{"waitMinutes": 5},
		"workloads": []any{map[string]any{"name": "own"}},
	}
	got, err := surroundings.Declare(Tooling, own)
	require.NoError(t, err)
	require.Equal(t, 3, got["replicas"])
	require.Equal(t, map[string]any{"waitMinutes": 5, "port": 3}, got["access"])
	require.Equal(t, map[string]any{
		"appRole": true, "aws": true, "gitlab": true, "stsEndpoint": "http://127.0.0.1:1", "gitlabPublicKeys": []any{"public"},
	}, got["logins"])
	require.Equal(t, []string{"own", podWorkload, "sandbox-appliance", "sandbox-backup", "sandbox-deploy"}, names(t, got["workloads"]))
	require.Equal(t, []string{database}, names(t, got["databases"]))
	require.Len(t, own["workloads"], 1, "the argument stays as it was")

	got, err = surroundings.Declare(Application, nil)
	require.NoError(t, err)
	require.Equal(t, []string{ordersWorkload}, names(t, got["workloads"]))
	require.NotContains(t, got, "databases", "only a tooling stack has them")

	got, err = surroundings.Declare("tooling-staging", own)
	require.NoError(t, err)
	require.Equal(t, own, got)
}

// The code that tries knows the workloads by the names that the files give them.
func TestFilesAreWhatIsTried(t *testing.T) {
	for stack, pod := range map[string][2]string{Tooling: {podWorkload, podAccount}, Application: {ordersWorkload, ordersAccount}} {
		got, err := surroundings.Declare(stack, nil)
		require.NoError(t, err)
		first := got["workloads"].([]any)[0].(map[string]any)
		require.Equal(t, []any{pod[0], namespace, pod[1]}, []any{first["name"], first["namespace"], first["serviceAccount"]})
		for _, w := range got["workloads"].([]any) {
			w := w.(map[string]any)
			path := "secret/sandbox/" + w["name"].(string)[len(prefix):]
			require.Equal(t, []any{map[string]any{"path": path, "write": true}}, w["secrets"])
		}
	}
}

func TestDeclareWithoutPostgreSQL(t *testing.T) {
	none := surroundings
	none.Database = ""
	got, err := none.Declare(Tooling, nil)
	require.NoError(t, err)
	require.NotContains(t, got, "databases")
	got, err = none.Declare(Application, nil)
	require.NoError(t, err)
	require.NotContains(t, got["workloads"].([]any)[0], "database")
}

func TestDeclareRefuses(t *testing.T) {
	for key, want := range map[string]string{
		"workloads": "config strongroom:vault.workloads: expected a list, got string",
		"access":    "config strongroom:vault.access: expected keys and values, got string",
	} {
		_, err := surroundings.Declare(Tooling, map[string]any{key: "x"})
		require.EqualError(t, err, want)
	}
}

// A report fails when a single thing went otherwise than it must, in either direction.
func TestReport(t *testing.T) {
	good := func() *Report {
		u := &User{Name: "v-1"}
		u.step(time.Now(), "made by Vault", "lease of 5 s", true)
		return &Report{Logins: []Login{{Method: "jwt", Who: "a pod", OK: true}, {Method: "jwt", Who: "another", MustBeRefused: true, OK: true}}, User: u}
	}
	require.NoError(t, good().Err())
	letIn, refused := good().counts()
	require.Equal(t, [2]int{1, 1}, [2]int{letIn, refused})

	r := good()
	r.Logins[1].OK, r.Logins[1].Outcome = false, "LET IN"
	require.EqualError(t, r.Err(), "login to Vault by jwt, another: LET IN")
	r = good()
	r.User.step(time.Now(), "looked for in pg_roles", "still there", false)
	require.EqualError(t, r.Err(), "database user v-1: looked for in pg_roles: still there")
}

// The reason is the last thing that Vault says.
func TestOneLine(t *testing.T) {
	require.Equal(t, "invalid audience", oneLine([]string{"error validating token: 1 error occurred:\n\t* other\n\t* invalid audience\n\n"}))
	require.Equal(t, "permission denied", oneLine([]string{"permission denied"}))
	require.Equal(t, "without a reason", oneLine(nil))
}

func names(t *testing.T, list any) []string {
	t.Helper()
	var all []string
	for _, element := range list.([]any) {
		all = append(all, element.(map[string]any)["name"].(string))
	}
	return all
}

// A session that was ended is no refusal of a login, nor the other way round.
func TestCut(t *testing.T) {
	for name, test := range map[string]struct {
		err          error
		cut, refused bool
	}{
		"the session was ended":  {&pq.Error{Code: "57P01"}, true, false},
		"the connection is bad":  {fmt.Errorf("ping: %w", driver.ErrBadConn), true, false},
		"the password is wrong":  {&pq.Error{Code: "28P01"}, false, true},
		"the user is gone":       {&pq.Error{Code: "28000"}, false, true},
		"the server is not here": {syscall.ECONNREFUSED, false, false},
		"nothing is wrong":       {nil, false, false},
	} {
		require.Equal(t, test.cut, cut(test.err), name)
		require.Equal(t, test.refused, refusedLogin(test.err), name)
	}
}
