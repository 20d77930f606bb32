package account

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestVPNEndpoint(t *testing.T) {
	w := newVPN(t)
	endpoint := w.endpoint()
	require.Regexp(t, `^cvpn-endpoint-0[0-9a-f]{16}$`, endpoint.ID)
	require.Equal(t, "*."+endpoint.ID+".prod.clientvpn.eu-central-1.amazonaws.com", endpoint.Outputs["dnsName"])
	require.NotEmpty(t, Props(endpoint.Outputs).Props("connectionLogOptions").String("cloudwatchLogStream"))
	typ, err := Lookup(typeVPNEndpoint)
	require.NoError(t, err)
	require.Equal(t, Diff{}, typ.Diff(endpoint.Inputs, w.read(endpoint).Outputs, endpoint.Inputs), "twice the same is no change")

	for _, property := range []string{"clientCidrBlock", "transportProtocol"} {
		changed := cloneMap(endpoint.Inputs)
		changed[property] = map[string]any{"clientCidrBlock": "10.101.0.0/22", "transportProtocol": "tcp"}[property]
		require.Equal(t, []string{property}, typ.Diff(endpoint.Inputs, endpoint.Outputs, changed).Replaces)
	}
	require.NoError(t, w.update(endpoint, m{"sessionTimeoutHours": 24, "dnsServers": l("10.0.0.3"), "clientLoginBannerOptions": nil}))
	require.NoError(t, w.delete(endpoint))
	gone(t, w.delete(endpoint))
}

func TestVPNEndpointIsChecked(t *testing.T) {
	w := newVPN(t)
	other := w.world.vpc("10.9.0.0/16")
	nameless := w.create(typeCertificate, w.imported(certify(t, rsaKeys()[1], w.ca, func(c *x509.Certificate) { c.DNSNames = nil }), w.ca))
	large := w.create(typeCertificate, w.imported(certify(t, rsaKeys()[2], w.ca, nil), w.ca))
	for name, test := range map[string]struct {
		changes m
		want    string
	}{
		"too small":         {m{"clientCidrBlock": "10.100.0.0/23"}, "AWS takes /12 to /22"},
		"too large":         {m{"clientCidrBlock": "10.0.0.0/11"}, "AWS takes /12 to /22"},
		"no network":        {m{"clientCidrBlock": "10.100.0.1/22"}, "not a network address"},
		"session":           {m{"sessionTimeoutHours": 9}, "expected one of [8 10 12 24]"},
		"port":              {m{"vpnPort": 500}, "expected one of [443 1194]"},
		"banner":            {m{"clientLoginBannerOptions": m{"enabled": true, "bannerText": strings.Repeat("x", 1401)}}, "at most 1400"},
		"resolvers":         {m{"dnsServers": l("10.0.0.2", "10.0.0.3", "10.0.0.4")}, "at most 2"},
		"resolver":          {m{"dnsServers": l("dns")}, "not an IPv4 address"},
		"no log group":      {m{"connectionLogOptions": m{"enabled": true}}, "cloudwatchLogGroup"},
		"missing log group": {m{"connectionLogOptions": m{"enabled": true, "cloudwatchLogGroup": "/none"}}, "does not exist"},
		"groups, no VPC":    {m{"vpcId": nil}, "vpcId"},
		"other VPC's group": {m{"vpcId": other.ID}, "InvalidGroup.NotFound"},
		"directory":         {m{"authenticationOptions": l(m{"type": "directory-service-authentication"})}, "not modelled"},
		"no chain":          {m{"authenticationOptions": l(m{"type": "certificate-authentication"})}, "rootCertificateChainArn"},
		"no certificate":    {m{"serverCertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/none"}, "does not exist"},
		"no domain":         {m{"serverCertificateArn": nameless.ID}, "does not have a domain"},
		"large key":         {m{"serverCertificateArn": large.ID}, "RSA_3072"},
		"portal":            {m{"selfServicePortal": "enabled"}, "not modelled"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeVPNEndpoint, w.inputs(test.changes))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestVPNAssociation(t *testing.T) {
	w := newVPN(t)
	endpoint := w.endpoint()
	association := w.associate(endpoint, w.subnets[0])
	second := w.associate(endpoint, w.subnets[1])
	require.Regexp(t, `^cvpn-assoc-0[0-9a-f]{16}$`, association.ID)
	require.Equal(t, w.vpc.ID, association.Outputs["vpcId"])

	_, err := w.try(typeVPNAssociation, m{"clientVpnEndpointId": endpoint.ID, "subnetId": w.subnets[2].ID})
	refused(t, err, "InvalidClientVpnDuplicateAssociation")
	_, err = w.try(typeVPNAssociation, m{"clientVpnEndpointId": "cvpn-endpoint-0", "subnetId": w.subnets[2].ID})
	refused(t, err, "InvalidClientVpnEndpointId.NotFound")
	elsewhere := w.subnet(w.world.vpc("10.9.0.0/16"), "10.9.0.0/24", "c")
	_, err = w.try(typeVPNAssociation, m{"clientVpnEndpointId": endpoint.ID, "subnetId": elsewhere.ID})
	refused(t, err, "InvalidParameterValue")
	small := w.subnet(w.vpc, "10.0.9.0/28", "c")
	_, err = w.try(typeVPNAssociation, m{"clientVpnEndpointId": endpoint.ID, "subnetId": small.ID})
	refused(t, err, "InvalidSubnet.Range")

	// Its network interfaces hold the subnet and the security group.
	refused(t, w.delete(w.subnets[0]), "DependencyViolation")
	refused(t, w.delete(w.group), "DependencyViolation")
	refused(t, w.delete(endpoint), "DependencyViolation")
	require.NoError(t, w.delete(association))
	require.NoError(t, w.delete(second))
	require.NoError(t, w.delete(endpoint))
	require.NoError(t, w.delete(w.subnets[0]))
	require.NoError(t, w.delete(w.group))
}

// The groups of the endpoint are those of its interfaces, also after a change.
func TestVPNEndpointMovesItsInterfaces(t *testing.T) {
	w := newVPN(t)
	endpoint := w.endpoint()
	w.associate(endpoint, w.subnets[0])
	other := w.create(typeSecurityGroup, m{"vpcId": w.vpc.ID})
	require.NoError(t, w.update(endpoint, m{"securityGroupIds": l(other.ID)}))
	refused(t, w.delete(other), "DependencyViolation")
	require.NoError(t, w.delete(w.group))
}

func TestVPNClientRangeOverlapsTheVPC(t *testing.T) {
	w := newVPN(t)
	endpoint := w.create(typeVPNEndpoint, w.inputs(m{"clientCidrBlock": "10.0.0.0/20"}))
	_, err := w.try(typeVPNAssociation, m{"clientVpnEndpointId": endpoint.ID, "subnetId": w.subnets[0].ID})
	refused(t, err, "InvalidParameterValue")
}

func TestVPNRoutesAndAuthorization(t *testing.T) {
	w := newVPN(t)
	endpoint := w.endpoint()
	route := m{"clientVpnEndpointId": endpoint.ID, "targetVpcSubnetId": w.subnets[0].ID, "destinationCidrBlock": "10.20.0.0/16"}
	_, err := w.try(typeVPNRoute, route)
	refused(t, err, "InvalidClientVpnActiveAssociationNotFound")
	association := w.associate(endpoint, w.subnets[0])
	made := w.create(typeVPNRoute, route)
	require.Equal(t, endpoint.ID+","+w.subnets[0].ID+",10.20.0.0/16", made.ID)
	_, err = w.try(typeVPNRoute, route)
	refused(t, err, "InvalidClientVpnDuplicateRoute")
	for destination, code := range map[string]string{"10.0.0.0/16": "InvalidClientVpnDuplicateRoute", "10.100.0.0/24": "InvalidParameterValue"} {
		route["destinationCidrBlock"] = destination
		_, err = w.try(typeVPNRoute, route)
		refused(t, err, code)
	}

	rule := m{"clientVpnEndpointId": endpoint.ID, "targetNetworkCidr": "10.0.0.0/16", "authorizeAllGroups": true}
	authorization := w.create(typeVPNAuthorization, rule)
	require.Equal(t, endpoint.ID+",10.0.0.0/16", authorization.ID)
	_, err = w.try(typeVPNAuthorization, rule)
	refused(t, err, "InvalidClientVpnDuplicateAuthorizationRule")
	delete(rule, "authorizeAllGroups")
	_, err = w.try(typeVPNAuthorization, rule)
	require.ErrorContains(t, err, "authorizeAllGroups")

	require.NoError(t, w.delete(association))
	gone(t, w.delete(made))
	require.NoError(t, w.delete(endpoint))
	gone(t, w.delete(authorization))
}

func TestRevocationList(t *testing.T) {
	w := newVPN(t)
	endpoint := w.endpoint()
	list, err := w.a.ExportRevocationList(t.Context(), testRegion, endpoint.ID)
	require.NoError(t, err)
	require.Empty(t, list)
	for number := range int64(2) {
		want := revocations(t, number+1, w.ca)
		require.NoError(t, w.a.ImportRevocationList(t.Context(), testRegion, endpoint.ID, want))
		list, err = w.a.ExportRevocationList(t.Context(), testRegion, endpoint.ID)
		require.NoError(t, err)
		require.Equal(t, want, list)
	}
	other := certify(t, rsaKeys()[1], nil, nil)
	for name, text := range map[string]string{
		"another authority": revocations(t, 9, other), "no PEM": "x", "a certificate": w.ca.pem, "two": list + list,
	} {
		refused(t, w.a.ImportRevocationList(t.Context(), testRegion, endpoint.ID, text), "InvalidParameterValue")
		kept, err := w.a.ExportRevocationList(t.Context(), testRegion, endpoint.ID)
		require.NoError(t, err)
		require.Equal(t, list, kept, name)
	}
	refused(t, w.a.ImportRevocationList(t.Context(), "eu-west-1", endpoint.ID, list), "InvalidClientVpnEndpointId.NotFound")

	// It is there after a restart, and goes with the endpoint.
	dir := w.a.dir
	require.NoError(t, w.a.Close())
	w.a, err = Open(dir, w.cp, Options{})
	require.NoError(t, err)
	kept, err := w.a.ExportRevocationList(t.Context(), testRegion, endpoint.ID)
	require.NoError(t, err)
	require.Equal(t, list, kept)
	require.NoError(t, w.delete(endpoint))
	for _, o := range w.a.Objects() {
		require.NotEqual(t, typeRevocationList, o.Type)
	}
	require.NoError(t, w.a.Close())
	w.a, err = Open(dir, w.cp, Options{})
	require.NoError(t, err)
}

func TestCertificate(t *testing.T) {
	w := newVPN(t)
	require.Regexp(t, `^arn:aws:acm:eu-central-1:123456789012:certificate/[0-9a-f-]{36}$`, w.certificate.ID)
	require.Equal(t, "vpn.tooling.internal", w.certificate.Outputs["domainName"])
	require.Equal(t, "RSA_2048", w.certificate.Outputs["keyAlgorithm"])
	require.Equal(t, "IMPORTED", w.certificate.Outputs["type"])

	// A new certificate of the same kind is imported under the same ARN.
	endpoint := w.endpoint()
	renewed := certify(t, rsaKeys()[1], w.ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(48 * time.Hour) })
	require.NoError(t, w.update(w.certificate, w.imported(renewed, w.ca)))
	require.Equal(t, renewed.certificate.NotAfter.UTC().Format(time.RFC3339), w.certificate.Outputs["notAfter"])
	typ, err := Lookup(typeCertificate)
	require.NoError(t, err)
	planned := typ.Plan(w.certificate.Outputs, m{"certificateBody": w.server.pem, "privateKey": w.server.keyPEM})
	require.Equal(t, Unknown{}, planned["notAfter"])
	require.Equal(t, w.certificate.ID, planned["arn"], "the endpoint need not change")
	for name, next := range map[string]*certified{
		"larger key": certify(t, rsaKeys()[2], w.ca, nil),
		"less usage": certify(t, rsaKeys()[1], w.ca, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }),
		"no server":  certify(t, rsaKeys()[1], w.ca, func(c *x509.Certificate) { c.ExtKeyUsage = nil }),
		"no name":    certify(t, rsaKeys()[1], w.ca, func(c *x509.Certificate) { c.DNSNames = nil }),
	} {
		t.Run(name, func(t *testing.T) { refused(t, w.update(w.certificate, w.imported(next, w.ca)), "ValidationException") })
	}
	refused(t, w.delete(w.certificate), "ResourceInUseException")
	require.NoError(t, w.delete(endpoint))
	require.NoError(t, w.delete(w.certificate))
}

// The key of a certificate is there after a restart, and in no file in plain text.
func TestCertificateKeyIsSealed(t *testing.T) {
	w := newVPN(t)
	dir := w.a.dir
	require.NoError(t, w.a.Close())
	journal, err := os.ReadFile(filepath.Join(dir, "account.journal"))
	require.NoError(t, err)
	require.Contains(t, string(journal), "BEGIN CERTIFICATE")
	require.NotContains(t, string(journal), "PRIVATE KEY")
	w.a, err = Open(dir, w.cp, Options{})
	require.NoError(t, err)
	require.Equal(t, w.server.keyPEM, w.read(w.certificate).Inputs["privateKey"])
	require.NoError(t, w.a.Close())

	require.NoError(t, os.WriteFile(filepath.Join(dir, "seal.key"), make([]byte, 32), 0o600))
	_, err = Open(dir, w.cp, Options{})
	require.ErrorContains(t, err, "was sealed with another key")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "seal.key"), []byte("short"), 0o600))
	_, err = Open(dir, w.cp, Options{})
	require.ErrorContains(t, err, "is damaged")
}

func TestCertificateIsChecked(t *testing.T) {
	w := newVPN(t)
	other := certify(t, rsaKeys()[1], nil, func(c *x509.Certificate) { c.Subject.CommonName = "other" })
	good := w.imported(w.server, w.ca)
	for name, test := range map[string]struct {
		changes m
		want    string
	}{
		"other key":       {m{"privateKey": w.ca.keyPEM}, "does not match"},
		"no key":          {m{"privateKey": "x"}, "is no key"},
		"other chain":     {m{"certificateChain": other.pem}, "did not sign"},
		"chain out of it": {m{"certificateChain": w.server.pem + w.ca.pem}, "did not sign"},
		"two bodies":      {m{"certificateBody": w.server.pem + w.ca.pem}, "expected one"},
		"no PEM":          {m{"certificateBody": "x"}, "not in PEM format"},
		"a key as chain":  {m{"certificateChain": w.ca.keyPEM}, "not in PEM format"},
		"empty":           {m{"certificateBody": ""}, "holds no certificate"},
		"expired":         {w.imported(certify(t, rsaKeys()[1], w.ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), w.ca), "expired"},
		"not yet":         {w.imported(certify(t, rsaKeys()[1], w.ca, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), w.ca), "not yet valid"},
		"requested":       {m{"domainName": "example.com"}, "not modelled"},
	} {
		t.Run(name, func(t *testing.T) {
			inputs := cloneMap(good)
			for key, value := range test.changes {
				inputs[key] = value
			}
			_, err := w.try(typeCertificate, inputs)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "PRIVATE KEY")
		})
	}
}
