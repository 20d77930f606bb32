package tls

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

var caInputs = map[string]any{
	"subject":             map[string]any{"commonName": "a CA", "organization": "an organization"},
	"validityPeriodHours": 48.0,
	"isCaCertificate":     true,
	"allowedUses":         []any{"cert_signing", "crl_signing"},
}

var serverNames = map[string]any{
	"subject":     map[string]any{"commonName": "vault", "streetAddresses": []any{"a street"}},
	"dnsNames":    []any{"vault.tooling.internal", "*.vault-internal"},
	"ipAddresses": []any{"127.0.0.1", "::1"},
	"uris":        []any{"spiffe://cluster.local/ns/vault/sa/vault"},
}

// chain makes a CA and a server certificate signed by it, with keys of an algorithm.
func chain(t *testing.T, p *Provider, algorithm string, changes map[string]any) (ca, server *object) {
	t.Helper()
	caKey := key(t, p, algorithm)
	ca = create(t, p, selfSignedCert, with(caInputs, map[string]any{"privateKeyPem": caKey}))
	request := create(t, p, certRequest, with(serverNames, map[string]any{"privateKeyPem": key(t, p, algorithm)}))
	server = create(t, p, locallySignedCert, with(map[string]any{
		"certRequestPem":      request.text(t, "certRequestPem"),
		"caCertPem":           ca.text(t, "certPem"),
		"caPrivateKeyPem":     caKey,
		"validityPeriodHours": 24.0,
		"allowedUses":         []any{"digital_signature", "key_encipherment", "server_auth"},
	}, changes))
	return ca, server
}

func parse(t *testing.T, o *object) *x509.Certificate {
	t.Helper()
	c, err := parseCertificate("certPem", o.text(t, "certPem"))
	require.NoError(t, err)
	return c
}

func TestChainVerifies(t *testing.T) {
	now := time.Date(2030, 5, 6, 7, 8, 9, 987654321, time.UTC)
	for _, algorithm := range []string{"RSA", "ECDSA", "ED25519"} {
		t.Run(algorithm, func(t *testing.T) {
			caObject, serverObject := chain(t, at(now), algorithm, nil)
			ca, server := parse(t, caObject), parse(t, serverObject)
			require.Equal(t, algorithm, caObject.text(t, "keyAlgorithm"))
			require.Equal(t, algorithm, serverObject.text(t, "caKeyAlgorithm"))
			require.True(t, ca.IsCA)
			require.False(t, server.IsCA)
			require.True(t, server.BasicConstraintsValid)
			require.Equal(t, x509.KeyUsageCertSign|x509.KeyUsageCRLSign, ca.KeyUsage)
			require.Equal(t, x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment, server.KeyUsage)
			require.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, server.ExtKeyUsage)
			require.Equal(t, "a CA", server.Issuer.CommonName)
			require.Equal(t, []string{"a street"}, server.Subject.StreetAddress)
			require.Equal(t, []string{"vault.tooling.internal", "*.vault-internal"}, server.DNSNames)
			require.Len(t, server.IPAddresses, 2)
			require.Equal(t, "spiffe://cluster.local/ns/vault/sa/vault", server.URIs[0].String())
			require.Equal(t, server.SerialNumber.String(), serverObject.id)
			// The CA has a subject key identifier without being asked, and what it signs names it.
			require.NotEmpty(t, ca.SubjectKeyId)
			require.Equal(t, ca.SubjectKeyId, server.AuthorityKeyId)

			require.Equal(t, "2030-05-06T07:08:09Z", serverObject.text(t, "validityStartTime"))
			require.Equal(t, "2030-05-07T07:08:09Z", serverObject.text(t, "validityEndTime"))
			require.Equal(t, server.NotBefore.Format(time.RFC3339), serverObject.text(t, "validityStartTime"))
			require.Equal(t, server.NotAfter.Format(time.RFC3339), serverObject.text(t, "validityEndTime"))

			roots := x509.NewCertPool()
			roots.AddCert(ca)
			verify := func(name string, when time.Time, usage x509.ExtKeyUsage) error {
				_, err := server.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: when, KeyUsages: []x509.ExtKeyUsage{usage}})
				return err
			}
			for _, name := range []string{"vault.tooling.internal", "vault-0.vault-internal", "127.0.0.1", "::1"} {
				require.NoError(t, verify(name, now, x509.ExtKeyUsageServerAuth), name)
			}
			require.Error(t, verify("other.internal", now, x509.ExtKeyUsageServerAuth))
			require.Error(t, verify("127.0.0.1", now, x509.ExtKeyUsageClientAuth))
			require.Error(t, verify("127.0.0.1", now.Add(25*time.Hour), x509.ExtKeyUsageServerAuth))
			require.Error(t, verify("127.0.0.1", now.Add(-time.Minute), x509.ExtKeyUsageServerAuth))

			stranger := x509.NewCertPool()
			strangerCA, _ := chain(t, at(now), algorithm, nil)
			stranger.AddCert(parse(t, strangerCA))
			_, err := server.Verify(x509.VerifyOptions{Roots: stranger, CurrentTime: now})
			require.Error(t, err)
		})
	}
}

func TestChainVerifiesWithOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed; crypto/x509 verifies the same chain in TestChainVerifies")
	}
	for _, algorithm := range []string{"RSA", "ECDSA", "ED25519"} {
		t.Run(algorithm, func(t *testing.T) {
			ca, server := chain(t, New(), algorithm, nil)
			dir := t.TempDir()
			for name, o := range map[string]*object{"ca.pem": ca, "server.pem": server} {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(o.text(t, "certPem")), 0o600))
			}
			file := func(name string) string { return filepath.Join(dir, name) }
			for _, flags := range [][]string{
				{"-x509_strict", "-purpose", "sslserver", "-verify_hostname", "vault.tooling.internal"},
				{"-purpose", "sslserver", "-verify_ip", "127.0.0.1"},
			} {
				args := append([]string{"verify", "-CAfile", file("ca.pem")}, flags...)
				pipe(t, "", "openssl", append(args, file("server.pem"))...)
			}
			out, err := exec.CommandContext(t.Context(), "openssl", "verify", "-CAfile", file("ca.pem"), "-purpose", "sslclient", file("server.pem")).CombinedOutput()
			require.Error(t, err, "%s", out)
		})
	}
}

func TestIntermediateAuthority(t *testing.T) {
	p := New()
	rootKey, middleKey, leafKey := key(t, p, "ECDSA"), key(t, p, "ECDSA"), key(t, p, "ECDSA")
	root := create(t, p, selfSignedCert, with(caInputs, map[string]any{"privateKeyPem": rootKey, "setAuthorityKeyId": true}))
	require.Equal(t, parse(t, root).SubjectKeyId, parse(t, root).AuthorityKeyId)
	signed := func(requestKey, name string, ca *object, caKey string, changes map[string]any) *object {
		request := create(t, p, certRequest, map[string]any{"privateKeyPem": requestKey, "subject": map[string]any{"commonName": name}})
		return create(t, p, locallySignedCert, with(map[string]any{
			"certRequestPem": request.text(t, "certRequestPem"), "caCertPem": ca.text(t, "certPem"), "caPrivateKeyPem": caKey,
			"validityPeriodHours": 1.0, "allowedUses": []any{"client_auth"},
		}, changes))
	}
	middle := signed(middleKey, "intermediate", root, rootKey, map[string]any{"isCaCertificate": true, "allowedUses": []any{"cert_signing"}})
	leaf := signed(leafKey, "leaf", middle, middleKey, map[string]any{"setSubjectKeyId": true})
	require.NotEmpty(t, parse(t, leaf).SubjectKeyId)
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(parse(t, root))
	intermediates.AddCert(parse(t, middle))
	_, err := parse(t, leaf).Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	require.NoError(t, err)
}

func TestCertRequestHoldsTheNames(t *testing.T) {
	p := New()
	o := create(t, p, certRequest, with(serverNames, map[string]any{"privateKeyPem": key(t, p, "RSA")}))
	request, err := parseRequest(o.text(t, "certRequestPem"))
	require.NoError(t, err)
	require.Equal(t, "vault", request.Subject.CommonName)
	require.Equal(t, []string{"vault.tooling.internal", "*.vault-internal"}, request.DNSNames)
	require.Equal(t, "RSA", o.text(t, "keyAlgorithm"))
	m, err := plugin.Unmarshal(o.state)
	require.NoError(t, err)
	require.True(t, m["privateKeyPem"].IsSecret())
	require.False(t, m["certRequestPem"].ContainsSecrets())
}

func TestCreateRefuses(t *testing.T) {
	p := New()
	caKey, otherKey := key(t, p, "ED25519"), key(t, p, "ED25519")
	ca := create(t, p, selfSignedCert, with(caInputs, map[string]any{"privateKeyPem": caKey}))
	request := create(t, p, certRequest, map[string]any{"privateKeyPem": otherKey})
	signed := map[string]any{
		"certRequestPem": request.text(t, "certRequestPem"), "caCertPem": ca.text(t, "certPem"), "caPrivateKeyPem": caKey,
		"validityPeriodHours": 1.0, "allowedUses": []any{},
	}
	for _, c := range []struct {
		name, token string
		inputs      map[string]any
		want        string
	}{
		{"another CA's key", locallySignedCert, with(signed, map[string]any{"caPrivateKeyPem": otherKey}), "caPrivateKeyPem is not the key of caCertPem"},
		{"a request that is none", locallySignedCert, with(signed, map[string]any{"certRequestPem": "x"}), `certRequestPem: expected a PEM block of type "CERTIFICATE REQUEST"`},
		{"a key as certificate", locallySignedCert, with(signed, map[string]any{"caCertPem": caKey}), `caCertPem: expected a PEM block of type "CERTIFICATE"`},
		{"a certificate as key", locallySignedCert, with(signed, map[string]any{"caPrivateKeyPem": ca.text(t, "certPem")}), "caPrivateKeyPem: expected a private key"},
		{"two certificates", locallySignedCert, with(signed, map[string]any{"caCertPem": ca.text(t, "certPem") + ca.text(t, "certPem")}), "expected one PEM block"},
		{"a CA without a subject", selfSignedCert, with(caInputs, map[string]any{"privateKeyPem": caKey, "subject": nil}), "subject: a CA certificate needs"},
		{"an authority id that nobody has", selfSignedCert, with(caInputs, map[string]any{"privateKeyPem": caKey, "isCaCertificate": false, "setAuthorityKeyId": true}), "no subject key identifier"},
		{"a broken key", certRequest, map[string]any{"privateKeyPem": "secret garbage"}, "privateKeyPem: expected a private key in PEM form"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(c.token), Properties: properties(t, c.inputs)})
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "thing: ")
			require.NotContains(t, err.Error(), "garbage")
		})
	}
}

func TestGetCertificate(t *testing.T) {
	p := New()
	ca, server := chain(t, p, "ECDSA", nil)
	result, err := p.Invoke(t.Context(), &pulumirpc.InvokeRequest{
		Tok:  "tls:index/getCertificate:getCertificate",
		Args: properties(t, map[string]any{"content": server.text(t, "certPem") + ca.text(t, "certPem")}),
	})
	require.NoError(t, err)
	list := result.GetReturn().GetFields()["certificates"].GetListValue().GetValues()
	require.Len(t, list, 2)
	require.Equal(t, server.id, list[0].GetStructValue().GetFields()["serialNumber"].GetStringValue())
	require.True(t, list[1].GetStructValue().GetFields()["isCa"].GetBoolValue())
	_, err = p.Invoke(t.Context(), &pulumirpc.InvokeRequest{
		Tok: "tls:index/getCertificate:getCertificate", Args: properties(t, map[string]any{"url": "https://example.com"}),
	})
	require.ErrorContains(t, err, "never leaves this machine")
}
