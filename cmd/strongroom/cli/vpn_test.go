package cli

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
	"github.com/strongroom-platform/strongroom/vpnca"
)

const (
	vpnTestEndpoint = "cvpn-endpoint-0123456789abcdef0"
	vpnTestSecret   = "a secret of the test"
)

// fakeAWS is an S3 with conditional writes and an EC2 that takes revocation lists.
// It checks each signature with a second writing of the algorithm.
type fakeAWS struct {
	mu       sync.Mutex
	t        *testing.T
	object   []byte
	versions int
	lists    []string
	refuse   string // the code with which EC2 answers
}

func etagOf(data []byte) string {
	sum := sha256.Sum256(data)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	require.NoError(f.t, err)
	service := "s3"
	if r.Method == http.MethodPost {
		service = "ec2"
	}
	v := &sigv4.Verifier{Service: service, Keys: func(id string) (sigv4.Key, bool) { return sigv4.Key{Secret: vpnTestSecret}, id == "AKIDTEST" }}
	if _, err := v.Verify(sigv4.FromHTTP(r, body)); err != nil {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Error><Code>SignatureDoesNotMatch</Code><Message>%s</Message></Error>", err)
		return
	}
	switch {
	case service == "ec2":
		f.serveEC2(w, body, r.Header.Get("Content-Type"))
	case r.URL.Path != "/the-bucket/vpn/index.json":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchBucket</Code></Error>")
	case r.Method == http.MethodGet && f.object == nil:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchKey</Code></Error>")
	case r.Method == http.MethodGet:
		w.Header().Set("ETag", etagOf(f.object))
		_, _ = w.Write(f.object)
	case f.object == nil && r.Header.Get("If-None-Match") == "*", f.object != nil && r.Header.Get("If-Match") == etagOf(f.object):
		f.object = body
		f.versions++
	default:
		w.WriteHeader(http.StatusPreconditionFailed)
		fmt.Fprint(w, "<Error><Code>PreconditionFailed</Code></Error>")
	}
}

func (f *fakeAWS) serveEC2(w http.ResponseWriter, body []byte, contentType string) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", contentType)
	require.NoError(f.t, r.ParseForm())
	require.Equal(f.t, "ImportClientVpnClientCertificateRevocationList", r.PostForm.Get("Action"))
	require.Equal(f.t, vpnTestEndpoint, r.PostForm.Get("ClientVpnEndpointId"))
	if f.refuse != "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "<Response><Errors><Error><Code>%s</Code><Message>no</Message></Error></Errors><RequestID>R</RequestID></Response>", f.refuse)
		return
	}
	f.lists = append(f.lists, r.PostForm.Get("CertificateRevocationList"))
	fmt.Fprint(w, "<ImportClientVpnClientCertificateRevocationListResponse><return>true</return></ImportClientVpnClientCertificateRevocationListResponse>")
}

// vpnFixture is a command line whose tooling stack has a VPN.
type vpnFixture struct {
	*fixture
	aws   *fakeAWS
	dir   string
	caKey string
}

func newVPNFixture(t *testing.T) *vpnFixture {
	t.Helper()
	f := &vpnFixture{fixture: newFixture(t), aws: &fakeAWS{t: t}, dir: t.TempDir()}
	server := httptest.NewServer(f.aws)
	t.Cleanup(server.Close)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"} {
		t.Setenv(name, "")
	}
	credentials := filepath.Join(f.dir, "credentials")
	require.NoError(t, os.WriteFile(credentials, []byte("[default]\naws_access_key_id = AKIDTEST\naws_secret_access_key = "+vpnTestSecret+"\n"), 0o600))
	config := filepath.Join(f.dir, "config")
	require.NoError(t, os.WriteFile(config, nil, 0o600))
	f.env["AWS_SHARED_CREDENTIALS_FILE"], f.env["AWS_CONFIG_FILE"], f.env["AWS_ENDPOINT_URL"] = credentials, config, server.URL
	f.env["USER"] = "operator"

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the VPN's CA"}, SubjectKeyId: []byte{1},
		NotBefore: f.now(), NotAfter: f.now().AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	text, err := vpnca.EncodeKey(key, nil)
	require.NoError(t, err)
	f.caKey = string(text)
	f.engine.more = deploy.Outputs{
		"vpnEndpointId":      {Value: vpnTestEndpoint},
		"vpnEndpointDnsName": {Value: "*." + vpnTestEndpoint + ".prod.clientvpn.eu-west-1.amazonaws.com"},
		"vpnServerName":      {Value: "vpn.tooling.internal"},
		"vpnCaCertificate":   {Value: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))},
		"vpnCaPrivateKey":    {Value: f.caKey, Secret: true},
		"vpnBucket":          {Value: "the-bucket"},
	}
	return f
}

func (f *vpnFixture) vpn(args ...string) int { return f.call(append([]string{"vpn"}, args...)...) }

func (f *vpnFixture) profile(name string) string { return filepath.Join(f.dir, name+".ovpn") }

func (f *vpnFixture) issue(name string, args ...string) {
	f.t.Helper()
	require.Equal(f.t, exitOK, f.vpn(append([]string{"issue", name, "--out", f.profile(name)}, args...)...), f.err.String())
}

func (f *vpnFixture) revokedBy(n int) int {
	f.t.Helper()
	block, _ := pem.Decode([]byte(f.aws.lists[n]))
	list, err := x509.ParseRevocationList(block.Bytes)
	require.NoError(f.t, err)
	return len(list.RevokedCertificateEntries)
}

// Proves the way from the first profile to the locked-out person, with signed
// requests to S3 and EC2.
func TestVPN(t *testing.T) {
	f := newVPNFixture(t)
	require.Equal(t, exitOK, f.vpn("list"))
	require.Contains(t, f.out.String(), "Nobody has a certificate")
	f.issue("alice")
	require.Contains(t, f.out.String(), "valid until 2027-11-24")
	f.issue("bob")
	text, err := os.ReadFile(f.profile("alice"))
	require.NoError(t, err)
	require.Contains(t, string(text), "remote "+vpnTestEndpoint+".prod.clientvpn.eu-west-1.amazonaws.com 443\n")
	require.Contains(t, string(text), "verify-x509-name vpn.tooling.internal name\n")
	info, err := os.Stat(f.profile("alice"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.Equal(t, exitOK, f.vpn("revoke", "alice", "--reason", "keyCompromise"), f.err.String())
	require.Contains(t, f.out.String(), "alice is locked out: the endpoint "+vpnTestEndpoint+" has revocation list 1")
	require.Equal(t, 1, f.revokedBy(0))
	require.Equal(t, exitFailure, f.vpn("revoke", "alice"))
	require.Contains(t, f.err.String(), "already revoked")

	require.Equal(t, exitOK, f.vpn("list"))
	require.Contains(t, f.out.String(), "bob")
	require.NotContains(t, f.out.String(), "alice")
	require.Equal(t, exitOK, f.vpn("list", "--all", "--json"))
	var listed []map[string]any
	require.NoError(t, json.Unmarshal(f.out.Bytes(), &listed))
	require.Len(t, listed, 2)
	require.Equal(t, "revoked", listed[0]["state"])
	require.Equal(t, exitOK, f.vpn("show", "alice"))
	require.Contains(t, f.out.String(), "by operator@")
	require.Contains(t, f.out.String(), "(keyCompromise)")
	require.Equal(t, exitFailure, f.vpn("show", "carol"))

	require.Equal(t, exitOK, f.vpn("renew", "bob", "--out", f.profile("bob-new"), "--revoke-earlier"), f.err.String())
	require.Equal(t, 2, f.revokedBy(1))
	require.Equal(t, exitOK, f.vpn("crl", "--check"))
	require.Contains(t, f.out.String(), vpnTestEndpoint+"  has list 2 since")
	require.Equal(t, exitOK, f.vpn("crl", "--out", "-"))
	require.Equal(t, f.aws.lists[1], f.out.String())
	require.NotContains(t, string(f.aws.object), "PRIVATE KEY")
}

// Proves that a revocation that the endpoint refused is said, warned about, and
// finished by the same command.
func TestVPNImportFails(t *testing.T) {
	f := newVPNFixture(t)
	f.issue("alice")
	f.aws.refuse = "UnauthorizedOperation"
	require.Equal(t, exitFailure, f.vpn("revoke", "alice"))
	require.Contains(t, f.err.String(), "can still connect: ImportClientVpnClientCertificateRevocationList: UnauthorizedOperation: no (request R)")
	require.Equal(t, exitFailure, f.vpn("crl", "--check"))
	require.Contains(t, f.err.String(), "does not have revocation list 1")
	f.aws.refuse = ""
	require.Equal(t, exitOK, f.vpn("revoke", "alice"))
	require.Contains(t, f.err.String(), "the endpoint does not know yet")
	require.Contains(t, f.out.String(), "is locked out")
	require.Equal(t, exitOK, f.vpn("crl", "--check"))
}

// Proves the scheduled job: nothing while there is time, a new list when not.
func TestVPNRefresh(t *testing.T) {
	f := newVPNFixture(t)
	require.Equal(t, exitOK, f.vpn("crl"))
	require.Contains(t, f.out.String(), "There is no revocation list yet")
	require.Equal(t, exitOK, f.vpn("crl", "--refresh"), f.err.String())
	require.Len(t, f.aws.lists, 1)
	require.Equal(t, exitOK, f.vpn("crl", "--refresh"))
	require.Len(t, f.aws.lists, 1, "an import ends all sessions")
	began := f.now()
	f.now = func() time.Time { return began.AddDate(0, 0, 125) }
	require.Equal(t, exitOK, f.vpn("crl", "--refresh"))
	require.Len(t, f.aws.lists, 2)
	require.Contains(t, f.err.String(), "imported revocation list 2")
	require.Equal(t, exitOK, f.vpn("crl", "--refresh", "--now", "--json"))
	require.Len(t, f.aws.lists, 3)
	require.Contains(t, f.out.String(), `"published":true`)
}

// Proves that a key can be made where it stays, and the CA's kept out of the stack.
func TestVPNRequest(t *testing.T) {
	f := newVPNFixture(t)
	delete(f.engine.more, "vpnCaPrivateKey")
	secret := filepath.Join(f.dir, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("a passphrase of hers\n"), 0o600))
	require.Equal(t, exitOK, f.vpn("request", "alice", "--dir", f.dir, "--passphrase-file", secret), f.err.String())
	key, err := os.ReadFile(filepath.Join(f.dir, "alice.key"))
	require.NoError(t, err)
	_, err = vpnca.DecodeKey(key, []byte("a passphrase of hers"))
	require.NoError(t, err)
	require.Equal(t, exitFailure, f.vpn("request", "alice", "--dir", f.dir))
	require.Contains(t, f.err.String(), "never written over")

	issue := []string{"issue", "alice", "--request", filepath.Join(f.dir, "alice.csr"), "--out", f.profile("alice")}
	require.Equal(t, exitFailure, f.vpn(issue...))
	require.Contains(t, f.err.String(), "give its file with --ca-key")
	ca := filepath.Join(f.dir, "ca.key")
	require.NoError(t, os.WriteFile(ca, []byte(f.caKey), 0o600))
	require.Equal(t, exitOK, f.vpn(append(issue, "--ca-key", ca)...), f.err.String())
	text, err := os.ReadFile(f.profile("alice"))
	require.NoError(t, err)
	require.Contains(t, string(text), "\nkey \"alice.key\"\n")
	require.NotContains(t, string(text), "PRIVATE KEY")
	require.Equal(t, exitFailure, f.vpn(append(issue, "--ca-key", ca)...))
	require.Contains(t, f.err.String(), "file exists")
	require.NoError(t, os.Chmod(ca, 0o644))
	require.Equal(t, exitFailure, f.vpn("revoke", "alice", "--ca-key", ca))
	require.Contains(t, f.err.String(), "chmod 600")
}

// The sandbox has its own credentials and addresses, and people may keep the index
// in a file.
func TestVPNInTheSandbox(t *testing.T) {
	f := newVPNFixture(t)
	f.box.more = map[string]string{}
	for _, name := range []string{"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL"} {
		f.box.more[name] = f.env[name]
		delete(f.env, name)
	}
	f.issue("alice", "--sandbox")
	require.NotNil(t, f.aws.object)
	file := filepath.Join(f.dir, "index", "index.json")
	f.issue("bob", "--sandbox", "--index", file)
	require.FileExists(t, file)
	require.Equal(t, exitOK, f.vpn("revoke", "bob", "--sandbox", "--index", file), f.err.String())
	require.Len(t, f.aws.lists, 1)
}

// Proves that what makes no sense is refused with what to do, and nothing changes.
func TestVPNRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no name":           {[]string{"issue"}, exitUsage, "needs the name of one person"},
		"two names":         {[]string{"revoke", "a", "b"}, exitUsage, "needs the name of one person"},
		"a path":            {[]string{"issue", "../alice"}, exitUsage, "a name has 1 to 64"},
		"a shell's":         {[]string{"issue", "$(id)"}, exitUsage, "a name has 1 to 64"},
		"empty":             {[]string{"issue", ""}, exitUsage, "the name is empty"},
		"too long":          {[]string{"issue", strings.Repeat("a", 65)}, exitUsage, "65 characters"},
		"no days":           {[]string{"issue", "carol", "--days", "0"}, exitUsage, "1 or more"},
		"more than the CA":  {[]string{"issue", "carol", "--days", "9999"}, exitFailure, "replace the CA"},
		"issued":            {[]string{"issue", "alice", "--out", "OUT"}, exitFailure, "strongroom vpn renew alice"},
		"nothing to renew":  {[]string{"renew", "carol", "--out", "OUT"}, exitFailure, "strongroom vpn issue carol"},
		"unknown":           {[]string{"revoke", "carol"}, exitFailure, "strongroom vpn list"},
		"a reason":          {[]string{"revoke", "alice", "--reason", "x"}, exitFailure, "choose one of"},
		"no terminal":       {[]string{"issue", "carol", "--passphrase"}, exitUsage, "--passphrase-file"},
		"no such file":      {[]string{"issue", "carol", "--passphrase-file", "/nowhere"}, exitFailure, "--passphrase-file"},
		"both":              {[]string{"issue", "carol", "--request", "x", "--passphrase"}, exitUsage, "where the key is made"},
		"no request":        {[]string{"issue", "carol", "--request", "/dev/null", "--out", "OUT"}, exitFailure, "not one certificate request"},
		"another stack":     {[]string{"list", "--stack", "application"}, exitFailure, `stack "application" has no output "vpnCaCertificate"`},
		"now":               {[]string{"crl", "--now"}, exitUsage, "--refresh"},
		"unknown command":   {[]string{"isue", "alice"}, exitUsage, `did you mean "issue"?`},
		"a key from nobody": {[]string{"revoke", "alice", "--ca-key", "/nowhere"}, exitFailure, "--ca-key"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newVPNFixture(t)
			f.issue("alice")
			before := string(f.aws.object)
			for i := range tt.args {
				if tt.args[i] == "OUT" {
					tt.args[i] = f.profile("out")
				}
			}
			require.Equal(t, tt.code, f.vpn(tt.args...), f.err.String())
			require.Contains(t, f.err.String(), tt.want)
			require.Equal(t, before, string(f.aws.object))
			require.Empty(t, f.aws.lists)
			require.NoFileExists(t, f.profile("out"))
			require.NoFileExists(t, f.profile("out")+".pending")
		})
	}
}
