package controlplane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

const (
	// caLifetime is that of the CA of an EKS cluster: ten years.
	caLifetime = 10 * 365 * 24 * time.Hour
	// leafLifetime outlives any one run: every start issues the leaves anew.
	leafLifetime = 365 * 24 * time.Hour
	// clockSkew is how far the start of a certificate's validity lies in the
	// past, for clocks that are set back a little.
	clockSkew = 5 * time.Minute
)

// authority is a cluster's certificate authority. Its key never leaves the
// cluster's folder.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

// leaf says what a certificate below the authority is for.
type leaf struct {
	name   string   // common name: the user, for a client
	groups []string // organizations: the groups, for a client
	usage  x509.ExtKeyUsage
	dns    []string
	ips    []net.IP
}

// loadAuthority reads the CA from dir (ca.crt, ca.key), or makes one there.
func loadAuthority(dir, cluster string) (*authority, error) {
	certPath, keyPath := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
	pair, err := tls.LoadX509KeyPair(certPath, keyPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return newAuthority(certPath, keyPath, cluster)
	case err != nil:
		return nil, fmt.Errorf("certificate authority of cluster %q: %w", cluster, err)
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("certificate authority of cluster %q: %s holds a %T, which cannot sign", cluster, keyPath, pair.PrivateKey)
	}
	return &authority{cert: pair.Leaf, key: signer, pem: encodeCert(pair.Certificate[0])}, nil
}

func newAuthority(certPath, keyPath, cluster string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("certificate authority of cluster %q: %w", cluster, err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "kubernetes", OrganizationalUnit: []string{"simulated EKS cluster " + cluster}},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(caLifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate authority of cluster %q: %w", cluster, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate authority of cluster %q: %w", cluster, err)
	}
	// The key first: a certificate without its key would be taken for a
	// broken folder, a key alone is simply made again.
	if err := writeKey(keyPath, key); err != nil {
		return nil, err
	}
	ca := &authority{cert: cert, key: key, pem: encodeCert(der)}
	if err := files.Replace(certPath, ca.pem, files.Private); err != nil {
		return nil, err
	}
	return ca, nil
}

// issue signs a new certificate and writes <file>.crt and <file>.key to dir.
func (ca *authority) issue(dir, file string, l leaf) error {
	pair, key, err := ca.sign(l)
	if err != nil {
		return err
	}
	if err := writeKey(filepath.Join(dir, file+".key"), key); err != nil {
		return err
	}
	return files.Replace(filepath.Join(dir, file+".crt"), encodeCert(pair.Certificate[0]), files.Private)
}

// sign makes a certificate and key that need not touch the disk.
func (ca *authority) sign(l leaf) (tls.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("certificate for %q: %w", l.name, err)
	}
	serial, err := newSerial()
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: l.name, Organization: l.groups},
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(leafLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{l.usage},
		DNSNames:     l.dns,
		IPAddresses:  l.ips,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("certificate for %q: %w", l.name, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, key, nil
}

// pool holds the authority alone.
func (ca *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// ensureServiceAccountKey makes the key that signs service-account tokens,
// once: tokens must survive a restart. RSA, as on EKS, because RS256 is what
// verifiers such as Vault's JWT auth accept by default.
func ensureServiceAccountKey(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("service-account key: %w", err)
	}
	return writeKey(path, key)
}

func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("certificate serial number: %w", err)
	}
	return serial, nil
}

func encodeCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func writeKey(path string, key crypto.Signer) error {
	data, err := encodeKey(key)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return files.Replace(path, data, files.Private)
}
