package sandbox_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/vaultconfig"
	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/internal/vaultops"
	"github.com/strongroom-platform/strongroom/sandbox/verify"
)

// What is declared works: against a real Vault, real control planes and a real
// PostgreSQL. AWS's STS is simulated and checks signatures.
func TestVaultInside(t *testing.T) {
	p := newPlace(t)
	requireVault(p)
	v := newVaultPlace(p)
	step := func(name string, do func()) {
		t.Helper()
		if !p.sub(name, do) {
			t.FailNow()
		}
	}
	step("declared by who may do no more than that", func() {
		planned := v.preview("tooling")
		mounts, err := v.root.Sys().ListMounts()
		require.NoError(v, err)
		require.NotContains(v, mounts, "kv/", "a preview makes nothing")
		made := v.up("tooling")
		require.Equal(v, steps(planned), steps(made))
	})
	step("declared again, and read again, nothing changes", func() {
		unchanged(v.T, v.up("tooling"))
		result, err := v.target.Up(v.ctx, "tooling", deploy.Options{Refresh: true})
		require.NoError(v, err)
		unchanged(v.T, result)
	})
	step("the database is handed over", v.handOverOrders)
	step("logins that must work", v.goodLogins)
	step("logins that must be refused", v.badLogins)
	step("every workload against every path", v.matrix)
	step("a database user that lives as long as its lease", v.dynamicUsers)
	step("no secret is in plain text", v.noSecretInPlainText)
	step("drift is seen and put right", func() {
		require.NoError(v, v.root.Sys().PutPolicy("application-orders", `path "kv/*" { capabilities = ["read"] }`))
		result, err := v.target.Up(v.ctx, "tooling", deploy.Options{Refresh: true})
		require.NoError(v, err)
		require.Equal(v, 1, result.Changed(), "%v", result.Steps)
		text, err := v.args["application"].Policy(&v.args["application"].Workloads[0])
		require.NoError(v, err)
		held, err := v.root.Sys().GetPolicy("application-orders")
		require.NoError(v, err)
		require.Equal(v, text, held)
	})
	step("a workload that is taken out", v.removal)
	step("destroy leaves nothing", func() {
		v.destroy("tooling")
		mounts, err := v.root.Sys().ListMounts()
		require.NoError(v, err)
		require.NotContains(v, mounts, "kv/")
		auth, err := v.root.Sys().ListAuth()
		require.NoError(v, err)
		require.Len(v, auth, 1, "the token store alone")
		policies, err := v.root.Sys().ListPolicies()
		require.NoError(v, err)
		require.ElementsMatch(v, []string{"default", "provisioner", "root"}, policies)
	})
	step("destroy reaches into Vault, and works with Vault sealed or gone", v.destroys)
}

// requireVault skips where Vault was not built, but not in CI where it could have been.
func requireVault(p *place) {
	p.Helper()
	if _, err := os.Stat(filepath.Join(p.BinDir(), "vault")); err != nil {
		if _, err := os.Stat("../../tools/vault"); err != nil {
			p.Skip("this checkout has no tools/vault to build the server from: put one into STRONGROOM_TOOLS_BIN")
		}
		message := "vault is not built: run `make tools`"
		if os.Getenv("CI") == "true" {
			p.Fatal(message)
		}
		p.Skip(message)
	}
}

// handOverOrders hands PostgreSQL over.
func (v *vaultPlace) handOverOrders() {
	initial := v.secrets[slices.IndexFunc(v.secrets, func(s string) bool { return v.sql("vault", s, "orders", "SELECT 1") == nil })]
	v.handOverDatabase("orders", initial)
	require.ErrorContains(v, v.sql("vault", initial, "orders", "SELECT 1"), "password authentication failed")
}

// handOverDatabase gives Vault the initial password of its user in a database, past Pulumi, and
// lets it choose another; the engine sees no change.
func (v *vaultPlace) handOverDatabase(database, initial string) {
	token, err := os.ReadFile(v.tokens)
	require.NoError(v, err)
	ops := &vaultops.Vault{Client: http.DefaultClient, Servers: []string{v.address}}
	require.NoError(v, ops.HandOver(v.ctx, strings.TrimSpace(string(token)), "database", database, initial))
	result, err := v.target.Up(v.ctx, "tooling", deploy.Options{Refresh: true})
	require.NoError(v, err)
	unchanged(v.T, result)
}

// logins are one that must work per workload.
func (v *vaultPlace) logins() map[string]func() (*api.SecretAuth, error) {
	both := func(cluster string) []string { return []string{vaultconfig.Audience, v.clusters[cluster].Issuer} }
	kubernetes := func(mount, role, cluster string, audiences ...string) func() (*api.SecretAuth, error) {
		return func() (*api.SecretAuth, error) {
			return v.login(mount, map[string]any{"role": role, "jwt": v.podToken(cluster, "shop", role, audiences...)})
		}
	}
	return map[string]func() (*api.SecretAuth, error){
		// Outside of the cluster each client reviews its own token, so that it is for the
		// API too. On EKS Vault reviews, and the token is for Vault alone.
		"tooling-runner":     kubernetes("kubernetes-tooling", "runner", "tooling", both("tooling")...),
		"application-orders": kubernetes("jwt-application", "orders", "application", vaultconfig.Audience),
		"application-report": kubernetes("jwt-application", "report", "application", vaultconfig.Audience),
		"reviewed-catalog":   kubernetes("kubernetes-reviewed", "catalog", "application"),
		"tooling-appliance": func() (*api.SecretAuth, error) {
			return v.login("approle", v.appRole("appliance"))
		},
		"tooling-backup": func() (*api.SecretAuth, error) {
			return v.login("aws", v.iamLogin("backup", credentialsOf("backup"), vaultServerID))
		},
		"tooling-deploy": func() (*api.SecretAuth, error) {
			return v.login("gitlab", map[string]any{"role": "deploy", "jwt": v.job(v.gitlab, nil)})
		},
	}
}

// appRole is a role id and a new secret id, as an operator hands them out.
func (v *vaultPlace) appRole(workload string) map[string]any {
	v.Helper()
	id, err := v.root.Logical().Read("auth/approle/role/" + workload + "/role-id")
	require.NoError(v, err)
	secret, err := v.root.Logical().Write("auth/approle/role/"+workload+"/secret-id", nil)
	require.NoError(v, err)
	v.secrets = append(v.secrets, secret.Data["secret_id"].(string))
	return map[string]any{"role_id": id.Data["role_id"], "secret_id": secret.Data["secret_id"]}
}

func (v *vaultPlace) goodLogins() {
	count := 0
	for name, login := range v.logins() {
		auth, err := login()
		require.NoError(v, err, name)
		require.ElementsMatch(v, []string{"default", name}, auth.TokenPolicies, name)
		count++
	}
	require.Equal(v, 7, count)
	v.Logf("%d workloads logged in, by Kubernetes (tooling), jwt and Kubernetes (application), AppRole, AWS IAM (simulated STS) and GitLab jwt", count)
}

func (v *vaultPlace) badLogins() {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(v, err)
	used := v.appRole("appliance")
	_, err = v.login("approle", used)
	require.NoError(v, err)
	toolingAPI, applicationAPI := v.clusters["tooling"].Issuer, v.clusters["application"].Issuer
	pod := func(role, token string) map[string]any { return map[string]any{"role": role, "jwt": token} }
	job := func(key *rsa.PrivateKey, claims map[string]any) map[string]any {
		return pod("deploy", v.job(key, claims))
	}
	forged := credentialsOf("backup")
	forged.SecretAccessKey = "somebody else's"
	old := time.Now().Add(-time.Hour).Unix()
	expired := func(cluster, account, audience string) string {
		c := v.clusters[cluster]
		uid := "00000000-0000-0000-0000-000000000000"
		token, err := verify.Sign(c.key, map[string]any{
			"iss": c.Issuer, "aud": []string{audience}, "sub": "system:serviceaccount:shop:" + account, "iat": old - 600, "nbf": old - 600, "exp": old,
			"kubernetes.io": map[string]any{"namespace": "shop", "serviceaccount": map[string]any{"name": account, "uid": uid}},
		})
		require.NoError(v, err)
		return token
	}
	refused := []struct {
		what, mount string
		data        map[string]any
	}{
		{"Kubernetes: wrong namespace", "kubernetes-tooling", pod("runner", v.podToken("tooling", "other", "runner", "vault", toolingAPI))},
		{"Kubernetes: wrong service account", "kubernetes-tooling", pod("runner", v.podToken("tooling", "shop", "intruder", "vault", toolingAPI))},
		{"Kubernetes: wrong audience", "kubernetes-tooling", pod("runner", v.podToken("tooling", "shop", "runner", "elsewhere", toolingAPI))},
		{"Kubernetes: expired", "kubernetes-tooling", pod("runner", expired("tooling", "runner", "vault"))},
		{"Kubernetes: the other cluster's token", "kubernetes-tooling", pod("runner", v.podToken("application", "shop", "runner", "vault", applicationAPI))},
		{"jwt: wrong namespace", "jwt-application", pod("orders", v.podToken("application", "other", "orders", "vault"))},
		{"jwt: wrong service account", "jwt-application", pod("orders", v.podToken("application", "shop", "intruder", "vault"))},
		{"jwt: another workload's role", "jwt-application", pod("orders", v.podToken("application", "shop", "report", "vault"))},
		{"jwt: wrong audience", "jwt-application", pod("orders", v.podToken("application", "shop", "orders"))},
		{"jwt: expired", "jwt-application", pod("orders", expired("application", "orders", "vault"))},
		{"jwt: the other cluster's token", "jwt-application", pod("orders", v.podToken("tooling", "shop", "orders", "vault"))},
		{"jwt: no role of that name", "jwt-application", pod("runner", v.podToken("application", "shop", "runner", "vault"))},
		{"Kubernetes of another cluster: wrong namespace", "kubernetes-reviewed", pod("catalog", v.podToken("application", "other", "catalog"))},
		{"Kubernetes of another cluster: wrong audience", "kubernetes-reviewed", pod("catalog", v.podToken("application", "shop", "catalog", "vault"))},
		{"Kubernetes of another cluster: the other cluster's token", "kubernetes-reviewed", pod("catalog", v.podToken("tooling", "shop", "catalog"))},
		{"AppRole: a used secret id", "approle", used},
		{"AppRole: no secret id", "approle", map[string]any{"role_id": used["role_id"]}},
		{"AWS: signed by another role", "aws", v.iamLogin("backup", credentialsOf("intruder"), vaultServerID)},
		{"AWS: signed with another key", "aws", v.iamLogin("backup", forged, vaultServerID)},
		{"AWS: made for another server", "aws", v.iamLogin("backup", credentialsOf("backup"), "vault.elsewhere")},
		{"GitLab: another project", "gitlab", job(v.gitlab, map[string]any{"project_path": "shop/other"})},
		{"GitLab: another branch", "gitlab", job(v.gitlab, map[string]any{"ref": "feature"})},
		{"GitLab: an unprotected branch", "gitlab", job(v.gitlab, map[string]any{"ref_protected": "false"})},
		{"GitLab: a tag with the name of the branch", "gitlab", job(v.gitlab, map[string]any{"ref_type": "tag"})},
		{"GitLab: for another audience", "gitlab", job(v.gitlab, map[string]any{"aud": "https://elsewhere"})},
		{"GitLab: of another issuer", "gitlab", job(v.gitlab, map[string]any{"iss": "https://gitlab.com"})},
		{"GitLab: expired", "gitlab", job(v.gitlab, map[string]any{"iat": old - 600, "nbf": old - 600, "exp": old})},
		{"GitLab: signed with another key", "gitlab", job(other, nil)},
	}
	for _, r := range refused {
		_, err := v.login(r.mount, r.data)
		var response *api.ResponseError
		require.ErrorAs(v, err, &response, r.what)
		require.Contains(v, []int{http.StatusBadRequest, http.StatusForbidden}, response.StatusCode, "%s: %v", r.what, err)
	}
	v.Logf("%d logins refused", len(refused))
}

// matrix lets every workload try every path of every workload.
func (v *vaultPlace) matrix() {
	type path struct {
		path  string
		write bool
	}
	declared, all := map[string][]path{}, []string{}
	for owner, args := range v.args {
		for _, w := range args.Workloads {
			name := owner + "-" + w.Name
			for _, s := range w.Secrets {
				at := strings.Replace(s.Path, "kv/", "kv/data/", 1)
				at = strings.Replace(at, "/*", "/anything", 1)
				declared[name] = append(declared[name], path{at, s.Write})
				all = append(all, at)
			}
			if w.Database != nil {
				declared[name] = append(declared[name], path{"database/creds/" + name, false})
				all = append(all, "database/creds/"+name)
			}
		}
	}
	all = append(all, "kv/data/nobody", "kv/config", "sys/policies/acl/default", "auth/approle/role/appliance/secret-id", "database/config/orders")
	slices.Sort(all)
	all = slices.Compact(all)
	for _, at := range all {
		if strings.HasPrefix(at, "kv/data/") {
			_, err := v.root.Logical().Write(at, map[string]any{"data": map[string]any{"value": v.secret()}})
			require.NoError(v, err)
		}
	}
	tried, allowed := 0, 0
	for name, login := range v.logins() {
		auth, err := login()
		require.NoError(v, err, name)
		client := v.as(auth.ClientToken)
		for _, at := range all {
			i := slices.IndexFunc(declared[name], func(p path) bool { return p.path == at })
			_, err := client.Logical().ReadWithContext(v.ctx, at)
			v.expect(i >= 0, err, "%s reads %s", name, at)
			_, err = client.Logical().WriteWithContext(v.ctx, at, map[string]any{"data": map[string]any{"value": "x"}})
			v.expect(i >= 0 && declared[name][i].write, err, "%s writes %s", name, at)
			tried += 2
			if i >= 0 {
				allowed++
			}
		}
	}
	v.Logf("%d workloads, %d paths: %d requests as declared, %d paths allowed", len(declared), len(all), tried, allowed)
}

func (v *vaultPlace) expect(allowed bool, err error, format string, args ...any) {
	v.Helper()
	if allowed {
		require.NoError(v, err, format, args)
		return
	}
	var response *api.ResponseError
	require.ErrorAs(v, err, &response, format, args)
	require.Equal(v, http.StatusForbidden, response.StatusCode, "%s: %v", fmt.Sprintf(format, args...), err)
}

func (v *vaultPlace) dynamicUsers() {
	auth, err := v.logins()["application-orders"]()
	require.NoError(v, err)
	orders := v.as(auth.ClientToken)
	lease := func(client *api.Client, name string) (*api.Secret, string, string) {
		secret, err := client.Logical().ReadWithContext(v.ctx, "database/creds/"+name)
		require.NoError(v, err)
		user, password := secret.Data["username"].(string), secret.Data["password"].(string)
		v.secrets = append(v.secrets, password)
		return secret, user, password
	}
	secret, user, password := lease(orders, "application-orders")
	try := func(statement string) error { return v.sql(user, password, "orders", statement) }
	require.NoError(v, try("INSERT INTO orders (item) VALUES ('second')"))
	require.NoError(v, try("UPDATE orders SET item = 'changed' WHERE id = 1"))
	for _, statement := range []string{"DROP TABLE orders", "CREATE TABLE other (id int)", "CREATE ROLE other", "ALTER ROLE vault NOLOGIN", "TRUNCATE orders"} {
		require.Error(v, try(statement), statement)
	}
	// Renewal: the user outlives its first lease.
	first := time.Now().Add(time.Duration(secret.LeaseDuration) * time.Second)
	for time.Now().Before(first.Add(time.Second)) {
		_, err := orders.Sys().RenewWithContext(v.ctx, secret.LeaseID, 2)
		require.NoError(v, err)
		require.NoError(v, try("SELECT 1"))
		waitUntil(200*time.Millisecond, func() bool { return false })
	}
	// Not renewed, it is gone.
	begun := time.Now()
	require.True(v, waitUntil(30*time.Second, func() bool { return try("SELECT 1") != nil }), "the user lives on")
	v.Logf("not renewed, the user was gone after %s", time.Since(begun).Round(100*time.Millisecond))

	auth, err = v.logins()["application-report"]()
	require.NoError(v, err)
	report := v.as(auth.ClientToken)
	secret, user, password = lease(report, "application-report")
	require.NoError(v, try("SELECT * FROM orders"))
	require.ErrorContains(v, try("INSERT INTO orders (item) VALUES ('third')"), "permission denied")
	require.NoError(v, v.root.Sys().Revoke(secret.LeaseID))
	require.True(v, waitUntil(30*time.Second, func() bool { return try("SELECT 1") != nil }), "the user lives on")
}

// removal takes one workload out: its role, policy and database role go, and nothing else.
func (v *vaultPlace) removal() {
	application := v.args["application"]
	application.Workloads = application.Workloads[:1]
	result := v.up("tooling")
	var gone []string
	for _, s := range result.Steps {
		if strings.HasPrefix(s.Type, "strongroom:") {
			continue // the component's own list of workloads
		}
		require.Equal(v, "delete", s.Op, s.URN)
		gone = append(gone, s.URN[strings.LastIndex(s.URN, "::")+2:])
	}
	require.ElementsMatch(v, []string{"application-report-login", "application-report-policy", "application-report-database"}, gone)
	for _, path := range []string{"auth/jwt-application/role/report", "sys/policies/acl/application-report", "database/roles/application-report"} {
		_, err := v.root.Logical().Read(path)
		found, _ := v.root.Logical().Read(path)
		require.Nil(v, found, "%s: %v", path, err)
	}
	logins := v.logins()
	delete(logins, "application-report")
	for name, login := range logins {
		_, err := login()
		require.NoError(v, err, name)
	}
}

// noSecretInPlainText looks for every secret of the test in the state and in the logs.
func (v *vaultPlace) noSecretInPlainText() {
	resources, err := v.target.Resources(v.ctx, "tooling")
	require.NoError(v, err)
	shown, err := json.Marshal(resources)
	require.NoError(v, err)
	places := map[string]string{"the state, as shown": string(shown)}
	for _, dir := range []string{v.StateDir(), v.LogDir(), v.ProjectDir()} {
		require.NoError(v, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			places[path] = string(data)
			return err
		}))
	}
	require.Greater(v, len(places), 3)
	for _, secret := range v.secrets {
		for where, text := range places {
			require.NotContains(v, text, secret, where)
		}
	}
	v.Logf("%d secrets looked for in %d places", len(v.secrets), len(places))
}
