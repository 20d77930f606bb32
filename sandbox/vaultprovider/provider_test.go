package vaultprovider

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

type m = map[string]any

func urnOf(token string) string { return "urn:pulumi:dev::project::" + token + "::thing" }

func properties(t *testing.T, values m) *structpb.Struct {
	t.Helper()
	s, err := plugin.Marshal(resource.NewPropertyMapFromMap(values))
	require.NoError(t, err)
	return s
}

func plain(t *testing.T, s *structpb.Struct) m {
	t.Helper()
	opened, err := plugin.Unmarshal(s)
	require.NoError(t, err)
	values, _ := plugin.PlainMap(opened)
	return values
}

// configured is a provider for a Vault.
func configured(t *testing.T, address string) *Provider {
	t.Helper()
	p := New()
	_, err := p.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: properties(t, m{
		"address": address, "token": rootToken, "skipChildToken": "true",
	})})
	require.NoError(t, err)
	return p
}

// cases has each resource type with inputs, the path of what it writes, what is there,
// an input whose change is an update and one whose change is a replacement.
var cases = map[string]struct {
	inputs          m
	id, path        string
	written         m
	update, replace m
	afterUpdate     m
	kept            bool // stays when it is deleted
	samePath        bool // its replacement has the same path
	removed         string
}{
	"vault:index/mount:Mount": {
		inputs: m{"path": "kv", "type": "kv", "options": m{"version": "2"}},
		id:     "kv", path: "sys/mounts/kv",
		written: m{"type": "kv", "options": m{"version": "2"}},
		update:  m{"description": "secrets"}, afterUpdate: m{"description": "secrets"},
		replace: m{"type": "database"}, samePath: true,
	},
	"vault:index/authBackend:AuthBackend": {
		inputs: m{"type": "kubernetes", "path": "kubernetes-tooling"},
		id:     "kubernetes-tooling", path: "sys/auth/kubernetes-tooling",
		written: m{"type": "kubernetes"},
		update:  m{"description": "pods"}, afterUpdate: m{"description": "pods"},
		replace: m{"type": "jwt"}, samePath: true,
	},
	"vault:jwt/authBackend:AuthBackend": {
		inputs: m{"path": "gitlab", "jwtValidationPubkeys": []any{"key"}, "boundIssuer": "https://gitlab.com"},
		id:     "gitlab", path: "auth/gitlab/config",
		written: m{"bound_issuer": "https://gitlab.com", "jwt_validation_pubkeys": []any{"key"}, "namespace_in_state": true},
		update:  m{"boundIssuer": "https://gitlab.example.com"}, afterUpdate: m{"bound_issuer": "https://gitlab.example.com"},
		replace: m{"type": "oidc"}, samePath: true, removed: "sys/auth/gitlab",
	},
	"vault:index/policy:Policy": {
		inputs: m{"name": "tooling-runner", "policy": `path "kv/data/x" { capabilities = ["read"] }`},
		id:     "tooling-runner", path: "sys/policies/acl/tooling-runner",
		written: m{"policy": `path "kv/data/x" { capabilities = ["read"] }`},
		update:  m{"policy": "# nothing"}, afterUpdate: m{"policy": "# nothing"},
		replace: m{"name": "tooling-backup"},
	},
	"vault:kubernetes/authBackendConfig:AuthBackendConfig": {
		inputs: m{"backend": "kubernetes-tooling", "kubernetesHost": "https://10.0.0.1", "disableLocalCaJwt": true},
		id:     "auth/kubernetes-tooling/config", path: "auth/kubernetes-tooling/config",
		written: m{"kubernetes_host": "https://10.0.0.1", "disable_local_ca_jwt": true},
		update:  m{"kubernetesHost": "https://10.0.0.2"}, afterUpdate: m{"kubernetes_host": "https://10.0.0.2"},
		replace: m{"backend": "other"}, kept: true,
	},
	"vault:kubernetes/authBackendRole:AuthBackendRole": {
		inputs: m{"backend": "kubernetes-tooling", "roleName": "runner", "boundServiceAccountNames": []any{"b", "a"},
			"boundServiceAccountNamespaces": []any{"ci"}, "audience": "vault", "tokenPolicies": []any{"tooling-runner"}, "tokenTtl": 3600},
		id: "auth/kubernetes-tooling/role/runner", path: "auth/kubernetes-tooling/role/runner",
		written: m{"bound_service_account_names": []any{"a", "b"}, "audience": "vault", "token_ttl": 3600.0, "token_type": "default"},
		update:  m{"tokenTtl": 60}, afterUpdate: m{"token_ttl": 60.0},
		replace: m{"roleName": "other"},
	},
	"vault:jwt/authBackendRole:AuthBackendRole": {
		inputs: m{"backend": "gitlab", "roleName": "deploy", "roleType": "jwt", "userClaim": "project_path",
			"boundClaims": m{"ref": "main"}, "boundAudiences": []any{"https://vault"}},
		id: "auth/gitlab/role/deploy", path: "auth/gitlab/role/deploy",
		written: m{"bound_claims": m{"ref": "main"}, "user_claim": "project_path"},
		update:  m{"boundClaims": m{"ref": "release"}}, afterUpdate: m{"bound_claims": m{"ref": "release"}},
		replace: m{"roleType": "oidc"}, samePath: true,
	},
	"vault:appRole/authBackendRole:AuthBackendRole": {
		inputs: m{"backend": "approle", "roleName": "backup", "secretIdNumUses": 1},
		id:     "auth/approle/role/backup", path: "auth/approle/role/backup",
		written: m{"secret_id_num_uses": 1.0, "bind_secret_id": true},
		update:  m{"secretIdNumUses": 2}, afterUpdate: m{"secret_id_num_uses": 2.0},
		replace: m{"roleName": "other"},
	},
	"vault:aws/authBackendClient:AuthBackendClient": {
		inputs: m{"backend": "aws", "stsEndpoint": "https://sts.eu-west-1.amazonaws.com", "stsRegion": "eu-west-1"},
		id:     "auth/aws/config/client", path: "auth/aws/config/client",
		written: m{"sts_region": "eu-west-1", "max_retries": -1.0},
		update:  m{"stsRegion": "eu-west-2"}, afterUpdate: m{"sts_region": "eu-west-2"},
		replace: m{"backend": "other"},
	},
	"vault:aws/authBackendRole:AuthBackendRole": {
		inputs: m{"backend": "aws", "role": "backup", "boundIamPrincipalArns": []any{"arn:aws:iam::123456789012:role/backup"}, "resolveAwsUniqueIds": false},
		id:     "auth/aws/role/backup", path: "auth/aws/role/backup",
		written: m{"bound_iam_principal_arn": []any{"arn:aws:iam::123456789012:role/backup"}, "auth_type": "iam", "resolve_aws_unique_ids": false},
		update:  m{"tokenMaxTtl": 60}, afterUpdate: m{"token_max_ttl": 60.0},
		replace: m{"authType": "ec2"}, samePath: true,
	},
	"vault:database/secretBackendConnection:SecretBackendConnection": {
		inputs: m{"backend": "database", "name": "orders", "allowedRoles": []any{"tooling-*"}, "verifyConnection": false,
			"postgresql": m{"connectionUrl": "postgresql://x", "username": "vault"}},
		id: "database/config/orders", path: "database/config/orders",
		written: m{"plugin_name": "postgresql-database-plugin", "connection_url": "postgresql://x", "username": "vault", "max_open_connections": 2.0},
		update:  m{"postgresql": m{"connectionUrl": "postgresql://y", "username": "vault"}}, afterUpdate: m{"connection_url": "postgresql://y"},
		replace: m{"name": "other"},
	},
	"vault:database/secretBackendRole:SecretBackendRole": {
		inputs: m{"backend": "database", "name": "tooling-orders", "dbName": "orders", "creationStatements": []any{"CREATE"}, "defaultTtl": 60},
		id:     "database/roles/tooling-orders", path: "database/roles/tooling-orders",
		written: m{"db_name": "orders", "creation_statements": []any{"CREATE"}, "default_ttl": 60.0},
		update:  m{"defaultTtl": 30}, afterUpdate: m{"default_ttl": 30.0},
		replace: m{"dbName": "other"}, samePath: true,
	},
}

func with(values, change m) m {
	out := maps.Clone(values)
	maps.Copy(out, change)
	return out
}

// Every type is created, unchanged, read, changed, replaced where it must be, and deleted.
func TestLifeOfEveryType(t *testing.T) {
	require.Len(t, cases, len(kinds), "a case for every type")
	for token, c := range cases {
		t.Run(token, func(t *testing.T) {
			fake, address := newFake(t)
			p := configured(t, address)
			checked, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(token), News: properties(t, c.inputs)})
			require.NoError(t, err)
			require.Empty(t, checked.GetFailures())
			created, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(token), Properties: checked.GetInputs()})
			require.NoError(t, err)
			require.Equal(t, c.id, created.GetId())
			require.Subset(t, fake.has(t, c.path), c.written)
			for _, name := range kinds[token].computed {
				require.NotEmpty(t, plain(t, created.GetProperties())[name], name)
			}

			diff := func(inputs *structpb.Struct, change m) *pulumirpc.DiffResponse {
				t.Helper()
				d, err := p.Diff(t.Context(), &pulumirpc.DiffRequest{Id: c.id, Urn: urnOf(token),
					Olds: created.GetProperties(), OldInputs: inputs, News: properties(t, with(c.inputs, change))})
				require.NoError(t, err)
				return d
			}
			require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, diff(checked.GetInputs(), nil).GetChanges())

			read, err := p.Read(t.Context(), &pulumirpc.ReadRequest{Id: c.id, Urn: urnOf(token),
				Properties: created.GetProperties(), Inputs: checked.GetInputs()})
			require.NoError(t, err)
			require.Equal(t, c.id, read.GetId())
			require.Empty(t, diff(read.GetInputs(), nil).GetDetailedDiff(), "a refresh finds no drift")

			d := diff(checked.GetInputs(), c.update)
			require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, d.GetChanges())
			require.Empty(t, d.GetReplaces())
			d = diff(checked.GetInputs(), c.replace)
			require.NotEmpty(t, d.GetReplaces())
			require.Equal(t, c.samePath, d.GetDeleteBeforeReplace())

			_, err = p.Update(t.Context(), &pulumirpc.UpdateRequest{Id: c.id, Urn: urnOf(token),
				Olds: created.GetProperties(), News: properties(t, with(c.inputs, c.update))})
			require.NoError(t, err)
			require.Subset(t, fake.has(t, c.path), c.afterUpdate)
			read, err = p.Read(t.Context(), &pulumirpc.ReadRequest{Id: c.id, Urn: urnOf(token),
				Properties: created.GetProperties(), Inputs: checked.GetInputs()})
			require.NoError(t, err)
			require.NotEmpty(t, diff(read.GetInputs(), nil).GetDetailedDiff(), "a refresh finds what another hand changed")

			for range 2 { // what is gone already is as good
				_, err = p.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: c.id, Urn: urnOf(token), Properties: created.GetProperties()})
				require.NoError(t, err)
			}
			if !c.kept {
				removed := c.path
				if c.removed != "" {
					removed = c.removed
				}
				require.NotContains(t, fake.data, removed)
				read, err = p.Read(t.Context(), &pulumirpc.ReadRequest{Id: c.id, Urn: urnOf(token),
					Properties: created.GetProperties(), Inputs: checked.GetInputs()})
				require.NoError(t, err)
				require.Empty(t, read.GetId(), "what is gone is not read")
			}
		})
	}
}

// A mount that a killed run made is taken over, and another's is not.
func TestMountOfAKilledRunIsTakenOver(t *testing.T) {
	tried := 0
	for token, k := range kinds {
		if k.mounted == nil {
			continue
		}
		tried++
		fake, address := newFake(t)
		p := configured(t, address)
		checked, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(token), News: properties(t, with(cases[token].inputs, m{"description": "ours"}))})
		require.NoError(t, err)
		create := func() error {
			_, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(token), Properties: checked.GetInputs()})
			return err
		}
		require.NoError(t, create())
		require.NoError(t, create(), "the state did not know of the first: %s", token)
		for path, held := range fake.data {
			if mountPath.MatchString(path) {
				held["description"] = "somebody else's"
			}
		}
		require.ErrorContains(t, create(), "path is already in use", token)
	}
	require.Equal(t, 3, tried)
}

// A preview makes nothing, asks nobody, and leaves computed outputs unknown.
func TestPreviewContactsNothing(t *testing.T) {
	fake, address := newFake(t)
	p := configured(t, address)
	for token, c := range cases {
		created, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(token), Properties: properties(t, c.inputs), Preview: true})
		require.NoError(t, err)
		opened, err := plugin.Unmarshal(created.GetProperties())
		require.NoError(t, err)
		for _, name := range kinds[token].computed {
			require.True(t, opened[resource.PropertyKey(name)].IsComputed(), name)
		}
		_, err = p.Update(t.Context(), &pulumirpc.UpdateRequest{Id: c.id, Urn: urnOf(token), Preview: true,
			Olds: created.GetProperties(), News: properties(t, with(c.inputs, c.update))})
		require.NoError(t, err)
	}
	require.Empty(t, fake.requests)
}

// What is taken out of a declaration is taken out of Vault.
func TestRemovedInputIsWrittenAsNothing(t *testing.T) {
	fake, address := newFake(t)
	p := configured(t, address)
	const token = "vault:jwt/authBackendRole:AuthBackendRole"
	inputs := with(cases[token].inputs, m{"boundSubject": "me"})
	created, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(token), Properties: properties(t, inputs)})
	require.NoError(t, err)
	_, err = p.Update(t.Context(), &pulumirpc.UpdateRequest{Id: created.GetId(), Urn: urnOf(token),
		Olds: created.GetProperties(), News: properties(t, cases[token].inputs)})
	require.NoError(t, err)
	require.Equal(t, "", fake.bodies["auth/gitlab/role/deploy"]["bound_subject"])
}

// After Vault rotated a password, writing the one that is known here would break the
// connection: it is written when it is new, and not again.
func TestPasswordIsWrittenOnce(t *testing.T) {
	fake, address := newFake(t)
	p := configured(t, address)
	const token = "vault:database/secretBackendConnection:SecretBackendConnection"
	inputs := with(cases[token].inputs, m{"postgresql": m{"connectionUrl": "postgresql://x", "username": "vault", "password": "initial"}})
	created, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(token), Properties: properties(t, inputs)})
	require.NoError(t, err)
	require.Equal(t, "initial", fake.bodies["database/config/orders"]["password"])
	_, err = p.Update(t.Context(), &pulumirpc.UpdateRequest{Id: created.GetId(), Urn: urnOf(token),
		Olds: created.GetProperties(), News: properties(t, with(inputs, m{"allowedRoles": []any{"*"}}))})
	require.NoError(t, err)
	require.NotContains(t, fake.bodies["database/config/orders"], "password")
}

func TestCheckRefuses(t *testing.T) {
	p := New()
	for want, c := range map[string]struct {
		token  string
		inputs m
	}{
		`has no property "polcy" here: expected one of name, policy`: {"vault:index/policy:Policy", m{"name": "x", "policy": "y", "polcy": "z"}},
		`missing required property "policy"`:                         {"vault:index/policy:Policy", m{"name": "x"}},
		`policy: expected a string`:                                  {"vault:index/policy:Policy", m{"name": "x", "policy": 1}},
		`defaultLeaseTtlSeconds: expected a whole number`:            {"vault:index/mount:Mount", m{"path": "x", "type": "kv", "defaultLeaseTtlSeconds": 1.5}},
		`has no property "host" in postgresql`: {"vault:database/secretBackendConnection:SecretBackendConnection",
			m{"backend": "x", "name": "y", "postgresql": m{"host": "z"}}},
	} {
		checked, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(c.token), News: properties(t, c.inputs)})
		require.NoError(t, err)
		require.Len(t, checked.GetFailures(), 1)
		require.Contains(t, checked.GetFailures()[0].GetReason(), want)
	}
	_, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf("vault:index/token:Token")})
	require.ErrorContains(t, err, `has no resource type "vault:index/token:Token"`)
}

func TestSettings(t *testing.T) {
	_, address := newFake(t)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(rootToken+"\n"), 0o600))
	open := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(open, []byte(rootToken), 0o600))
	require.NoError(t, os.Chmod(open, 0o644)) // #nosec G302 -- the test is about it
	create := func(config m) error {
		p := New()
		if _, err := p.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: properties(t, config)}); err != nil {
			return err
		}
		_, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf("vault:index/policy:Policy"),
			Properties: properties(t, cases["vault:index/policy:Policy"].inputs)})
		return err
	}
	require.NoError(t, create(m{"address": address, "token": "", "skipChildToken": true, "authLoginTokenFile": m{"filename": file}}))
	require.NoError(t, create(m{"address": address, "skipChildToken": "true", "authLoginTokenFile": `{"filename":"` + file + `"}`}))
	for want, config := range map[string]m{
		"skipChildToken: expected true":               {"address": address},
		`has no setting "namespace"`:                  {"address": address, "namespace": "x"},
		"is the way to Vault open?":                   {"address": address, "skipChildToken": true, "authLoginTokenFile": m{"filename": file + ".none"}},
		"must be a file that only its owner can read": {"address": address, "skipChildToken": true, "authLoginTokenFile": m{"filename": open}},
		"does not accept the token":                   {"address": address, "skipChildToken": true, "token": "other"},
		`the provider "vault" has no address`:         {"skipChildToken": true},
		"authLoginTokenFile: expected an object":      {"address": address, "skipChildToken": true, "authLoginTokenFile": "x"},
	} {
		require.ErrorContains(t, create(config), want)
	}
}
