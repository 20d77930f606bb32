package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// Webhook is where tokens that an API server does not know are reviewed.
type Webhook struct {
	// URL takes Kubernetes TokenReview (v1) requests at <URL>/<cluster>, the
	// name of the cluster that asks.
	URL string
	// Token is sent as bearer token.
	Token string
}

// tokenFront stands between one cluster's API server and the Webhook. An API
// server sends credentials to a webhook only over TLS, and reads them from a
// file; this way the link is TLS with certificates of the cluster's own CA on
// both sides, and the Webhook's token is in no file.
type tokenFront struct {
	server *http.Server
	url    string
}

// startTokenFront serves on a loopback port until stopped. Only the holder of
// a certificate named webhookClient below ca gets through.
func startTokenFront(cluster string, ca *authority, hook Webhook, logf func(string, ...any)) (*tokenFront, error) {
	target, err := url.Parse(hook.URL)
	if err != nil || target.Host == "" {
		return nil, fmt.Errorf("token webhook of cluster %q: %q is not a URL", cluster, hook.URL)
	}
	cert, _, err := ca.sign(leaf{name: "token-webhook", usage: x509.ExtKeyUsageServerAuth, ips: []net.IP{net.IPv4(127, 0, 0, 1)}})
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("token webhook of cluster %q: %w", cluster, err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL, r.Out.Host = target.JoinPath(cluster), target.Host
			r.Out.Header.Set("Authorization", "Bearer "+hook.Token)
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			logf("cluster %q: token webhook: %v", cluster, err)
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	front := &tokenFront{
		url: "https://" + listener.Addr().String(),
		server: &http.Server{
			Handler:           onlyClient(webhookClient, "the token webhook answers the API server only", proxy),
			ReadHeaderTimeout: requestLimit,
			TLSConfig: &tls.Config{
				Certificates: []tls.Certificate{cert},
				ClientAuth:   tls.RequireAndVerifyClientCert,
				ClientCAs:    ca.pool(),
				MinVersion:   tls.VersionTLS13,
			},
		},
	}
	go func() {
		if err := front.server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			logf("cluster %q: token webhook ended: %v", cluster, err)
		}
	}()
	return front, nil
}

// requestLimit is how long a request's headers may take.
const requestLimit = 10 * time.Second

// onlyClient lets requests through that carry the client certificate of name.
func onlyClient(name, refusal string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 || r.TLS.PeerCertificates[0].Subject.CommonName != name {
			http.Error(w, refusal, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// writeConfig writes the file that points the API server in dir here.
func (f *tokenFront) writeConfig(dir string) error {
	data, err := kubeconfig(f.url, webhookClient)
	if err != nil {
		return err
	}
	return files.Replace(filepath.Join(dir, webhookConfig), data, files.Private)
}

func (f *tokenFront) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := f.server.Shutdown(ctx); err != nil {
		return f.server.Close()
	}
	return nil
}
