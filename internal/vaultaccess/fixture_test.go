package vaultaccess

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/vaultaccess/accesstest"
)

const serverName = "vault.tooling.internal"

// world is a cluster's API with pods of Vault behind it. Both are stand-ins: what they
// prove is what this package does, not what Kubernetes and Vault do.
type world struct {
	*testing.T
	cluster *Cluster
	ca      string

	certificate tls.Certificate
	api         *accesstest.Cluster
	pods        map[string]*pod

	mu       sync.Mutex
	audience []string
	token    string
	refuse   bool
}

// pod is one server.
type pod struct {
	server  *httptest.Server
	mu      sync.Mutex
	health  Health
	logins  int
	revoked int
}

func newWorld(t *testing.T, names ...string) *world {
	w := &world{T: t, pods: map[string]*pod{}, token: "a token of the cluster", api: accesstest.New(t)}
	w.api.Token = func(audiences []string) string {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.audience = audiences
		return w.token
	}
	w.certificate, w.ca = authority(t)
	for _, name := range names {
		p := &pod{}
		w.serve(p, name)
		w.api.Add(name, p.server.Listener.Addr().String())
	}
	cluster, err := Connect(w.api.Kubeconfig(), nil)
	require.NoError(t, err)
	w.cluster = cluster
	return w
}

// authority makes a CA, and a certificate for the name of Vault and no other.
func authority(t *testing.T) (tls.Certificate, string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	require.NoError(t, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{serverName},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: key},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// serve starts the server of a pod, which the API does not know yet.
func (w *world) serve(p *pod, name string) {
	p.server = httptest.NewUnstartedServer(p.vault(w, name))
	p.server.TLS = &tls.Config{Certificates: []tls.Certificate{w.certificate}, MinVersion: tls.VersionTLS12}
	p.server.StartTLS()
	w.Cleanup(p.server.Close)
	w.pods[name] = p
}

func (w *world) args() Args {
	return Args{
		Cluster: w.cluster, ServerName: serverName, CA: w.ca,
		Limit: 2 * time.Minute, pause: 5 * time.Millisecond,
	}
}

func (w *world) set(name string, change func(*pod)) {
	p := w.pods[name]
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func initialised(p *pod) { p.health = Health{Initialized: true, Standby: true, Sealed: true} }
func unsealed(p *pod)    { p.health = Health{Initialized: true, Standby: true} }
func leading(p *pod)     { p.health = Health{Initialized: true} }

func (p *pod) vault(w *world, name string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/sys/health", func(out http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = json.NewEncoder(out).Encode(p.health)
	})
	mux.HandleFunc("/v1/auth/provisioner/login", func(out http.ResponseWriter, in *http.Request) {
		var login struct{ Role, JWT string }
		if err := json.NewDecoder(in.Body).Decode(&login); err != nil {
			w.Error(err)
		}
		w.mu.Lock()
		refuse := w.refuse || login.JWT != w.token || login.Role != Role
		w.mu.Unlock()
		if refuse {
			out.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(out, `{"errors": ["permission denied"]}`)
			return
		}
		p.mu.Lock()
		p.logins++
		p.mu.Unlock()
		_, _ = io.WriteString(out, `{"auth": {"client_token": "a token of Vault", "renewable": true, "lease_duration": 3600}}`)
	})
	mux.HandleFunc("/v1/auth/token/revoke-self", func(out http.ResponseWriter, in *http.Request) {
		if in.Header.Get("X-Vault-Token") == "a token of Vault" {
			p.mu.Lock()
			p.revoked++
			p.mu.Unlock()
		}
		out.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/v1/whoami", func(out http.ResponseWriter, in *http.Request) {
		_, _ = fmt.Fprintf(out, `{"data": {"pod": %q, "token": %q}}`, name, in.Header.Get("X-Vault-Token"))
	})
	// Larger than any buffer on the way, and back again.
	mux.HandleFunc("/v1/echo", func(out http.ResponseWriter, in *http.Request) {
		data, _ := io.ReadAll(in.Body)
		_ = json.NewEncoder(out).Encode(map[string]any{"data": json.RawMessage(bytes.TrimSpace(data))})
	})
	return mux
}
