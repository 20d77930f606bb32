package sandbox_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox/postgres"
	"github.com/strongroom-platform/strongroom/sandbox/verify"
)

// verified runs `strongroom sandbox verify`: every way to log in to Vault, with the
// application's cluster by the method that it has, and a database user.
func (p *place) verified(method string) {
	p.Helper()
	p.checkout()
	var report verify.Report
	require.NoError(p, json.Unmarshal(p.strongroom("sandbox", "verify", "--json"), &report))
	letIn, refused := map[string]int{}, map[string]int{}
	for _, l := range report.Logins {
		require.True(p, l.OK, "%+v", l)
		if l.MustBeRefused {
			refused[l.Method]++
			continue
		}
		letIn[l.Method]++
	}
	require.Equal(p, map[string]int{"kubernetes (tooling)": 1, method: 1, "AppRole": 1, "AWS IAM": 1, "GitLab jwt": 1}, letIn)
	require.Equal(p, map[string]int{"kubernetes (tooling)": 3, method: 3, "AppRole": 1, "AWS IAM": 2, "GitLab jwt": 2}, refused)
	p.Logf("%d logins worked, %d were refused, in %.1f s", len(letIn), len(report.Logins)-len(letIn), report.Seconds)
	if p.noPostgreSQL() {
		require.Nil(p, report.User)
		require.True(p, slices.ContainsFunc(report.NotTried, func(line string) bool { return line == "a database user: "+postgres.ErrNotInstalled.Error() }))
		return
	}
	require.NotNil(p, report.User)
	require.Len(p, report.User.Steps, 7)
	for _, s := range report.User.Steps {
		require.True(p, s.OK, "%+v", s)
	}
	last := report.User.Steps[6]
	require.GreaterOrEqual(p, last.AfterSeconds, float64(report.User.LeaseSeconds-1))
	p.Logf("a database user with a lease of %d s was gone after %.1f s", report.User.LeaseSeconds, last.AfterSeconds)
}

func (p *place) noPostgreSQL() bool { return errors.Is(postgres.Installed(), postgres.ErrNotInstalled) }

// loginsOfTheOtherMethod lets the API of the application's cluster review its tokens,
// until a later change takes it back.
func (p *place) loginsOfTheOtherMethod() {
	p.configure("application", map[string]any{"vault": map[string]any{
		"logins": map[string]any{"cluster": "kubernetes"}, "workloads": []any{},
	}})
	p.up("application")
	p.verified("kubernetes (application)")
}

// The engine is killed while it makes what is inside of Vault. The next run goes on.
func TestEngineIsKilledInsideVault(t *testing.T) {
	p := newPlaceWithVault(t)
	requireVault(p)
	for _, typ := range []string{"vault:index/mount:Mount", "vault:jwt/authBackend:AuthBackend", "vault:index/policy:Policy"} {
		p.sub(typ, func() {
			_, err := p.target.Up(p.ctx, "tooling", deploy.Options{Events: p.killOn(typ, "create")})
			require.Error(p, err)
			require.Empty(p, p.engines(), "the engine lives on")
		})
	}
	p.up("tooling")
	unchanged(p.T, p.up("tooling"))
	p.destroy("tooling")
	p.empty()
}
