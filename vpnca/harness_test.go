package vpnca

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC)

// keys are made once: a test needs some key, not a new one.
var testKey = sync.OnceValue(func() *rsa.PrivateKey { return makeKey(2048) })

func makeKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func caTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the VPN's CA"},
		NotBefore: start.Add(-time.Hour), NotAfter: start.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
		SubjectKeyId: []byte{1, 2, 3, 4},
	}
}

func makeCA(t testing.TB, key *rsa.PrivateKey, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := caTemplate()
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return c
}

// clock moves when told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newAuthority keeps its index in a file of a temporary directory. Waiting makes
// the clock go on.
func newAuthority(t testing.TB) (*Authority, *clock) {
	t.Helper()
	c := &clock{now: start}
	return &Authority{
		Certificate: makeCA(t, testKey(), nil), Key: testKey(),
		Store: &FileStore{Path: filepath.Join(t.TempDir(), "vpn", "index.json")},
		By:    "somebody@somewhere", ServerName: "vpn.tooling.internal", Now: c.Now,
		wait: func(ctx context.Context, d time.Duration) error {
			c.pass(d)
			return ctx.Err()
		},
	}, c
}

var remote = Remote{Host: "*.cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com", ServerName: "vpn.tooling.internal"}

func issue(t testing.TB, a *Authority, name string) *Entry {
	t.Helper()
	_, request, err := NewKey(name)
	require.NoError(t, err)
	e, err := a.Issue(t.Context(), request, 0)
	require.NoError(t, err)
	return e
}

func index(t testing.TB, a *Authority) *Index {
	t.Helper()
	i, err := a.Index(t.Context())
	require.NoError(t, err)
	return i
}

func certificate(t testing.TB, e *Entry) *x509.Certificate {
	t.Helper()
	c, err := ParseCertificate([]byte(e.Certificate))
	require.NoError(t, err)
	return c
}

// revokedIn are the serial numbers in a list, after its signature was checked.
func revokedIn(t testing.TB, a *Authority, crl *CRL) []string {
	t.Helper()
	list, err := crl.Parse()
	require.NoError(t, err)
	require.NoError(t, list.CheckSignatureFrom(a.Certificate))
	require.Equal(t, fmt.Sprint(crl.Number), list.Number.String())
	require.True(t, list.NextUpdate.Equal(crl.Until))
	serials := []string{}
	for _, e := range list.RevokedCertificateEntries {
		serials = append(serials, serialText(e.SerialNumber))
	}
	return serials
}

// fakeEndpoint remembers the lists that it took.
type fakeEndpoint struct {
	mu     sync.Mutex
	id     string
	lists  []string
	before func(n int) error // may fail the n-th import
	calls  int
}

func (e *fakeEndpoint) ID() string {
	if e.id == "" {
		return "cvpn-endpoint-0123456789abcdef0"
	}
	return e.id
}

func (e *fakeEndpoint) ImportCRL(_ context.Context, pem string) error {
	e.mu.Lock()
	e.calls++
	n := e.calls
	e.mu.Unlock()
	if e.before != nil {
		if err := e.before(n); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lists = append(e.lists, pem)
	return nil
}

// memoryObjects is an S3 with conditional writes.
type memoryObjects struct {
	mu      sync.Mutex
	objects map[string][]byte
	refused int
	// lose says that the answer to the n-th write gets lost.
	lose   int
	writes int
	// meet, where made, keeps the first reader until there is a second: both
	// hold the same version then, and only one of them can write.
	meet  chan struct{}
	reads int
}

func (m *memoryObjects) GetObject(ctx context.Context, bucket, key string) ([]byte, string, error) {
	nth, data, etag, err := m.read(bucket, key)
	if m.meet != nil && nth == 1 {
		select {
		case <-m.meet:
		case <-ctx.Done():
		}
	} else if m.meet != nil && nth == 2 {
		close(m.meet)
	}
	return data, etag, err
}

func (m *memoryObjects) read(bucket, key string) (nth int, _ []byte, etag string, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	data, ok := m.objects[bucket+"/"+key]
	if !ok {
		return m.reads, nil, "", fmt.Errorf("NoSuchKey: %w", ErrNoObject)
	}
	return m.reads, data, `"` + contentVersion(data) + `"`, nil
}

func (m *memoryObjects) PutObject(_ context.Context, bucket, key string, data []byte, etag string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	there, ok := m.objects[bucket+"/"+key]
	if ok != (etag != "") || ok && etag != `"`+contentVersion(there)+`"` {
		m.refused++
		return fmt.Errorf("PreconditionFailed: %w", ErrChanged)
	}
	if m.objects == nil {
		m.objects = map[string][]byte{}
	}
	m.objects[bucket+"/"+key] = data
	if m.writes++; m.writes == m.lose {
		// What a client sees that sends such a request again.
		return fmt.Errorf("PreconditionFailed: %w", ErrChanged)
	}
	return nil
}

// openssl runs it, where it is installed. Continuous integration has it.
func openssl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		const message = "openssl is not installed: `make packages` installs it as root"
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	return string(out), err
}

func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
