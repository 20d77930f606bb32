package vaultconfig_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/vaultconfig"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

const (
	mountType      = "vault:index/mount:Mount"
	authType       = "vault:index/authBackend:AuthBackend"
	jwtType        = "vault:jwt/authBackend:AuthBackend"
	policyType     = "vault:index/policy:Policy"
	kubeConfigType = "vault:kubernetes/authBackendConfig:AuthBackendConfig"
	kubeRoleType   = "vault:kubernetes/authBackendRole:AuthBackendRole"
	jwtRoleType    = "vault:jwt/authBackendRole:AuthBackendRole"
	appRoleType    = "vault:appRole/authBackendRole:AuthBackendRole"
	awsClientType  = "vault:aws/authBackendClient:AuthBackendClient"
	awsRoleType    = "vault:aws/authBackendRole:AuthBackendRole"
	connectionType = "vault:database/secretBackendConnection:SecretBackendConnection"
	dbRoleType     = "vault:database/secretBackendRole:SecretBackendRole"
)

const caPEM = "-----BEGIN CERTIFICATE-----\nY2E=\n-----END CERTIFICATE-----\n"

// everything uses all there is: each engine, each way to log in.
func everything() *vaultconfig.Args {
	return &vaultconfig.Args{
		Owner: "tooling", KVMount: "kv", DatabaseMount: "database", OwnEngines: true,
		Databases: []vaultconfig.Database{
			{Name: "orders", Engine: "postgresql", Address: "orders.tooling.internal:5432", Username: "vault", Database: "orders", CA: caPEM},
			{Name: "catalog", Engine: "mysql", Address: "catalog.tooling.internal:3306", Username: "vault", Database: "catalog"},
		},
		DatabaseOwners: []string{"application"},
		Cluster: &vaultconfig.Cluster{
			Method: vaultconfig.Local, Endpoint: pulumi.String("https://api.example.com"),
			CertificateAuthority: pulumi.String(base64.StdEncoding.EncodeToString([]byte(caPEM))),
		},
		AppRole: true,
		AWS:     &vaultconfig.AWS{Region: "eu-west-1", ServerID: "vault.tooling.internal"},
		GitLab:  &vaultconfig.GitLab{URL: "https://gitlab.com", Audience: "https://vault.tooling.internal:8200"},
		Workloads: []vaultconfig.Workload{
			{
				Name: "orders", Namespace: "shop", ServiceAccount: "orders",
				Secrets:  []vaultconfig.Secret{{Path: "kv/shop/orders"}, {Path: "kv/shop/shared/*", Write: true}},
				Database: &vaultconfig.DatabaseUser{Name: "orders", Write: true, TTL: 30 * time.Minute, MaxTTL: 2 * time.Hour},
				TTL:      10 * time.Minute, MaxTTL: time.Hour,
			},
			{Name: "report", Namespace: "shop", ServiceAccount: "report", Database: &vaultconfig.DatabaseUser{Name: "catalog"}},
			{Name: "appliance", AppRole: true, Secrets: []vaultconfig.Secret{{Path: "kv/appliance"}}},
			{Name: "backup", IAMRoleARNs: []string{"arn:aws:iam::123456789012:role/backup"}, Secrets: []vaultconfig.Secret{{Path: "kv/backup"}}},
			{Name: "deploy", GitLab: &vaultconfig.GitLabJob{Project: "shop/deploy", Branch: "main"}, Secrets: []vaultconfig.Secret{{Path: "kv/deploy"}}},
		},
		Protect: true,
	}
}

func program(args *vaultconfig.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		provider, err := vault.NewProvider(ctx, "vault", &vault.ProviderArgs{
			Address: pulumi.String("https://127.0.0.1:8200"), Token: pulumi.String(""),
		})
		if err != nil {
			return err
		}
		_, err = vaultconfig.New(ctx, "tooling", args, pulumi.Providers(provider))
		return err
	}
}

func graph(t *testing.T, change func(*vaultconfig.Args)) *pulumitest.Graph {
	t.Helper()
	args := everything()
	if change != nil {
		change(args)
	}
	return pulumitest.RunBoth(t, program(args), pulumitest.Options{})
}

func TestEverything(t *testing.T) {
	g := graph(t, nil)
	g.CheckParents(t)
	g.CheckNames(t)
	g.CheckOutputs(t)
	g.CheckProviders(t, "vault")
	g.CheckProtect(t, true)
	component := g.Get(t, "strongroom:vaultconfig:VaultConfig", "tooling")
	for _, r := range g.Resources {
		if strings.HasPrefix(r.Type, "vault:") {
			require.Equal(t, component, g.ParentOf(r), "%s", r)
		}
	}
	require.Equal(t, "kubernetes-tooling", component.Output("clusterMount"))
	require.Equal(t, map[string]any{
		"orders": "kubernetes-tooling:orders", "report": "kubernetes-tooling:report",
		"appliance": "approle:appliance", "backup": "aws:backup", "deploy": "gitlab:deploy",
	}, component.Output("logins"))
	require.Empty(t, g.OfType("vault:index/audit:Audit"), "the first start owns the audit devices")
}

func TestEngines(t *testing.T) {
	g := graph(t, nil)
	kv := g.Get(t, mountType, "tooling-kv")
	require.Equal(t, "kv", kv.Get("path"))
	require.Equal(t, map[string]any{"version": "2"}, kv.Get("options"))
	require.Equal(t, "database", g.Get(t, mountType, "tooling-database").Get("type"))

	g = graph(t, func(a *vaultconfig.Args) { a.OwnEngines = false })
	require.Empty(t, g.OfType(mountType), "another stack's")
	require.Empty(t, g.OfType(connectionType))
	require.Len(t, g.OfType(dbRoleType), 2)
}

func TestConnections(t *testing.T) {
	g := graph(t, nil)
	orders := g.Get(t, connectionType, "tooling-database-orders")
	require.Equal(t, "postgresql://{{username}}:{{password}}@orders.tooling.internal:5432/orders?sslmode=verify-full", orders.Get("postgresql.connectionUrl"))
	require.Equal(t, "scram-sha-256", orders.Get("postgresql.passwordAuthentication"))
	require.Equal(t, caPEM, orders.Get("postgresql.tlsCa"))
	require.Equal(t, []any{"tooling-*", "application-*"}, orders.Get("allowedRoles"))
	catalog := g.Get(t, connectionType, "tooling-database-catalog")
	require.Equal(t, "{{username}}:{{password}}@tcp(catalog.tooling.internal:3306)/?tls=true", catalog.Get("mysql.connectionUrl"))
	for _, c := range g.OfType(connectionType) {
		require.Nil(t, c.Get("postgresql.password"), "no password is ever in the state")
		require.Nil(t, c.Get("mysql.password"))
		require.Equal(t, false, c.Get("verifyConnection"), "before the password is handed over")
		require.True(t, g.DependsOn(c, g.Get(t, mountType, "tooling-database")))
	}
}

func TestLogins(t *testing.T) {
	g := graph(t, nil)
	config := g.Get(t, kubeConfigType, "tooling-kubernetes-tooling-config")
	require.Equal(t, "https://api.example.com", config.Get("kubernetesHost"))
	require.Equal(t, caPEM, config.Get("kubernetesCaCert"))
	require.Equal(t, false, config.Get("disableLocalCaJwt"), "Vault reviews with the token of its own pod")
	require.Nil(t, config.Get("tokenReviewerJwt"))

	role := g.Get(t, kubeRoleType, "tooling-orders-login")
	require.Equal(t, map[string]any{
		"backend": "kubernetes-tooling", "roleName": "orders", "audience": "vault",
		"boundServiceAccountNames": []any{"orders"}, "boundServiceAccountNamespaces": []any{"shop"},
		"tokenPolicies": []any{"tooling-orders"}, "tokenTtl": 600.0, "tokenMaxTtl": 3600.0,
	}, without(role.Plain()))

	require.Equal(t, map[string]any{
		"backend": "approle", "roleName": "appliance", "bindSecretId": true, "secretIdNumUses": 1.0, "secretIdTtl": 600.0,
		"tokenPolicies": []any{"tooling-appliance"}, "tokenTtl": 3600.0, "tokenMaxTtl": 86400.0,
	}, without(g.Get(t, appRoleType, "tooling-appliance-login").Plain()))

	require.Equal(t, map[string]any{
		"backend": "aws", "stsEndpoint": "https://sts.eu-west-1.amazonaws.com", "stsRegion": "eu-west-1",
		"iamServerIdHeaderValue": "vault.tooling.internal",
	}, without(g.Get(t, awsClientType, "tooling-aws-client").Plain()))
	require.Equal(t, map[string]any{
		"backend": "aws", "role": "backup", "authType": "iam", "resolveAwsUniqueIds": false,
		"boundIamPrincipalArns": []any{"arn:aws:iam::123456789012:role/backup"},
		"tokenPolicies":         []any{"tooling-backup"}, "tokenTtl": 3600.0, "tokenMaxTtl": 86400.0,
	}, without(g.Get(t, awsRoleType, "tooling-backup-login").Plain()))

	require.Equal(t, "https://gitlab.com", g.Get(t, jwtType, "tooling-gitlab").Get("oidcDiscoveryUrl"))
	require.Equal(t, map[string]any{
		"backend": "gitlab", "roleName": "deploy", "roleType": "jwt", "userClaim": "project_path",
		"boundAudiences": []any{"https://vault.tooling.internal:8200"}, "boundClaimsType": "string",
		"boundClaims":   map[string]any{"project_path": "shop/deploy", "ref_type": "branch", "ref": "main", "ref_protected": "true"},
		"tokenPolicies": []any{"tooling-deploy"}, "tokenTtl": 3600.0, "tokenMaxTtl": 86400.0,
	}, without(g.Get(t, jwtRoleType, "tooling-deploy-login").Plain()))
}

// The roles of every login have an audience, or another thing that binds a login to this
// Vault and to one identity.
func TestClusterByJWT(t *testing.T) {
	for name, test := range map[string]struct {
		issuer, ca string
	}{
		"an issuer of EKS has a public certificate": {"https://oidc.eks.eu-west-1.amazonaws.com/id/1", ""},
		"an API server that is the issuer":          {"https://api.example.com", caPEM},
	} {
		t.Run(name, func(t *testing.T) {
			g := graph(t, func(a *vaultconfig.Args) {
				a.Owner = "application"
				a.Cluster.Method, a.Cluster.OIDCIssuer = vaultconfig.JWT, pulumi.String(test.issuer)
			})
			mount := g.Get(t, jwtType, "tooling-jwt-application")
			require.Equal(t, test.issuer, mount.Get("oidcDiscoveryUrl"))
			require.Equal(t, test.issuer, mount.Get("boundIssuer"))
			require.Equal(t, test.ca, mount.Get("oidcDiscoveryCaPem"))
			require.Equal(t, map[string]any{
				"backend": "jwt-application", "roleName": "orders", "roleType": "jwt", "userClaim": "sub",
				"boundAudiences": []any{"vault"}, "boundSubject": "system:serviceaccount:shop:orders",
				"tokenPolicies": []any{"application-orders"}, "tokenTtl": 600.0, "tokenMaxTtl": 3600.0,
			}, without(g.Get(t, jwtRoleType, "tooling-orders-login").Plain()))
		})
	}
}

func TestClusterByItsAPI(t *testing.T) {
	g := graph(t, func(a *vaultconfig.Args) { a.Cluster.Method = vaultconfig.Kubernetes })
	require.Equal(t, true, g.Get(t, kubeConfigType, "tooling-kubernetes-tooling-config").Get("disableLocalCaJwt"),
		"Vault's own token is no token of this cluster")
	require.Equal(t, "https://kubernetes.default.svc", g.Get(t, kubeRoleType, "tooling-orders-login").Get("audience"))
	g = graph(t, func(a *vaultconfig.Args) {
		a.Cluster.Method, a.Cluster.APIAudience = vaultconfig.Kubernetes, pulumi.String("https://api.example.com")
	})
	require.Equal(t, "https://api.example.com", g.Get(t, kubeRoleType, "tooling-orders-login").Get("audience"))
}

func TestDatabaseRoles(t *testing.T) {
	g := graph(t, nil)
	role := g.Get(t, dbRoleType, "tooling-orders-database")
	require.Equal(t, "tooling-orders", role.Get("name"))
	require.Equal(t, "orders", role.Get("dbName"))
	require.Equal(t, 1800.0, role.Get("defaultTtl"))
	require.Equal(t, 7200.0, role.Get("maxTtl"))
	for input, want := range map[string]string{
		"creationStatements":   `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES`,
		"revocationStatements": `DROP ROLE IF EXISTS "{{name}}"`,
		"renewStatements":      `VALID UNTIL '{{expiration}}'`,
	} {
		require.Contains(t, joined(role.Get(input)), want)
	}
	require.Contains(t, joined(role.Get("creationStatements")), `GRANT CONNECT ON DATABASE "orders"`)

	reader := g.Get(t, dbRoleType, "tooling-report-database")
	require.Equal(t, []any{
		"CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'",
		"GRANT SELECT ON `catalog`.* TO '{{name}}'@'%'",
	}, reader.Get("creationStatements"))
	require.Equal(t, []any{"DROP USER IF EXISTS '{{name}}'@'%'"}, reader.Get("revocationStatements"))
	require.Nil(t, reader.Get("renewStatements"))
}

// A workload is two or three resources of its own, and taking it out takes out those and
// no other.
func TestRemovingAWorkload(t *testing.T) {
	before := graph(t, nil)
	after := graph(t, func(a *vaultconfig.Args) { a.Workloads = a.Workloads[1:] })
	gone := map[string]string{}
	for _, r := range before.Resources {
		other := after.Find(r.Type, r.Name)
		switch {
		case other == nil:
			gone[r.Name] = r.Type
		case strings.HasPrefix(r.Type, "vault:"):
			require.Equal(t, r.Plain(), other.Plain(), "%s", r)
		}
	}
	require.Equal(t, map[string]string{
		"tooling-orders-login": kubeRoleType, "tooling-orders-policy": policyType, "tooling-orders-database": dbRoleType,
	}, gone)
}

// What is inside Vault goes with Vault, and roles with their mount: a destroy of the
// servers needs no Vault that answers.
func TestWhatGoesWithVault(t *testing.T) {
	args := everything()
	g := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		s, err := pulumitest.NewSurroundings(ctx, nil)
		if err != nil {
			return err
		}
		args.Vault = s.AWS // stands for the cluster
		return program(args)(ctx)
	}, pulumitest.Options{})
	mounts := map[string]string{
		kubeConfigType: "tooling-kubernetes-tooling", kubeRoleType: "tooling-kubernetes-tooling",
		appRoleType: "tooling-approle", awsClientType: "tooling-aws", awsRoleType: "tooling-aws", jwtRoleType: "tooling-gitlab",
	}
	count := 0
	for _, r := range g.Resources {
		if !strings.HasPrefix(r.Type, "vault:") {
			continue
		}
		count++
		want := "pulumi:providers:aws::aws"
		if mount, ok := mounts[r.Type]; ok {
			want = "::" + mount
		}
		require.True(t, strings.HasSuffix(r.DeletedWith, want), "%s goes with %q, want %q", r, r.DeletedWith, want)
	}
	require.Equal(t, 22, count)
}

func without(inputs map[string]any) map[string]any {
	delete(inputs, "__defaults")
	return inputs
}

func joined(list any) string {
	var parts []string
	for _, s := range list.([]any) {
		parts = append(parts, s.(string))
	}
	return strings.Join(parts, "\n")
}
