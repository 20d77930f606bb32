package account

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rsaKeys are shared by the tests: RSA keys take long to make.
var rsaKeys = sync.OnceValue(func() (keys [3]*rsa.PrivateKey) {
	for i, bits := range []int{2048, 2048, 3072} {
		keys[i], _ = rsa.GenerateKey(rand.Reader, bits) // the system always has randomness
	}
	return keys
})

// certified is a certificate with its key and what signs for it.
type certified struct {
	certificate *x509.Certificate
	key         crypto.Signer
	pem, keyPEM string
}

// certify makes a certificate; a nil signer signs itself.
func certify(t *testing.T, key *rsa.PrivateKey, signer *certified, change func(*x509.Certificate)) *certified {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		SubjectKeyId: []byte{1}, BasicConstraintsValid: true,
	}
	if signer == nil {
		template.Subject = pkix.Name{CommonName: "CA"}
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	} else {
		template.Subject, template.DNSNames = pkix.Name{CommonName: "vpn.tooling.internal"}, []string{"vpn.tooling.internal"}
		template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	if change != nil {
		change(template)
	}
	made := &certified{key: key, keyPEM: string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))}
	parent, by := template, crypto.Signer(key)
	if signer != nil {
		parent, by = signer.certificate, signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	require.NoError(t, err)
	made.certificate, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	made.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return made
}

// vpnWorld is a world with what a Client VPN endpoint needs.
type vpnWorld struct {
	*world
	ca, server       *certified
	vpc              *Object
	subnets          [3]*Object // the third in the zone of the second
	certificate, log *Object
	group            *Object
}

func newVPN(t *testing.T) *vpnWorld {
	t.Helper()
	w := &vpnWorld{world: newWorld(t)}
	w.ca = certify(t, rsaKeys()[0], nil, nil)
	w.server = certify(t, rsaKeys()[1], w.ca, nil)
	w.vpc = w.world.vpc("10.0.0.0/16")
	for i, zone := range []string{"a", "b", "b"} {
		w.subnets[i] = w.subnet(w.vpc, []string{"10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"}[i], zone)
	}
	w.certificate = w.create(typeCertificate, w.imported(w.server, w.ca))
	w.log = w.create(typeLogGroup, m{"name": "/aws/clientvpn/tooling"})
	w.group = w.create(typeSecurityGroup, m{"vpcId": w.vpc.ID})
	return w
}

func (w *vpnWorld) imported(server, ca *certified) m {
	return m{"certificateBody": server.pem, "certificateChain": ca.pem, "privateKey": server.keyPEM, "tags": m{"Name": "vpn"}}
}

// inputs are those of a good endpoint, with changes.
func (w *vpnWorld) inputs(changes m) m {
	inputs := m{
		"clientCidrBlock": "10.100.0.0/22", "serverCertificateArn": w.certificate.ID, "splitTunnel": true, "sessionTimeoutHours": 8,
		"authenticationOptions": l(m{"type": "certificate-authentication", "rootCertificateChainArn": w.certificate.ID}),
		"connectionLogOptions":  m{"enabled": true, "cloudwatchLogGroup": w.log.ID}, "dnsServers": l("10.0.0.2"),
		"vpcId": w.vpc.ID, "securityGroupIds": l(w.group.ID), "clientLoginBannerOptions": m{"enabled": true, "bannerText": "hello"},
		"tags": m{"Name": "vpn"},
	}
	for key, value := range changes {
		inputs[key] = value
	}
	return inputs
}

func (w *vpnWorld) endpoint() *Object {
	w.t.Helper()
	return w.create(typeVPNEndpoint, w.inputs(nil))
}

func (w *vpnWorld) associate(endpoint, subnet *Object) *Object {
	w.t.Helper()
	return w.create(typeVPNAssociation, m{"clientVpnEndpointId": endpoint.ID, "subnetId": subnet.ID})
}

// revocations makes a list signed by an authority.
func revocations(t *testing.T, number int64, ca *certified) string {
	t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(7), RevocationTime: time.Now()}},
	}, ca.certificate, ca.key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}
