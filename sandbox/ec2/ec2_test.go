package ec2_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"encoding/xml"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
	"github.com/strongroom-platform/strongroom/sandbox/ec2"
	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
)

const region = "eu-central-1"

// api is the simulated EC2 with a Client VPN endpoint, as a client sees it.
type api struct {
	t        *testing.T
	url      string
	account  *account.Account
	identity account.Identity
	endpoint string
	ca       *x509.Certificate
	key      *rsa.PrivateKey
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a, err := account.Open(t.TempDir(), nil, account.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	server := httptest.NewServer(&ec2.Server{
		Account: a, Log: slog.New(slog.DiscardHandler),
		Credentials: func(id string) (awsapi.Credential, bool) {
			identity, found := a.IdentityByAccessKey(id)
			return awsapi.Credential{Key: sigv4.Key{Secret: identity.SecretAccessKey}, Caller: awsapi.Caller{ARN: identity.ARN}}, found
		},
	})
	t.Cleanup(server.Close)
	made := &api{t: t, url: server.URL, account: a}
	made.identity, _ = a.Identity("sandbox-operator")
	made.makeEndpoint()
	return made
}

// makeEndpoint makes an endpoint whose own certificate is its authority's.
func (a *api) makeEndpoint() {
	a.t.Helper()
	var err error
	a.key, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "vpn.example.com"}, DNSNames: []string{"vpn.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), SubjectKeyId: []byte{1},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	require.NoError(a.t, err)
	a.ca, err = x509.ParseCertificate(der)
	require.NoError(a.t, err)
	create := func(typ string, inputs map[string]any) string {
		id, _, err := a.account.Create(a.t.Context(), account.CreateRequest{Type: typ, Region: region, Inputs: inputs})
		require.NoError(a.t, err)
		return id
	}
	certificate := create("aws:acm/certificate:Certificate", map[string]any{
		"certificateBody": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		"privateKey":      string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(a.key)})),
	})
	a.endpoint = create("aws:ec2clientvpn/endpoint:Endpoint", map[string]any{
		"clientCidrBlock": "10.100.0.0/22", "serverCertificateArn": certificate, "connectionLogOptions": map[string]any{"enabled": false},
		"authenticationOptions": []any{map[string]any{"type": "certificate-authentication", "rootCertificateChainArn": certificate}},
	})
}

func (a *api) list(key *rsa.PrivateKey) string {
	a.t.Helper()
	ca := *a.ca
	ca.PublicKey = key.Public()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
	}, &ca, key)
	require.NoError(a.t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}

// do sends a form, signed by AWS's own SDK.
func (a *api) do(form url.Values) (int, string) {
	a.t.Helper()
	if !form.Has("Version") {
		form.Set("Version", "2016-11-15")
	}
	body := form.Encode()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, a.url+"/", strings.NewReader(body))
	require.NoError(a.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: a.identity.AccessKeyID, SecretAccessKey: a.identity.SecretAccessKey}
	require.NoError(a.t, signer.NewSigner().SignHTTP(context.Background(), credentials, r, hex.EncodeToString(sum[:]), "ec2", region, time.Now()))
	response, err := http.DefaultClient.Do(r)
	require.NoError(a.t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(a.t, err)
	return response.StatusCode, string(text)
}

func (a *api) form(action string, more ...string) url.Values {
	form := url.Values{"Action": {action}, "ClientVpnEndpointId": {a.endpoint}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

const (
	importAction = "ImportClientVpnClientCertificateRevocationList"
	exportAction = "ExportClientVpnClientCertificateRevocationList"
)

func TestRevocationList(t *testing.T) {
	a := newAPI(t)
	status, text := a.do(a.form(exportAction))
	require.Equal(t, http.StatusOK, status, text)
	require.NotContains(t, text, "certificateRevocationList>")

	list := a.list(a.key)
	status, text = a.do(a.form(importAction, "CertificateRevocationList", list))
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, "<return>true</return>")
	_, text = a.do(a.form(exportAction))
	var exported struct {
		List string `xml:"certificateRevocationList"`
		Code string `xml:"status>code"`
	}
	require.NoError(t, xml.Unmarshal([]byte(text), &exported))
	require.Equal(t, list, exported.List)
	require.Equal(t, "active", exported.Code)
}

func TestRefused(t *testing.T) {
	a := newAPI(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		form url.Values
		code string
	}{
		"other signer": {a.form(importAction, "CertificateRevocationList", a.list(other)), "InvalidParameterValue"},
		"no list":      {a.form(importAction), "MissingParameter"},
		"no endpoint":  {a.form(exportAction, "ClientVpnEndpointId", "cvpn-endpoint-0"), "InvalidClientVpnEndpointId.NotFound"},
		"dry run":      {a.form(exportAction, "DryRun", "true"), "UnknownParameter"},
		"other action": {a.form("RunInstances"), "InvalidAction"},
		"old version":  {a.form(exportAction, "Version", "2006-06-26"), "NoSuchVersion"},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := a.do(test.form)
			require.Equal(t, http.StatusBadRequest, status)
			require.Contains(t, text, "<Response><Errors><Error><Code>"+test.code+"</Code>")
		})
	}
	a.identity, _ = a.account.Identity("sandbox-stranger")
	status, text := a.do(a.form(exportAction))
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, text, "UnauthorizedOperation")
	a.identity.SecretAccessKey = "wrong"
	_, text = a.do(a.form(exportAction))
	require.Contains(t, text, "SignatureDoesNotMatch")
}
