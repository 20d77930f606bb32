// Package accesstest stands in for the API of a cluster that Vault runs in: the pods of
// Vault, the token of the provisioner, and a port-forward by SPDY to wherever a pod is
// said to listen. It proves what package vaultaccess does, not what Kubernetes does.
package accesstest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

const bearer = "a token of a person"

// Cluster is the API.
type Cluster struct {
	// Token answers a TokenRequest for the provisioner.
	Token func(audiences []string) string

	t      testing.TB
	server *httptest.Server
	mu     sync.Mutex
	pods   []*pod
	links  int
}

type pod struct {
	name, target string
	gone         bool
	conns        []httpstream.Connection
}

// New serves a cluster without pods until the test ends.
func New(t testing.TB) *Cluster {
	c := &Cluster{t: t}
	c.server = httptest.NewTLSServer(c.handler())
	t.Cleanup(c.server.Close)
	return c
}

// Kubeconfig reaches it.
func (c *Cluster) Kubeconfig() string {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw})
	return fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "c",
		"contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
		"clusters": [{"name": "c", "cluster": {"server": %q, "certificate-authority-data": %q}}],
		"users": [{"name": "u", "user": {"token": %q}}]}`,
		c.server.URL, base64.StdEncoding.EncodeToString(ca), bearer)
}

// Add adds a running pod whose port 8200 is at target, host:port.
func (c *Cluster) Add(name, target string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pods = append(c.pods, &pod{name: name, target: target})
}

// Kill breaks all links to a pod, which takes no more.
func (c *Cluster) Kill(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pods {
		if p.name == name {
			p.gone = true
			for _, conn := range p.conns {
				_ = conn.Close() // broken either way
			}
		}
	}
}

// Links counts the port-forwards that were opened.
func (c *Cluster) Links() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.links
}

func (c *Cluster) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/namespaces/vault/pods", func(out http.ResponseWriter, _ *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		items := []any{}
		for _, p := range c.pods {
			items = append(items, map[string]any{
				"metadata": map[string]any{"name": p.name}, "status": map[string]any{"phase": "Running"},
			})
		}
		_ = json.NewEncoder(out).Encode(map[string]any{"items": items})
	})
	mux.HandleFunc("POST /api/v1/namespaces/vault/serviceaccounts/vault-provisioner/token", func(out http.ResponseWriter, in *http.Request) {
		var request struct {
			Spec struct{ Audiences []string }
		}
		if err := json.NewDecoder(in.Body).Decode(&request); err != nil {
			c.t.Error(err)
		}
		_ = json.NewEncoder(out).Encode(map[string]any{"status": map[string]any{"token": c.Token(request.Spec.Audiences)}})
	})
	mux.HandleFunc("/api/v1/namespaces/vault/pods/{pod}/portforward", func(out http.ResponseWriter, in *http.Request) {
		if strings.EqualFold(in.Header.Get("Upgrade"), "websocket") {
			http.Error(out, "this one knows SPDY alone", http.StatusBadRequest)
			return
		}
		c.forward(out, in)
	})
	return http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if in.Header.Get("Authorization") != "Bearer "+bearer {
			out.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(out, `{"kind": "Status", "message": "Unauthorized"}`)
			return
		}
		mux.ServeHTTP(out, in)
	})
}

// forward does what a kubelet does.
func (c *Cluster) forward(out http.ResponseWriter, in *http.Request) {
	c.mu.Lock()
	var p *pod
	for _, known := range c.pods {
		if known.name == in.PathValue("pod") && !known.gone {
			p = known
		}
	}
	c.mu.Unlock()
	if p == nil {
		http.Error(out, `{"message": "there is no such pod"}`, http.StatusNotFound)
		return
	}
	if _, err := httpstream.Handshake(in, out, []string{"portforward.k8s.io"}); err != nil {
		c.t.Error(err)
		return
	}
	var mu sync.Mutex
	refusals := map[string]httpstream.Stream{}
	conn := spdy.NewResponseUpgrader().UpgradeResponse(out, in, func(stream httpstream.Stream, replied <-chan struct{}) error {
		id := stream.Headers().Get("requestID")
		mu.Lock()
		defer mu.Unlock()
		if stream.Headers().Get("streamType") == "error" {
			refusals[id] = stream
			return nil
		}
		refusal := refusals[id]
		delete(refusals, id)
		go func() {
			<-replied
			carry(stream, refusal, p.target)
		}()
		return nil
	})
	if conn == nil {
		return
	}
	c.mu.Lock()
	c.links++
	p.conns = append(p.conns, conn)
	c.mu.Unlock()
	<-conn.CloseChan()
}

func carry(stream, refusal httpstream.Stream, address string) {
	defer func() { _ = refusal.Close() }()
	if stream.Headers().Get("port") != "8200" {
		_, _ = io.WriteString(refusal, "nothing listens there")
		return
	}
	target, err := net.Dial("tcp", address) //nolint:noctx // a server on loopback
	if err != nil {
		_, _ = io.WriteString(refusal, err.Error())
		return
	}
	defer func() { _ = target.Close() }()
	go func() {
		_, _ = io.Copy(target, stream)
		if tcp, ok := target.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	}()
	_, _ = io.Copy(stream, target)
	_ = stream.Close()
}
