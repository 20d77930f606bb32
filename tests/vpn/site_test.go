package vpn

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/vpnca"
)

// The networks: the VPC and the clients' own. Between the machines are addresses
// for documentation.
const (
	vpcNetwork    = "10.0.0.0/16"
	peeredNetwork = "10.1.0.0/16"
	vpcResolver   = "10.0.0.2" // the second address of the VPC
	vaultAddress  = "10.0.16.10"
	vaultName     = "vault.tooling.internal"
	vaultPort     = "8200"
	clientNetwork = "10.100.0.0/22"
)

// site is the VPN of a stack: its authority, the endpoint's certificate, and the
// endpoint's list of who was revoked.
type site struct {
	t          *testing.T
	dir        string
	id, host   string // of the endpoint
	serverName string
	authority  *vpnca.Authority
	// What the endpoint listens on and tells its clients.
	port, protocol string
	clients        netip.Prefix
	routes         []netip.Prefix
	dns            string
	// reset ends the sessions of the endpoint, as AWS does at each import.
	reset func()
}

func (s *site) file(name string) string { return filepath.Join(s.dir, name) }

func (s *site) write(name string, data []byte) string {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(s.file(name), data, 0o600))
	return s.file(name)
}

func (s *site) ID() string { return s.id }

// ImportCRL gives the server its list; it reads a list again when it has changed.
func (s *site) ImportCRL(_ context.Context, text string) error {
	unfinished := s.file("crl.pem.new")
	if err := os.WriteFile(unfinished, []byte(text), 0o600); err != nil {
		return err
	}
	if err := os.Rename(unfinished, s.file("crl.pem")); err != nil {
		return err
	}
	if s.reset != nil {
		s.reset()
	}
	return nil
}

// issue writes a profile the way `strongroom vpn issue` does.
func (s *site) issue(name string, passphrase []byte) string {
	s.t.Helper()
	profile := s.file(name + ".ovpn")
	_, err := s.authority.Enrol(s.t.Context(), vpnca.Enrolment{
		Name: name, File: profile, Passphrase: passphrase,
		Remote: vpnca.Remote{Host: s.host, ServerName: s.serverName},
	})
	require.NoError(s.t, err)
	return profile
}

// forged writes a profile like an issued one, with a certificate from elsewhere.
func (s *site) forged(name string, template *x509.Certificate, ca *x509.Certificate, caKey crypto.Signer) string {
	s.t.Helper()
	certificate, key := sign(s.t, template, ca, caKey)
	profile := vpnca.Profile{
		Remote: vpnca.Remote{Host: s.host, ServerName: s.serverName}, CA: s.authority.Certificate,
		Entry: &vpnca.Entry{Name: name, Certificate: string(certificate), Until: template.NotAfter}, Key: key,
	}
	text, err := profile.Render()
	require.NoError(s.t, err)
	return s.write(name+".ovpn", text)
}

// client is a template as the authority signs it.
func client(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
}

func server(name string) *x509.Certificate {
	c := client(name)
	c.DNSNames = []string{name}
	c.KeyUsage |= x509.KeyUsageKeyEncipherment
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return c
}

func authority(name string) *x509.Certificate {
	c := client(name)
	c.IsCA, c.ExtKeyUsage, c.SubjectKeyId = true, nil, []byte(name)
	c.NotAfter = c.NotAfter.AddDate(10, 0, 0)
	c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	return c
}

// sign makes a key and a certificate for it; by itself where no CA is given.
func sign(t *testing.T, template, ca *x509.Certificate, caKey crypto.Signer) (certificate, key []byte) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	if ca == nil {
		ca, caKey = template, private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, private.Public(), caKey)
	require.NoError(t, err)
	key, err = vpnca.EncodeKey(private, nil)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key
}

// selfSigned is an authority with its key.
func selfSigned(t *testing.T, name string) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	certificate, key := sign(t, authority(name), nil, nil)
	c, err := vpnca.ParseCertificate(certificate)
	require.NoError(t, err)
	private, err := vpnca.DecodeKey(key, nil)
	require.NoError(t, err)
	return c, private
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
