package clientvpn

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// keyBits: Client VPN takes RSA keys of 1024 and 2048 bits and no others.
// https://docs.aws.amazon.com/vpn/latest/clientvpn-admin/mutual.html
const keyBits = 2048

// Validate refuses what AWS or a client would refuse, only later: that the
// certificates are not what they must be, or do not belong together. Errors begin
// with the argument that is wrong.
func (a *Authority) Validate(serverName string) error {
	ca, err := certificateIn(a.Certificate)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	if err := validateCA(ca); err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	server, err := certificateIn(a.ServerCertificate)
	if err != nil {
		return fmt.Errorf("serverCertificate: %w", err)
	}
	if err := validateServer(server, ca, serverName); err != nil {
		return fmt.Errorf("serverCertificate: %w", err)
	}
	if _, err := tls.X509KeyPair([]byte(a.ServerCertificate), []byte(a.ServerKey)); err != nil {
		// The error of crypto/tls never holds the key.
		return fmt.Errorf("serverKey: it is no key in PEM, or not that of the server's certificate: %w", err)
	}
	return nil
}

func validateCA(ca *x509.Certificate) error {
	switch {
	case !ca.BasicConstraintsValid || !ca.IsCA:
		return fmt.Errorf("%q is not an authority's: its basic constraints must say CA", ca.Subject)
	case ca.KeyUsage&x509.KeyUsageCertSign == 0 || ca.KeyUsage&x509.KeyUsageCRLSign == 0:
		return errors.New("its key usage must have certificate signing and CRL signing, or nobody can be revoked")
	case len(ca.SubjectKeyId) == 0:
		return errors.New("it has no subject key identifier, by which certificates and revocation lists name it")
	case !rsaOf(ca, keyBits):
		return fmt.Errorf("its key must be RSA of %d bits, which AWS Client VPN needs", keyBits)
	case time.Now().After(ca.NotAfter):
		return fmt.Errorf("it expired on %s: make a new one", ca.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// validateServer holds what a stock OpenVPN with `remote-cert-tls server` and
// `verify-x509-name` holds, too.
func validateServer(server, ca *x509.Certificate, serverName string) error {
	const usage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	switch {
	case !rsaOf(server, keyBits):
		return fmt.Errorf("its key must be RSA of %d bits, which AWS Client VPN needs", keyBits)
	case !slices.Contains(server.DNSNames, serverName):
		return fmt.Errorf("it is for %v and not for %q: the name must be among its DNS names", server.DNSNames, serverName)
	case server.Subject.CommonName != serverName:
		return fmt.Errorf("its common name is %q and not %q, which clients verify", server.Subject.CommonName, serverName)
	case server.KeyUsage&usage != usage || !slices.Contains(server.ExtKeyUsage, x509.ExtKeyUsageServerAuth):
		return errors.New("it must have the key usages digital signature and key encipherment and the extended key usage server authentication, or OpenVPN refuses it")
	case time.Now().After(server.NotAfter):
		return fmt.Errorf("it expired on %s: sign a new one", server.NotAfter.Format(time.DateOnly))
	case server.NotAfter.After(ca.NotAfter):
		return fmt.Errorf("it ends on %s, but its authority expires before, on %s: sign it for a shorter time, or renew the authority",
			server.NotAfter.Format(time.DateOnly), ca.NotAfter.Format(time.DateOnly))
	}
	if err := server.CheckSignatureFrom(ca); err != nil {
		return fmt.Errorf("the authority %q did not sign it: %w", ca.Subject, err)
	}
	return nil
}

func rsaOf(c *x509.Certificate, bits int) bool {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	return ok && key.N.BitLen() == bits
}

// certificateIn reads the one certificate in a PEM text.
func certificateIn(text string) (*x509.Certificate, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("expected one certificate in PEM form (-----BEGIN CERTIFICATE-----) and nothing else")
	}
	return x509.ParseCertificate(block.Bytes)
}
