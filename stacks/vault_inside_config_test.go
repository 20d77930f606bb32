package stacks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/vaultconfig"
)

// orders is a workload that is right.
func orders(change func(object)) object {
	w := object{
		"name": "orders", "namespace": "shop", "serviceAccount": "orders",
		"secrets": []any{object{"path": "secret/shop/orders"}},
	}
	if change != nil {
		change(w)
	}
	return w
}

func inside(more object, workloads ...any) object {
	if workloads == nil {
		workloads = []any{}
	}
	v := object{"workloads": workloads}
	for key, value := range more {
		v[key] = value
	}
	return v
}

func TestVaultInside(t *testing.T) {
	cfg, err := Parse("tooling-staging", values(t, set("vault", inside(object{
		"logins": object{"appRole": true, "aws": true, "gitlab": true},
		"databases": []any{object{
			"name": "orders", "engine": "postgresql", "address": "orders.tooling.internal:5432", "username": "vault", "database": "orders",
		}},
	}, orders(func(w object) {
		w["database"] = object{"name": "orders", "write": true, "ttl": "30m", "maxTtl": "2h"}
		w["ttl"] = "10m"
	}), object{
		"name": "deploy", "gitlab": object{"project": "shop/deploy", "branch": "main"}, "secrets": []any{object{"path": "secret/deploy", "write": true}},
	}))))
	require.NoError(t, err)
	args := cfg.vaultInside(&decoder{})
	args.Cluster = nil
	require.Equal(t, &vaultconfig.Args{
		Owner: "tooling-staging", KVMount: "secret", DatabaseMount: "database", OwnEngines: true, Protect: true,
		Databases: []vaultconfig.Database{{
			Name: "orders", Engine: "postgresql", Address: "orders.tooling.internal:5432", Username: "vault", Database: "orders",
		}},
		DatabaseOwners: []string{"application-staging"},
		AppRole:        true,
		AWS:            &vaultconfig.AWS{Region: "eu-west-1", ServerID: "vault.tooling.internal"},
		GitLab:         &vaultconfig.GitLab{URL: "https://gitlab.com", Audience: "https://vault.tooling.internal:8200"},
		Workloads: []vaultconfig.Workload{{
			Name: "orders", Namespace: "shop", ServiceAccount: "orders", TTL: 10 * time.Minute,
			Secrets:  []vaultconfig.Secret{{Path: "secret/shop/orders"}},
			Database: &vaultconfig.DatabaseUser{Name: "orders", Write: true, TTL: 30 * time.Minute, MaxTTL: 2 * time.Hour},
		}, {
			Name: "deploy", GitLab: &vaultconfig.GitLabJob{Project: "shop/deploy", Branch: "main"},
			Secrets: []vaultconfig.Secret{{Path: "secret/deploy", Write: true}},
		}, {
			// What gitops/ needs, without being asked for.
			Name: "external-secrets", Namespace: "external-secrets", ServiceAccount: "external-secrets",
			Secrets: []vaultconfig.Secret{{Path: "secret/ci/gitlab-runner"}},
		}},
	}, args)
}

func TestVaultInsideIsASwitch(t *testing.T) {
	for want, vault := range map[bool]object{true: inside(nil), false: {"replicas": 3}} {
		for _, stack := range []string{"tooling", "application"} {
			if stack == "application" {
				delete(vault, "replicas")
			}
			keys := valid()
			if len(vault) > 0 {
				keys["vault"] = vault
			}
			cfg, err := Parse(stack, values(t, keys))
			require.NoError(t, err)
			require.Equal(t, want, cfg.Vault.declared)
			require.Equal(t, want && stack == "tooling", len(cfg.Vault.Workloads) > 0)
		}
	}
}

// A workload of the name takes the place of the one for External Secrets.
func TestOwnExternalSecrets(t *testing.T) {
	cfg, err := Parse("tooling", values(t, set("vault", inside(nil, object{
		"name": "external-secrets", "namespace": "external-secrets", "serviceAccount": "external-secrets",
		"secrets": []any{object{"path": "secret/ci/*"}},
	}))))
	require.NoError(t, err)
	require.Len(t, cfg.Vault.Workloads, 1)
	require.Equal(t, "secret/ci/*", cfg.Vault.Workloads[0].Secrets[0].Path)
}

// What is refused, is refused before anything is made, by workload and key.
func TestVaultInsideBadInput(t *testing.T) {
	database := object{"databases": []any{object{
		"name": "orders", "engine": "postgresql", "address": "orders.tooling.internal:5432", "username": "vault", "database": "orders",
	}}}
	with := func(more object, change func(object)) object { return inside(more, orders(change)) }
	path := func(p string) object {
		return with(nil, func(w object) { w["secrets"] = []any{object{"path": p}} })
	}
	job := func(gitlab object) object {
		return inside(object{"logins": object{"gitlab": true}}, object{
			"name": "deploy", "gitlab": gitlab, "secrets": []any{object{"path": "secret/deploy"}},
		})
	}
	for name, test := range map[string]struct {
		stack string
		vault object
		want  string
	}{
		"two of one name":  {"tooling", inside(nil, orders(nil), orders(nil)), `config strongroom:vault.workloads[1].name: workload "orders": workloads[0] has this name too`},
		"unknown database": {"tooling", with(database, func(w object) { w["database"] = object{"name": "order"} }), `config strongroom:vault.workloads[0].database.name: workload "orders": there is no database "order": expected one of "orders"`},
		"no database":      {"tooling", with(database, func(w object) { w["database"] = object{} }), `config strongroom:vault.workloads[0].database.name: workload "orders": there is no database ""`},
		"TTL above max":    {"tooling", with(nil, func(w object) { w["ttl"], w["maxTtl"] = "2h", "1h" }), `config strongroom:vault.workloads[0].ttl: workload "orders": 2h0m0s is longer than maxTtl, 1h0m0s`},
		"lease above max": {"tooling", with(database, func(w object) { w["database"] = object{"name": "orders", "ttl": "48h"} }),
			`config strongroom:vault.workloads[0].database.ttl: workload "orders": 48h0m0s is longer than maxTtl, 24h0m0s`},
		"no time":              {"tooling", with(nil, func(w object) { w["ttl"] = "1 hour" }), `config strongroom:vault.workloads[0].ttl: workload "orders": "1 hour" is no time: expected one such as "30m"`},
		"outside":              {"tooling", path("kv/shop"), `config strongroom:vault.workloads[0].secrets[0].path: workload "orders": "kv/shop" is outside of the kv engine`},
		"upwards":              {"tooling", path("secret/shop/../ci"), `secrets[0].path: workload "orders": "secret/shop/../ci" contains ".."`},
		"star":                 {"tooling", path("secret/*/orders"), `secrets[0].path: workload "orders": "secret/*/orders" has a * in the middle`},
		"everything":           {"tooling", path("secret/*"), `secrets[0].path: workload "orders": "secret/*" is every secret there is`},
		"any namespace":        {"tooling", with(nil, func(w object) { w["namespace"] = "*" }), `config strongroom:vault.workloads[0].namespace: workload "orders": "*" is not the name of one namespace`},
		"any service account":  {"application", with(nil, func(w object) { w["serviceAccount"] = "*" }), `config strongroom:vault.workloads[0].serviceAccount: workload "orders": "*" is not the name of one service account`},
		"no project":           {"tooling", job(object{"branch": "main"}), `config strongroom:vault.workloads[0].gitlab.project: workload "deploy": is missing`},
		"no branch":            {"tooling", job(object{"project": "shop/deploy"}), `config strongroom:vault.workloads[0].gitlab.branch: workload "deploy": is missing`},
		"login not turned on":  {"tooling", inside(nil, object{"name": "a", "appRole": true, "secrets": []any{object{"path": "secret/a"}}}), `config strongroom:vault.workloads[0].appRole: workload "a": the login by AppRole is not turned on`},
		"no way to log in":     {"tooling", inside(nil, object{"name": "a", "secrets": []any{object{"path": "secret/a"}}}), `config strongroom:vault.workloads[0]: workload "a": has 0 ways to log in`},
		"misspelt":             {"tooling", with(nil, func(w object) { w["namespaces"] = "shop" }), `config strongroom:vault.workloads[0].namespaces: unknown key, did you mean "namespace"?`},
		"engine":               {"tooling", inside(object{"databases": []any{object{"name": "o", "engine": "oracle", "address": "a:1", "username": "v", "database": "o"}}}), `config strongroom:vault.databases[0].engine: "oracle" is no database that Vault knows here`},
		"plain":                {"tooling", inside(object{"databases": []any{object{"name": "o", "engine": "mysql", "address": "a:1", "username": "v", "database": "o", "insecurePlain": true}}}), `config strongroom:vault.databases[0].insecurePlain: passwords would cross the network in plain text`},
		"key":                  {"tooling", inside(object{"logins": object{"gitlab": true, "gitlabPublicKeys": []any{"key"}}}), `config strongroom:vault.logins.gitlabPublicKeys[0]: is no public key in PEM`},
		"endpoint":             {"tooling", inside(object{"logins": object{"aws": true, "stsEndpoint": "sts"}}), `config strongroom:vault.logins.stsEndpoint: "sts" is no URL`},
		"application's name":   {"tooling", inside(object{"applications": []any{"*"}}), `config strongroom:vault.applications[0]: "*" is no usable name`},
		"undeclared":           {"tooling", object{"logins": object{"aws": true}}, `config strongroom:vault.logins: has no effect: nothing inside of Vault is declared without strongroom:vault.workloads`},
		"mode":                 {"tooling", inside(object{"access": object{"mode": "vpn"}}), `config strongroom:vault.access.mode: "vpn" is no way to Vault: expected one of "tunnel", "direct"`},
		"port":                 {"application", inside(object{"access": object{"port": 80}}), `config strongroom:vault.access.port: 80 is no usable port`},
		"limit":                {"tooling", inside(object{"access": object{"waitMinutes": 0}}), `config strongroom:vault.access.waitMinutes: 0 minutes are no usable limit`},
		"method in tooling":    {"tooling", inside(object{"logins": object{"cluster": "jwt"}}), `config strongroom:vault.logins.cluster: only an application stack has this key`},
		"unknown method":       {"application", inside(object{"logins": object{"cluster": "local"}}), `config strongroom:vault.logins.cluster: "local" is no way to verify tokens: expected one of "jwt", "kubernetes"`},
		"shared login":         {"application", inside(object{"logins": object{"aws": true}}), `config strongroom:vault.logins.aws: only a tooling stack has this key`},
		"shared databases":     {"application", inside(object{"databases": []any{}}), `config strongroom:vault.databases: only a tooling stack has this key`},
		"AppRole of a cluster": {"application", inside(nil, object{"name": "a", "appRole": true, "secrets": []any{object{"path": "secret/a"}}}), `config strongroom:vault.workloads[0].appRole: workload "a": only a tooling stack has this key`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(test.stack, values(t, set("vault", test.vault)))
			require.ErrorContains(t, err, test.want)
			var config *ConfigError
			require.ErrorAs(t, err, &config)
			require.Len(t, config.Problems, 1, "%v", config.Problems)
		})
	}
}
