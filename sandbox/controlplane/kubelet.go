package controlplane

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
)

// Kubelet returns how a kubelet on 127.0.0.1 serves a running cluster's API
// server: with TLS, for a certificate of the cluster's CA, and with a handler that
// lets nobody else through. The key is made for the call and never stored.
func (c *ControlPlanes) Kubelet(name string, handler http.Handler) (*http.Server, error) {
	p, err := c.up(name)
	if err != nil {
		return nil, err
	}
	defer p.mu.Unlock()
	cert, _, err := p.ca.sign(leaf{name: "system:node:simulated", usage: x509.ExtKeyUsageServerAuth, ips: []net.IP{net.IPv4(127, 0, 0, 1)}})
	if err != nil {
		return nil, fmt.Errorf("cluster %q: %w", name, err)
	}
	return &http.Server{
		Handler:           onlyClient(kubeletClient, "the simulated kubelet answers the API server only", handler),
		ReadHeaderTimeout: requestLimit,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{cert},
			ClientAuth:   tls.RequireAndVerifyClientCert,
			ClientCAs:    p.ca.pool(),
			MinVersion:   tls.VersionTLS13,
			// An upgraded connection is HTTP/1.1's.
			NextProtos: []string{"http/1.1"},
		},
		// Nor may net/http offer HTTP/2.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}, nil
}
