package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/awsapi"
	"github.com/strongroom-platform/strongroom/internal/vaultops"
	"github.com/strongroom-platform/strongroom/sandbox/account"
	simulated "github.com/strongroom-platform/strongroom/sandbox/awsapi"
	"github.com/strongroom-platform/strongroom/sandbox/kms"
	"github.com/strongroom-platform/strongroom/sandbox/s3"
	"github.com/strongroom-platform/strongroom/sandbox/secretsmanager"
	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
	"github.com/strongroom-platform/strongroom/sandbox/vault"
	"github.com/strongroom-platform/strongroom/sandbox/vault/vaulttest"
)

const (
	vaultTestRegion = "eu-central-1"
	vaultTestBucket = "vault-snapshots"
)

// vaultFixture is a command line in front of three real servers, unsealed by the
// simulated KMS, with the recovery secret and the bucket in the simulated account.
// The cluster is not there: a token is made where a service account would log in, and
// the servers' folders are what its volumes would be.
type vaultFixture struct {
	*fixture
	dir     string
	servers *vault.Servers
	ops     *vaultops.Vault
	secret  *testSecret
	storage *processStorage
	typed   []string // what is answered to hidden questions
	// root is the token of the last init.
	root string
}

// testSecret is the real one, whose writes can be made to fail.
type testSecret struct {
	awsSecret
	writes int
	failAt int
}

func (s *testSecret) Write(ctx context.Context, secret vaultops.Secret) error {
	s.writes++
	if s.writes == s.failAt {
		return errors.New("the network is gone")
	}
	return s.awsSecret.Write(ctx, secret)
}

// processStorage is the storage of servers that are processes.
type processStorage struct {
	servers *vault.Servers
	refuse  error
	empties int
	starts  int
}

func (p *processStorage) Check(context.Context) error         { return p.refuse }
func (p *processStorage) Waits(context.Context) error         { return p.refuse }
func (p *processStorage) Begun(context.Context) (bool, error) { return false, nil }
func (p *processStorage) Plan() []string                      { return []string{"stop the servers", "delete their folders"} }
func (p *processStorage) FirstStart(context.Context) error    { p.starts++; return nil }

func (p *processStorage) Empty(ctx context.Context) error {
	p.empties++
	return p.servers.Wipe(ctx)
}

// vaultBinary finds Vault. Without it these tests can prove nothing: in CI that is a
// failure.
func vaultBinary(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("STRONGROOM_TOOLS_BIN")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", ".sandbox", "bin")
	}
	path := filepath.Join(dir, "vault")
	if _, err := os.Stat(path); err != nil {
		message := fmt.Sprintf("vault is not built in %s: run `make tools`, or set STRONGROOM_TOOLS_BIN", dir)
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	return path
}

func newVaultFixture(t *testing.T) *vaultFixture {
	t.Helper()
	f := &vaultFixture{fixture: newFixture(t), dir: t.TempDir()}
	f.app.now = time.Now
	binary := vaultBinary(t)
	a, err := account.Open(filepath.Join(f.dir, "account"), nil, account.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	create := func(typ string, inputs map[string]any) string {
		_, outputs, err := a.Create(t.Context(), account.CreateRequest{Type: typ, Region: vaultTestRegion, Inputs: inputs})
		require.NoError(t, err)
		arn, _ := outputs["arn"].(string)
		return arn
	}
	key := create("aws:kms/key:Key", map[string]any{"description": "unseals Vault"})
	secret := create("aws:secretsmanager/secret:Secret", map[string]any{"name": "recovery", "kmsKeyId": key})
	create("aws:s3/bucketV2:BucketV2", map[string]any{"bucket": vaultTestBucket})
	operator, found := a.Identity("sandbox-operator")
	require.True(t, found)
	credentials := func(id string) (simulated.Credential, bool) {
		return simulated.Credential{
			Key: sigv4.Key{Secret: operator.SecretAccessKey}, Caller: simulated.Caller{ARN: operator.ARN},
		}, id == operator.AccessKeyID
	}
	log := slog.New(slog.DiscardHandler)
	keys := kms.New(a, f.dir)
	server := httptest.NewServer(simulated.Dispatch{
		kms.Scope:            keys.Handler(credentials, log),
		secretsmanager.Scope: secretsmanager.New(a, keys, f.dir).Handler(credentials, log),
		s3.Scope:             &s3.Server{Account: a, Credentials: credentials, Log: log},
	})
	t.Cleanup(server.Close)
	session := &awsapi.Session{
		Region: vaultTestRegion, Endpoints: map[string]string{"": server.URL},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: operator.AccessKeyID, SecretAccessKey: operator.SecretAccessKey}, nil
		}),
	}
	f.servers, err = vault.New(vault.Options{Dir: filepath.Join(f.dir, "vault"), Binary: binary})
	require.NoError(t, err)
	ca, certificate, private := vaulttest.Certificates(t)
	t.Cleanup(func() { require.NoError(t, f.servers.Stop()) })
	require.NoError(t, f.servers.Start(t.Context(), vault.Config{
		HCL: vaulttest.HCL(vaultTestRegion, key, 3), Replicas: 3, CA: ca, Certificate: certificate, Key: private, Region: vaultTestRegion, Endpoint: server.URL,
		Environment: []string{"AWS_ACCESS_KEY_ID=" + operator.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + operator.SecretAccessKey},
	}))
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(ca))
	f.ops = &vaultops.Vault{Client: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: vault.ServerName, MinVersion: tls.VersionTLS12},
	}}}
	names := map[string]string{}
	for _, s := range f.servers.List() {
		f.ops.Servers = append(f.ops.Servers, s.URL)
		names[s.URL] = s.Name
	}
	f.secret = &testSecret{awsSecret: awsSecret{session, secret}}
	f.storage = &processStorage{servers: f.servers}
	f.app.reach = func(context.Context, vaultFlags) (*vaultSite, error) {
		return &vaultSite{
			ops: f.ops, names: names, login: f.login, secret: f.secret, snapshots: awsBucket{session, vaultTestBucket},
			storage: f.storage, what: "AWS of the test", leave: func() {},
		}, nil
	}
	f.app.typed = func(string) ([]byte, error) {
		next := f.typed[0]
		f.typed = f.typed[1:]
		return []byte(next), nil
	}
	return f
}

// vault runs a command; answer is what the person types.
func (f *vaultFixture) vault(answer string, args ...string) int {
	f.asks = answer != ""
	f.in = strings.NewReader(answer + "\n")
	return f.call(append([]string{"vault"}, args...)...)
}

// api calls Vault as root, at its leader.
func (f *vaultFixture) api(method, path string, input any) (int, map[string]any) {
	f.t.Helper()
	active := f.ops.Servers[0]
	if f.root != "" {
		var err error
		active, err = f.ops.Active(f.t.Context())
		require.NoError(f.t, err)
	}
	return f.apiAs(f.root, active, method, path, input)
}

func (f *vaultFixture) apiAs(token, server, method, path string, input any) (int, map[string]any) {
	f.t.Helper()
	body, err := json.Marshal(input)
	require.NoError(f.t, err)
	request, err := http.NewRequestWithContext(f.t.Context(), method, server+"/v1/"+path, bytes.NewReader(body))
	require.NoError(f.t, err)
	request.Header.Set("X-Vault-Token", token)
	response, err := f.ops.Client.Do(request)
	require.NoError(f.t, err)
	defer func() { _ = response.Body.Close() }()
	answer := map[string]any{}
	if response.StatusCode != http.StatusNoContent {
		require.NoError(f.t, json.NewDecoder(response.Body).Decode(&answer))
	}
	return response.StatusCode, answer
}

// must is api for what has to work.
func (f *vaultFixture) must(method, path string, input any) map[string]any {
	f.t.Helper()
	status, answer := f.api(method, path, input)
	require.Less(f.t, status, 300, "%s %s: %v", method, path, answer)
	return answer
}

// init is step 3 of the first start, and returns the recovery keys.
func (f *vaultFixture) init() []string {
	f.t.Helper()
	f.root = ""
	made := f.must(http.MethodPut, "sys/init", map[string]int{"recovery_shares": 5, "recovery_threshold": 3})
	var keys []string
	for _, key := range made["recovery_keys_base64"].([]any) {
		keys = append(keys, key.(string))
	}
	f.root = made["root_token"].(string)
	f.unsealed()
	return keys
}

// unsealed waits until every server is.
func (f *vaultFixture) unsealed() {
	f.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for {
		missing := ""
		active := false
		for _, s := range f.ops.Status(f.t.Context()) {
			if s.Failure != "" || !s.Initialized || s.Sealed {
				missing = fmt.Sprintf("%+v", s)
			}
			active = active || s.Active
		}
		if missing == "" && active {
			return
		}
		select {
		case <-limit:
			require.Empty(f.t, missing, "a server is not unsealed")
			require.True(f.t, active, "no server is active")
		case <-tick.C:
		}
	}
}

// provision does what else of the first start matters here, with the policies that
// it ships.
func (f *vaultFixture) provision(keys []string) {
	f.t.Helper()
	for _, name := range []string{provisionerRole, snapshotRole} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "gitops", "infrastructure", "configs", "vault-init", name+".hcl"))
		require.NoError(f.t, err)
		f.must(http.MethodPut, "sys/policies/acl/"+name, map[string]string{"policy": string(text)})
	}
	f.must(http.MethodPost, "sys/auth/provisioner", map[string]string{"type": "kubernetes"})
	f.must(http.MethodPost, "sys/mounts/kv", map[string]any{"type": "kv"})
	// Twice, as step 7 does: no label is left on a version before.
	for range 2 {
		require.NoError(f.t, f.secret.awsSecret.Write(f.t.Context(), vaultops.Secret{State: vaultops.Finished, Keys: keys, Threshold: 3}))
	}
}

// login makes the token that the role would give.
func (f *vaultFixture) login(_ context.Context, serviceAccount, role string) (string, error) {
	if want := "vault-" + role; serviceAccount != want {
		return "", fmt.Errorf("the role %s is for %s, not for %s", role, want, serviceAccount)
	}
	made := f.must(http.MethodPost, "auth/token/create", map[string]any{"policies": []string{role}, "no_parent": true, "ttl": "10m"})
	return made["auth"].(map[string]any)["client_token"].(string), nil
}

func (f *vaultFixture) put(name string) {
	f.t.Helper()
	f.must(http.MethodPut, "kv/"+name, map[string]string{"value": name})
}

func (f *vaultFixture) has(name string) bool {
	f.t.Helper()
	status, _ := f.api(http.MethodGet, "kv/"+name, nil)
	return status == http.StatusOK
}

// stored is the recovery secret as it is.
func (f *vaultFixture) stored() vaultops.Secret {
	f.t.Helper()
	s, err := f.secret.Read(f.t.Context(), labelCurrent)
	require.NoError(f.t, err)
	return s
}

// store writes the recovery secret so that no label is on a version before.
func (f *vaultFixture) store(s vaultops.Secret) {
	f.t.Helper()
	for range 2 {
		require.NoError(f.t, f.secret.awsSecret.Write(f.t.Context(), s))
	}
}
