package kubernetes

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// clientTLS reads the certificates that a chart repository asks for.
func clientTLS(r repositoryOpts) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.caFile != "" {
		content, err := os.ReadFile(r.caFile)
		if err != nil {
			return nil, fmt.Errorf("caFile: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("caFile: %q holds no PEM certificate", r.caFile)
		}
	}
	if r.certFile != "" || r.keyFile != "" {
		pair, err := tls.LoadX509KeyPair(r.certFile, r.keyFile)
		if err != nil {
			return nil, fmt.Errorf("certFile, keyFile: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
