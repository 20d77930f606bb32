package stacks_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/stacks"
)

// wayIn stands for the way to Vault: it notes who asked for which.
type wayIn struct {
	mu     sync.Mutex
	opened []stacks.Way
	lent   []string
	closed int
}

func (w *wayIn) host(t *testing.T) *stacks.Host {
	return &stacks.Host{Dir: t.TempDir(), OpenVault: func(_ context.Context, way stacks.Way, _ time.Duration, _ func(string)) (stacks.VaultWay, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.opened = append(w.opened, way)
		return w, nil
	}}
}

func (w *wayIn) Lend(_ context.Context, file string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lent = append(w.lent, file)
	return nil
}

func (w *wayIn) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed++
	return nil
}

// withVaultInside is the environment of the repository with a workload in each stack.
func withVaultInside(t *testing.T) environment {
	t.Helper()
	e := production()
	e.change = func(values map[string]string) {
		vault := map[string]any{}
		_ = json.Unmarshal([]byte(values["strongroom:vault"]), &vault) // absent in one of them
		workload := map[string]any{
			"name": "orders", "namespace": "shop", "serviceAccount": "orders",
			"secrets":  []any{map[string]any{"path": "secret/shop/orders"}},
			"database": map[string]any{"name": "orders"},
		}
		vault["workloads"] = []any{workload}
		if strings.Contains(values["strongroom:network"], "10.10.0.0") {
			vault["databases"] = []any{map[string]any{
				"name": "orders", "engine": "postgresql", "address": "orders.tooling.internal:5432", "username": "vault", "database": "orders",
			}}
			vault["logins"] = map[string]any{"appRole": true, "aws": true, "gitlab": true}
		}
		data, err := json.Marshal(vault)
		require.NoError(t, err)
		values["strongroom:vault"] = string(data)
	}
	return e
}

// runWith is environment.run with a host.
func (e environment) runWith(t *testing.T, host *stacks.Host, stack string, o pulumitest.Options) *pulumitest.Graph {
	t.Helper()
	o.Stack, o.Config = stack, settings(t, e.dir, stack)
	e.change(o.Config)
	g, err := pulumitest.RunErr(host.Run, o)
	require.NoError(t, err)
	return g
}

func TestVaultInside(t *testing.T) {
	e := withVaultInside(t)
	w := &wayIn{}
	host := w.host(t)
	tooling := e.runWith(t, host, "tooling", pulumitest.Options{})
	application := e.runWith(t, host, "application", pulumitest.Options{StackOutputs: e.outputs(tooling)})
	graphs := map[string]*pulumitest.Graph{"tooling": tooling, "application": application}

	t.Run("a preview of nothing shows the same and contacts nobody", func(t *testing.T) {
		require.NoError(t, tooling.SameResources(e.runWith(t, host, "tooling", pulumitest.Options{Unknown: true})))
		require.NoError(t, application.SameResources(e.runWith(t, host, "application",
			pulumitest.Options{Unknown: true, StackOutputs: e.outputs(tooling)})))
		require.Empty(t, w.opened)
	})
	t.Run("what each stack owns", func(t *testing.T) {
		require.Equal(t, []string{"tooling-vault-inside-database", "tooling-vault-inside-kv"}, tooling.Names("vault:index/mount:Mount"))
		require.Empty(t, application.Names("vault:index/mount:Mount"))
		require.Equal(t, []string{"tooling-vault-inside-external-secrets-policy", "tooling-vault-inside-orders-policy"},
			tooling.Names("vault:index/policy:Policy"))
		require.Equal(t, []string{"application-vault-inside-jwt-application"}, application.Names("vault:jwt/authBackend:AuthBackend"))
		role := application.Get(t, "vault:jwt/authBackendRole:AuthBackendRole", "application-vault-inside-orders-login")
		require.Equal(t, "system:serviceaccount:shop:orders", role.Get("boundSubject"))
		require.Equal(t, map[string]any{"orders": "jwt-application:orders"}, application.Output("vaultLogins"))
		connection := tooling.Get(t, "vault:database/secretBackendConnection:SecretBackendConnection", "tooling-vault-inside-database-orders")
		require.Equal(t, []any{"tooling-*", "application-*"}, connection.Get("allowedRoles"))
	})
	t.Run("the provider has no token and a way that does not depend on the machine", func(t *testing.T) {
		for stack, g := range graphs {
			provider := g.Get(t, "pulumi:providers:vault", "vault")
			require.Equal(t, "https://127.0.0.1:18200", provider.Get("address"))
			require.Equal(t, "", provider.Get("token"))
			require.Equal(t, ".strongroom/vault-"+stack+"-ca.crt", provider.Get("caCertFile"))
			require.Equal(t, "vault.tooling.internal", provider.Get("tlsServerName"))
			require.Equal(t, ".strongroom/vault-"+stack+".token", provider.Get("authLoginTokenFile.filename"))
		}
	})
	t.Run("the way is opened once a stack, and held until the host is closed", func(t *testing.T) {
		for range 2 {
			require.NoError(t, tooling.SameResources(e.runWith(t, host, "tooling", pulumitest.Options{Up: true})))
			require.NoError(t, application.SameResources(e.runWith(t, host, "application",
				pulumitest.Options{Up: true, StackOutputs: e.outputs(tooling)})))
		}
		require.Len(t, w.opened, 2)
		require.Equal(t, "tunnel", w.opened[0].Mode)
		require.Equal(t, "vault.tooling.internal", w.opened[0].ServerName)
		require.NotEmpty(t, w.opened[1].Kubeconfig)
		require.Equal(t, w.opened[0], w.opened[1], "both go to the Vault of tooling")
		require.Zero(t, w.closed)
		require.NoError(t, host.Close())
		require.Equal(t, 2, w.closed)
		data, err := os.ReadFile(filepath.Join(filepath.Dir(w.lent[0]), "vault-tooling-ca.crt"))
		require.NoError(t, err)
		require.Equal(t, w.opened[0].CA, string(data))
	})
	t.Run("rules of every stack", func(t *testing.T) {
		for stack, g := range graphs {
			all := rules(stack)
			all["providers"] = func(t testing.TB, g *pulumitest.Graph) {
				g.CheckProviders(t, "aws", "kubernetes", "eks", "tls", "vault")
			}
			for name, rule := range all {
				t.Run(stack+" "+name, func(t *testing.T) { rule(t, g) })
			}
		}
	})
	t.Run("what is inside goes with Vault", func(t *testing.T) {
		for _, r := range tooling.Resources {
			if strings.HasPrefix(r.Type, "vault:") {
				require.NotEmpty(t, r.DeletedWith, "%s", r)
			}
		}
		require.Empty(t, application.Get(t, "vault:index/policy:Policy", "application-vault-inside-orders-policy").DeletedWith,
			"the Vault is another stack's: what is in it has to be taken out")
	})
}

// The application's workloads are held against what the tooling stack has, before
// anything is made.
func TestVaultInsideAgainstTooling(t *testing.T) {
	e := withVaultInside(t)
	outputs := e.outputs(e.runWith(t, (&wayIn{}).host(t), "tooling", pulumitest.Options{}))
	for name, test := range map[string]struct {
		change func(map[string]any)
		own    string
		want   string
	}{
		"database": {func(i map[string]any) { i["databases"] = []any{} }, "application",
			`config strongroom:vault.workloads[0].database.name: workload "orders": there is no database "orders": none is declared`},
		"nothing": {func(i map[string]any) { clear(i) }, "application",
			`config strongroom:vault.workloads: stack "tooling" declares nothing inside of its Vault`},
		"not let in": {func(i map[string]any) { i["applications"] = []any{"shop"} }, "application",
			`config strongroom:vault.workloads[0].database: workload "orders": stack "tooling" lets only "shop" use its databases: add "application"`},
	} {
		t.Run(name, func(t *testing.T) {
			changed := map[string]resource.PropertyMap{}
			for stack, properties := range outputs {
				copied := properties.Copy()
				contract := copied["contract"].ObjectValue().Copy()
				inside, ok := contract["vaultInside"].Mappable().(map[string]any)
				require.True(t, ok)
				test.change(inside)
				contract["vaultInside"] = resource.NewPropertyValue(inside)
				copied["contract"] = resource.NewProperty(contract)
				changed[stack] = copied
			}
			values := settings(t, e.dir, "application")
			e.change(values)
			g, err := pulumitest.RunErr((&wayIn{}).host(t).Run, pulumitest.Options{Stack: "application", Config: values, StackOutputs: changed})
			require.ErrorContains(t, err, test.want)
			for _, r := range g.Resources {
				require.True(t, strings.HasPrefix(r.Type, "pulumi:pulumi:"), "%s", r)
			}
		})
	}
}
