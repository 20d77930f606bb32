// Package vaulttest is what tests give to the servers of sandbox/vault: a
// configuration and certificates as VaultHA makes them.
package vaulttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/vault"
)

// HCL has the shape of the configuration that VaultHA renders, but for the registration
// with Kubernetes.
func HCL(region, keyARN string, replicas int) string {
	var peers strings.Builder
	for i := range replicas {
		fmt.Fprintf(&peers, `
  retry_join {
    leader_api_addr         = "https://vault-%[1]d.vault-internal:8200"
    leader_ca_cert_file     = "/vault/userconfig/vault-tls/ca.crt"
    leader_client_cert_file = "/vault/userconfig/vault-tls/tls.crt"
    leader_client_key_file  = "/vault/userconfig/vault-tls/tls.key"
    leader_tls_servername   = "vault-%[1]d.vault-internal"
  }`, i)
	}
	return fmt.Sprintf(`ui            = true
disable_mlock = true

listener "tcp" {
  address         = "[::]:8200"
  cluster_address = "[::]:8201"
  tls_cert_file   = "/vault/userconfig/vault-tls/tls.crt"
  tls_key_file    = "/vault/userconfig/vault-tls/tls.key"
  tls_min_version = "tls12"
}

storage "raft" {
  path                   = "/vault/data"
  performance_multiplier = 1
%s
}

seal "awskms" {
  region     = %q
  kms_key_id = %q
}
`, peers.String(), region, keyARN)
}

// Certificates are an authority and a certificate of it for every server, in PEM.
func Certificates(t testing.TB) (caPEM, certificatePEM, keyPEM []byte) {
	t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: vault.ServerName},
		DNSNames:    []string{"vault-0.vault-internal", "vault-1.vault-internal", "vault-2.vault-internal", vault.ServerName},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, ca, key.Public(), caKey)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	encode := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	return encode("CERTIFICATE", caDER), encode("CERTIFICATE", der), encode("PRIVATE KEY", keyDER)
}
