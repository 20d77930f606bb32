package clientvpn_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/clientvpn"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

// Keys take long to make, so the tests share them.
var keys = sync.OnceValue(func() (made [3]*rsa.PrivateKey) {
	for i, bits := range []int{2048, 2048, 3072} {
		made[i], _ = rsa.GenerateKey(rand.Reader, bits) // the system always has randomness
	}
	return made
})

// parts is an authority with its server's certificate, before they are made.
type parts struct {
	ca, server       x509.Certificate
	caKey, serverKey *rsa.PrivateKey
	// signer signs for the server.
	signer *rsa.PrivateKey
}

func authority(t *testing.T, change func(*parts)) *clientvpn.Authority {
	t.Helper()
	now := time.Now()
	p := &parts{caKey: keys()[0], serverKey: keys()[1], signer: keys()[0]}
	p.ca = x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA of a person"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
	}
	p.server = x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "vpn.tooling.internal"}, DNSNames: []string{"vpn.tooling.internal"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(p)
	}
	ca, err := x509.CreateCertificate(rand.Reader, &p.ca, &p.ca, p.caKey.Public(), p.caKey)
	require.NoError(t, err)
	server, err := x509.CreateCertificate(rand.Reader, &p.server, &p.ca, p.serverKey.Public(), p.signer)
	require.NoError(t, err)
	text := func(typ string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
	}
	return &clientvpn.Authority{
		Certificate: text("CERTIFICATE", ca), ServerCertificate: text("CERTIFICATE", server),
		ServerKey: text("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(keys()[1])),
	}
}

// With an authority of a person no key is made, and of the given ones only the
// server's is in the state, as a secret.
func TestAuthorityOutside(t *testing.T) {
	given := authority(t, nil)
	var vpn *clientvpn.ClientVPN
	g := pulumitest.RunBoth(t, program(func(a *clientvpn.Args) { a.Authority = given }, func(_ *pulumi.Context, made *clientvpn.ClientVPN) error {
		vpn = made
		return nil
	}), pulumitest.Options{})
	require.False(t, vpn.HasCAKey)
	for _, typ := range []string{keyType, caType, requestType, signedType} {
		require.Empty(t, g.OfType(typ))
	}
	certificate := g.Get(t, certificateType, "tooling-vpn-certificate")
	require.Equal(t, given.ServerCertificate, certificate.Get("certificateBody"))
	require.Equal(t, given.Certificate, certificate.Get("certificateChain"))
	require.True(t, certificate.IsSecret("privateKey"))
	g.CheckNoPlaintext(t, given.ServerKey)
	require.Equal(t, given.Certificate, g.Get(t, componentType, "tooling-vpn").Output("caCertificate"))
}

func TestValidateAuthority(t *testing.T) {
	require.NoError(t, authority(t, nil).Validate("vpn.tooling.internal"))
	for name, test := range map[string]struct {
		change func(*parts)
		want   string
	}{
		"no CA":          {func(p *parts) { p.ca.IsCA = false }, "certificate: \"CN=CA of a person\" is not an authority's"},
		"no CRLs":        {func(p *parts) { p.ca.KeyUsage = x509.KeyUsageCertSign }, "certificate: its key usage must have certificate signing and CRL signing"},
		"CA's key":       {func(p *parts) { p.caKey, p.signer = keys()[2], keys()[2] }, "certificate: its key must be RSA of 2048 bits"},
		"CA expired":     {func(p *parts) { p.ca.NotAfter = time.Now().Add(-time.Minute) }, "certificate: it expired on"},
		"ends after CA":  {func(p *parts) { p.ca.NotAfter = time.Now().Add(time.Hour) }, "but its authority expires before"},
		"other name":     {func(p *parts) { p.server.DNSNames = []string{"vpn.example.com"} }, `serverCertificate: it is for [vpn.example.com] and not for "vpn.tooling.internal"`},
		"common name":    {func(p *parts) { p.server.Subject.CommonName = "vpn" }, `serverCertificate: its common name is "vpn"`},
		"no key usage":   {func(p *parts) { p.server.KeyUsage = 0 }, "serverCertificate: it must have the key usages"},
		"client's":       {func(p *parts) { p.server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, "serverCertificate: it must have the key usages"},
		"expired":        {func(p *parts) { p.server.NotAfter = time.Now().Add(-time.Minute) }, "serverCertificate: it expired on"},
		"other's key":    {func(p *parts) { p.serverKey = keys()[0] }, "serverKey: it is no key in PEM, or not that of the server's certificate"},
		"server's key":   {func(p *parts) { p.serverKey = keys()[2] }, "serverCertificate: its key must be RSA of 2048 bits"},
		"other's CA key": {func(p *parts) { p.signer = keys()[1] }, "serverCertificate: the authority \"CN=CA of a person\" did not sign it"},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, authority(t, test.change).Validate("vpn.tooling.internal"), test.want)
		})
	}
	valid := authority(t, nil)
	require.ErrorContains(t, (&clientvpn.Authority{Certificate: "x"}).Validate("vpn.tooling.internal"), "certificate: expected one certificate in PEM form")
	twice := *valid
	twice.ServerCertificate += valid.Certificate
	require.ErrorContains(t, twice.Validate("vpn.tooling.internal"), "serverCertificate: expected one certificate")
	none := *valid
	none.ServerKey = ""
	require.ErrorContains(t, none.Validate("vpn.tooling.internal"), "serverKey: ")
	days := program(func(a *clientvpn.Args) { a.Authority, a.CertificateDays = valid, 90 }, nil)
	_, err := pulumitest.RunErr(days, pulumitest.Options{})
	require.ErrorContains(t, err, "authorityDays and certificateDays are for certificates made here")
}
