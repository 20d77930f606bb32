package vpnca

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func verify(c, ca *x509.Certificate, at time.Time, usage x509.ExtKeyUsage) error {
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	_, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

// Proves chain, uses, dates and serial number with crypto/x509, also under a CA
// with name constraints.
func TestCertificate(t *testing.T) {
	for name, change := range map[string]func(*x509.Certificate){
		"a plain CA": nil,
		"a CA with name constraints": func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"tooling.internal"}
		},
		"a CA that may have nobody below": func(c *x509.Certificate) { c.MaxPathLenZero = true },
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := newAuthority(t)
			a.Certificate = makeCA(t, testKey(), change)
			require.NoError(t, a.Check())
			e := issue(t, a, "alice")
			c := certificate(t, e)
			require.NoError(t, verify(c, a.Certificate, start, x509.ExtKeyUsageClientAuth))
			require.Error(t, verify(c, a.Certificate, start, x509.ExtKeyUsageServerAuth))
			require.Error(t, verify(c, a.Certificate, start.AddDate(1, 0, 1), x509.ExtKeyUsageClientAuth))
			require.Error(t, verify(c, a.Certificate, start.Add(-6*time.Minute), x509.ExtKeyUsageClientAuth))
			stranger := makeCA(t, makeKey(2048), change)
			require.Error(t, verify(c, stranger, start, x509.ExtKeyUsageClientAuth))

			require.Equal(t, "alice", c.Subject.CommonName)
			require.Equal(t, x509.KeyUsageDigitalSignature, c.KeyUsage)
			require.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, c.ExtKeyUsage)
			require.False(t, c.IsCA)
			require.True(t, c.BasicConstraintsValid)
			require.Equal(t, a.Certificate.SubjectKeyId, c.AuthorityKeyId)
			require.Equal(t, 2048, c.PublicKey.(*rsa.PublicKey).N.BitLen())
			require.Positive(t, c.SerialNumber.Sign())
			require.LessOrEqual(t, c.SerialNumber.BitLen(), 127)
			require.Equal(t, start.Add(-5*time.Minute), c.NotBefore)
			require.Equal(t, start.Add(DefaultValidity), c.NotAfter)
			require.Equal(t, serialText(c.SerialNumber), e.Serial)
			require.Equal(t, Event{At: start, By: "somebody@somewhere"}, e.Issued)
		})
	}
}

// The same with OpenSSL, which is what the endpoint runs.
func TestCertificateWithOpenSSL(t *testing.T) {
	a, _ := newAuthority(t)
	a.Now = nil
	a.Certificate = makeCA(t, testKey(), func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(2, 0, 0)
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"tooling.internal"}
	})
	dir := t.TempDir()
	ca := write(t, dir, "ca.pem", certificatePEM(a.Certificate.Raw))
	e := issue(t, a, "alice")
	other := issue(t, a, "bob")
	alice, bob := write(t, dir, "alice.pem", e.Certificate), write(t, dir, "bob.pem", other.Certificate)

	out, err := openssl(t, "verify", "-x509_strict", "-CAfile", ca, "-purpose", "sslclient", alice)
	require.NoError(t, err, out)
	out, err = openssl(t, "verify", "-x509_strict", "-CAfile", ca, "-purpose", "sslserver", alice)
	require.Error(t, err, "a client's certificate is no server's: %s", out)
	out, err = openssl(t, "x509", "-in", alice, "-noout", "-serial", "-subject", "-ext", "keyUsage,extendedKeyUsage,basicConstraints")
	require.NoError(t, err, out)
	serial, _, _ := strings.Cut(strings.SplitN(out, "serial=", 2)[1], "\n")
	require.Equal(t, e.Serial, strings.ToLower(strings.TrimLeft(serial, "0")))
	for _, want := range []string{"CN = alice", "Digital Signature", "TLS Web Client Authentication", "CA:FALSE"} {
		require.Contains(t, out, want)
	}

	require.NoError(t, a.Revoke(t.Context(), "alice", KeyCompromise))
	crl := index(t, a).CRL
	list := write(t, dir, "crl.pem", crl.PEM)
	out, err = openssl(t, "crl", "-in", list, "-noout", "-CAfile", ca, "-verify", "-text", "-crlnumber")
	require.NoError(t, err, out)
	require.Contains(t, out, "verify OK")
	require.Contains(t, out, "Key Compromise")
	require.Contains(t, out, "Revoked Certificates:")
	out, err = openssl(t, "verify", "-crl_check", "-CRLfile", list, "-CAfile", ca, alice)
	require.Error(t, err)
	require.Contains(t, out, "certificate revoked")
	out, err = openssl(t, "verify", "-crl_check", "-CRLfile", list, "-CAfile", ca, bob)
	require.NoError(t, err, out)
}

// Proves that issuing, renewing and revoking for one person changes nothing for
// the CA or for anybody else.
func TestOthersAreNotTouched(t *testing.T) {
	a, c := newAuthority(t)
	ca := Fingerprint(a.Certificate)
	alice, bob := *issue(t, a, "alice"), *issue(t, a, "bob")
	c.pass(time.Hour)

	_, request, err := NewKey("alice")
	require.NoError(t, err)
	renewed, err := a.Renew(t.Context(), request, 24*time.Hour, false)
	require.NoError(t, err)
	i := index(t, a)
	require.Len(t, i.Entries, 3)
	require.Equal(t, bob, *i.Entries[1])
	require.Equal(t, renewed.Serial, i.Entries[0].ReplacedBy)
	require.Equal(t, Valid, i.Entries[0].StateOf(a.Certificate, c.Now()), "the person is not locked out before the new profile arrives")
	require.Equal(t, renewed.Serial, i.Current("alice", a.Certificate, c.Now()).Serial)
	require.Nil(t, i.CRL)
	alice.ReplacedBy = renewed.Serial
	require.Equal(t, alice, *i.Entries[0])

	require.NoError(t, a.Revoke(t.Context(), "alice", Left))
	i = index(t, a)
	require.Equal(t, bob, *i.Entries[1])
	require.ElementsMatch(t, []string{alice.Serial, renewed.Serial}, revokedIn(t, a, i.CRL), "all of the person's certificates")
	require.Equal(t, ca, Fingerprint(a.Certificate))
	// Whoever was revoked can come back, with a new key.
	require.NotEqual(t, renewed.Serial, issue(t, a, "alice").Serial)
}

func TestRenewRevokingTheEarlier(t *testing.T) {
	a, _ := newAuthority(t)
	old := issue(t, a, "alice")
	_, request, err := NewKey("alice")
	require.NoError(t, err)
	renewed, err := a.Renew(t.Context(), request, 0, true)
	require.NoError(t, err)
	i := index(t, a)
	require.Equal(t, []string{old.Serial}, revokedIn(t, a, i.CRL))
	require.Equal(t, Superseded, i.Entries[0].Reason)
	require.Equal(t, renewed.Serial, i.Current("alice", a.Certificate, start).Serial)
}

// Proves that a run that is repeated with the same key finds its certificate.
func TestIssueAgainWithTheSameKey(t *testing.T) {
	a, _ := newAuthority(t)
	_, request, err := NewKey("alice")
	require.NoError(t, err)
	first, err := a.Issue(t.Context(), request, 0)
	require.NoError(t, err)
	second, err := a.Issue(t.Context(), request, 0)
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.Len(t, index(t, a).Entries, 1)

	require.NoError(t, a.Revoke(t.Context(), "alice", ""))
	_, err = a.Issue(t.Context(), request, 0)
	require.ErrorContains(t, err, "make a new key", "a revoked key does not come back")
}

type otherSigner struct{ crypto.Signer }

func requestOf(t *testing.T, name string, key crypto.Signer) *x509.CertificateRequest {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	require.NoError(t, err)
	r, err := x509.ParseCertificateRequest(der)
	require.NoError(t, err)
	return r
}

// Proves that each refusal says what to do and changes nothing.
func TestRefused(t *testing.T) {
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	good := makeKey(2048)
	for name, tt := range map[string]struct {
		do   func(t *testing.T, a *Authority) error
		is   error
		want string
	}{
		"issued": {func(t *testing.T, a *Authority) error {
			_, err := a.Issue(t.Context(), requestOf(t, "alice", good), 0)
			return err
		}, ErrIssued, "strongroom vpn renew alice"},
		"nothing to renew": {func(t *testing.T, a *Authority) error {
			_, err := a.Renew(t.Context(), requestOf(t, "carol", good), 0, false)
			return err
		}, ErrUnknown, "strongroom vpn issue carol"},
		"revoke unknown": {func(t *testing.T, a *Authority) error { return a.Revoke(t.Context(), "carol", "") }, ErrUnknown, "strongroom vpn list"},
		"revoke twice":   {func(t *testing.T, a *Authority) error { return a.Revoke(t.Context(), "bob", "") }, ErrRevoked, "2030-05-06 by somebody@somewhere"},
		"revoke what ran out": {func(t *testing.T, a *Authority) error {
			a.Now = func() time.Time { return start.AddDate(1, 1, 0) }
			return a.Revoke(t.Context(), "alice", "")
		}, ErrUnknown, "ran out on 2031-05-06"},
		"a reason nobody knows": {func(t *testing.T, a *Authority) error { return a.Revoke(t.Context(), "alice", "boredom") }, nil, "choose one of"},
		"longer than the CA": {func(t *testing.T, a *Authority) error {
			_, err := a.Issue(t.Context(), requestOf(t, "carol", good), 11*DefaultValidity)
			return err
		}, nil, "runs out on 2040-05-06, before the certificate would on 2041-05-03: ask for 3653 days at most"},
		"too short": {func(t *testing.T, a *Authority) error {
			_, err := a.Issue(t.Context(), requestOf(t, "carol", good), time.Minute)
			return err
		}, nil, "an hour at least"},
		"the endpoint's own name": {func(t *testing.T, a *Authority) error {
			_, err := a.Issue(t.Context(), requestOf(t, "vpn.tooling.internal", good), 0)
			return err
		}, nil, "pose as the endpoint"},
		"another kind of key": {func(t *testing.T, a *Authority) error {
			_, err := a.Issue(t.Context(), requestOf(t, "carol", edKey), 0)
			return err
		}, nil, "RSA key of 2048 bits"},
		"a longer key": {func(t *testing.T, a *Authority) error {
			_, err := a.Issue(t.Context(), requestOf(t, "carol", makeKey(3072)), 0)
			return err
		}, nil, "RSA key of 2048 bits"},
		"a request that somebody changed": {func(t *testing.T, a *Authority) error {
			r := requestOf(t, "carol", good)
			r.Signature[7] ^= 1
			_, err := a.Issue(t.Context(), r, 0)
			return err
		}, nil, "not signed by its own key"},
		"a name that is a path": {func(t *testing.T, a *Authority) error {
			_, err := a.Issue(t.Context(), requestOf(t, "../alice", good), 0)
			return err
		}, nil, "a name has"},
		"the key of somebody else": {func(t *testing.T, a *Authority) error {
			_, err := a.Issue(t.Context(), requestOf(t, "dave", good), 0)
			require.NoError(t, err)
			_, err = a.Issue(t.Context(), requestOf(t, "carol", good), 0)
			require.NoError(t, a.update(t.Context(), func(i *Index) error { i.Entries = i.Entries[:2]; return nil }))
			return err
		}, nil, "make a new key"},
		"no key of the CA": {func(t *testing.T, a *Authority) error { a.Key = nil; return a.Revoke(t.Context(), "alice", "") }, nil, "the key of the CA"},
		"another CA's key": {func(t *testing.T, a *Authority) error {
			a.Key = makeKey(2048)
			return a.Revoke(t.Context(), "alice", "")
		}, nil, "not the key of the CA certificate"},
		"a CA that ran out": {func(t *testing.T, a *Authority) error {
			a.Now = func() time.Time { return start.AddDate(11, 0, 0) }
			return a.Revoke(t.Context(), "alice", "")
		}, nil, "has run out on 2040-05-06"},
		"a leaf as the CA": {func(t *testing.T, a *Authority) error {
			a.Certificate = makeCA(t, testKey(), func(c *x509.Certificate) { c.IsCA = false })
			return a.Revoke(t.Context(), "alice", "")
		}, nil, "is not a CA's"},
		"a CA that may not sign lists": {func(t *testing.T, a *Authority) error {
			a.Certificate = makeCA(t, testKey(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
			return a.Revoke(t.Context(), "alice", "")
		}, nil, "may not sign certificates and revocation lists"},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := newAuthority(t)
			issue(t, a, "alice")
			issue(t, a, "bob")
			require.NoError(t, a.Revoke(t.Context(), "bob", ""))
			before, _, err := a.Store.Load(t.Context())
			require.NoError(t, err)
			err = tt.do(t, a)
			require.ErrorContains(t, err, tt.want)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			after, _, err := a.Store.Load(t.Context())
			require.NoError(t, err)
			require.Equal(t, string(before), string(after))
		})
	}
}

// Proves that a key that is not in this process, such as one in KMS, can sign.
func TestAnySigner(t *testing.T) {
	a, _ := newAuthority(t)
	a.Key = otherSigner{testKey()}
	e := issue(t, a, "alice")
	require.NoError(t, a.Revoke(context.Background(), "alice", ""))
	require.Equal(t, []string{e.Serial}, revokedIn(t, a, index(t, a).CRL))
}

func TestNames(t *testing.T) {
	for _, good := range []string{"a", "alice", "alice@example.com", "a.b-c_d", "0x", strings.Repeat("a", 64)} {
		require.NoError(t, CheckName(good), good)
	}
	for _, bad := range []string{
		"", strings.Repeat("a", 65), "Alice", "al ice", "../alice", "a/b", `a\b`, "a..b", ".alice", "-alice", "alice.", "a;b", "a$b", "$(id)", "a`b",
		"a|b", "a&b", "a\nb", "a\x00b", "a'b", `a"b`, "a*", "a~", "ålice", "a,b", "a=b", "a+b",
	} {
		require.ErrorContains(t, CheckName(bad), "a name has 1 to 64", "%q", bad)
	}
}
