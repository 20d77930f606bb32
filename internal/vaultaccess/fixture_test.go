package vaultaccess

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

const serverName = "vault.tooling.internal"

// world is a cluster's API with pods of Vault behind it. Both are stand-ins: what they
// prove is what this package does, not what Kubernetes and Vault do.
type world struct {
	*testing.T
	cluster *Cluster
	ca      string
	pods    map[string]*pod
	// links counts what was upgraded.
	links atomic.Int64

	mu       sync.Mutex
	order    []string
	audience []any
	token    string
	refuse   bool
}

// pod is one server.
type pod struct {
	server *httptest.Server
	mu     sync.Mutex
	health Health
	// deaf refuses connections.
	deaf    bool
	logins  int
	revoked int
	links   []httpstream.Connection
}

func newWorld(t *testing.T, names ...string) *world {
	w := &world{T: t, pods: map[string]*pod{}, order: names, token: "a token of the cluster"}
	certificate, ca := authority(t)
	w.ca = ca
	for _, name := range names {
		p := &pod{}
		p.server = httptest.NewUnstartedServer(p.vault(w, name))
		p.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		p.server.StartTLS()
		t.Cleanup(p.server.Close)
		w.pods[name] = p
	}
	api := httptest.NewTLSServer(w.api())
	t.Cleanup(api.Close)
	cluster, err := Connect(kubeconfig(api), nil)
	require.NoError(t, err)
	w.cluster = cluster
	return w
}

func kubeconfig(api *httptest.Server) string {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})
	return fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "c",
		"contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
		"clusters": [{"name": "c", "cluster": {"server": %q, "certificate-authority-data": %q}}],
		"users": [{"name": "u", "user": {"token": "a token of a person"}}]}`,
		api.URL, base64.StdEncoding.EncodeToString(ca))
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

func (w *world) args() Args {
	return Args{
		Cluster: w.cluster, ServerName: serverName, CA: w.ca,
		Limit: 20 * time.Second, pause: 5 * time.Millisecond,
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

// gone is a pod that was killed: its links break and it takes no more.
func gone(p *pod) {
	p.deaf = true
	for _, l := range p.links {
		_ = l.Close()
	}
}

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

func (w *world) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/namespaces/vault/pods", func(out http.ResponseWriter, in *http.Request) {
		if !w.known(out, in) {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		items := []any{}
		for _, name := range w.order {
			items = append(items, map[string]any{
				"metadata": map[string]any{"name": name}, "status": map[string]any{"phase": "Running"},
			})
		}
		_ = json.NewEncoder(out).Encode(map[string]any{"items": items})
	})
	mux.HandleFunc("POST /api/v1/namespaces/vault/serviceaccounts/vault-provisioner/token", func(out http.ResponseWriter, in *http.Request) {
		if !w.known(out, in) {
			return
		}
		var request struct {
			Spec struct{ Audiences []any }
		}
		if err := json.NewDecoder(in.Body).Decode(&request); err != nil {
			w.Error(err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.audience = request.Spec.Audiences
		_ = json.NewEncoder(out).Encode(map[string]any{"status": map[string]any{"token": w.token}})
	})
	mux.HandleFunc("/api/v1/namespaces/vault/pods/{pod}/portforward", func(out http.ResponseWriter, in *http.Request) {
		if !w.known(out, in) {
			return
		}
		if strings.EqualFold(in.Header.Get("Upgrade"), "websocket") {
			http.Error(out, "this one knows SPDY alone", http.StatusBadRequest)
			return
		}
		w.portForward(out, in, w.pods[in.PathValue("pod")])
	})
	return mux
}

func (w *world) known(out http.ResponseWriter, in *http.Request) bool {
	if in.Header.Get("Authorization") == "Bearer a token of a person" {
		return true
	}
	out.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(out, `{"kind": "Status", "message": "Unauthorized"}`)
	return false
}

// portForward does what a kubelet does.
func (w *world) portForward(out http.ResponseWriter, in *http.Request, p *pod) {
	p.mu.Lock()
	deaf := p.deaf
	p.mu.Unlock()
	if deaf {
		http.Error(out, `{"message": "the pod is gone"}`, http.StatusNotFound)
		return
	}
	if _, err := httpstream.Handshake(in, out, []string{protocol}); err != nil {
		w.Error(err)
		return
	}
	w.links.Add(1)
	var mu sync.Mutex
	refusals := map[string]httpstream.Stream{}
	conn := spdy.NewResponseUpgrader().UpgradeResponse(out, in, func(stream httpstream.Stream, replied <-chan struct{}) error {
		id := stream.Headers().Get(requestIDHeader)
		mu.Lock()
		defer mu.Unlock()
		if stream.Headers().Get(streamType) == streamTypeError {
			refusals[id] = stream
			return nil
		}
		refusal := refusals[id]
		go func() {
			<-replied
			if stream.Headers().Get(portHeader) != "8200" {
				_, _ = io.WriteString(refusal, "connection refused")
				return
			}
			defer func() { _ = refusal.Close() }()
			target, err := net.Dial("tcp", p.server.Listener.Addr().String())
			if err != nil {
				w.Error(err)
				return
			}
			go func() {
				_, _ = io.Copy(target, stream)
				_ = target.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(stream, target)
			_ = stream.Close()
		}()
		return nil
	})
	if conn == nil {
		return
	}
	p.mu.Lock()
	p.links = append(p.links, conn)
	p.mu.Unlock()
	<-conn.CloseChan()
}
