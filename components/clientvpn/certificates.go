package clientvpn

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// RenewalDays before its end the endpoint's certificate is made anew by the next
	// `up`; until then a preview shows nothing.
	RenewalDays = 60
	// MaxServerName is the longest server name: it is the certificate's common name, too,
	// which X.520 ends at 64 characters.
	MaxServerName = 64
	hoursPerDay   = 24
)

// certificates makes the authority and the endpoint's certificate, or takes the
// given ones, and hands the latter to ACM.
func (b *builder) certificates() error {
	if a := b.args.Authority; a != nil {
		b.vpn.CACertificate = pulumi.String(a.Certificate).ToStringOutput()
		b.vpn.CAPrivateKey = pulumi.String("").ToStringOutput()
		key, ok := pulumi.ToSecret(pulumi.String(a.ServerKey)).(pulumi.StringOutput)
		if !ok {
			return fmt.Errorf("the server's key is not a string")
		}
		return b.importCertificate(pulumi.String(a.ServerCertificate).ToStringOutput(), key)
	}
	key, ca, err := b.makeAuthority()
	if err != nil {
		return err
	}
	b.vpn.CACertificate, b.vpn.CAPrivateKey = ca.CertPem, key.PrivateKeyPem
	return b.makeServerCertificate(key, ca)
}

func (b *builder) makeAuthority() (*tls.PrivateKey, *tls.SelfSignedCert, error) {
	key, err := b.privateKey("ca-key", pulumi.Protect(b.args.Protect))
	if err != nil {
		return nil, nil, err
	}
	ca, err := tls.NewSelfSignedCert(b.ctx, b.name+"-ca", &tls.SelfSignedCertArgs{
		PrivateKeyPem: key.PrivateKeyPem,
		Subject: tls.SelfSignedCertSubjectArgs{
			CommonName:   pulumi.String(b.args.ServerName + " CA"),
			Organization: pulumi.String("strongroom"),
		},
		IsCaCertificate:     pulumi.Bool(true),
		SetSubjectKeyId:     pulumi.Bool(true),
		AllowedUses:         pulumi.ToStringArray([]string{"cert_signing", "crl_signing"}),
		ValidityPeriodHours: pulumi.Int(b.args.authorityDays() * hoursPerDay),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return nil, nil, fmt.Errorf("authority: %w", err)
	}
	return key, ca, nil
}

// makeServerCertificate signs the endpoint's certificate. A stock OpenVPN with
// `remote-cert-tls server` refuses one without these usages.
func (b *builder) makeServerCertificate(caKey *tls.PrivateKey, ca *tls.SelfSignedCert) error {
	key, err := b.privateKey("server-key")
	if err != nil {
		return err
	}
	request, err := tls.NewCertRequest(b.ctx, b.name+"-server-request", &tls.CertRequestArgs{
		PrivateKeyPem: key.PrivateKeyPem,
		Subject: tls.CertRequestSubjectArgs{
			CommonName:   pulumi.String(b.args.ServerName),
			Organization: pulumi.String("strongroom"),
		},
		// AWS takes no server certificate without a DNS name.
		DnsNames: pulumi.ToStringArray([]string{b.args.ServerName}),
	}, b.child()...)
	if err != nil {
		return fmt.Errorf("server's request: %w", err)
	}
	server, err := tls.NewLocallySignedCert(b.ctx, b.name+"-server", &tls.LocallySignedCertArgs{
		CertRequestPem:      request.CertRequestPem,
		CaCertPem:           ca.CertPem,
		CaPrivateKeyPem:     caKey.PrivateKeyPem,
		SetSubjectKeyId:     pulumi.Bool(true),
		AllowedUses:         pulumi.ToStringArray([]string{"digital_signature", "key_encipherment", "server_auth"}),
		ValidityPeriodHours: pulumi.Int(b.args.certificateDays() * hoursPerDay),
		EarlyRenewalHours:   pulumi.Int(RenewalDays * hoursPerDay),
	}, b.child()...)
	if err != nil {
		return fmt.Errorf("server's certificate: %w", err)
	}
	return b.importCertificate(server.CertPem, key.PrivateKeyPem)
}

// privateKey makes a key whose private forms are secrets, which the provider's SDK
// sees to: the state has them encrypted.
func (b *builder) privateKey(what string, extra ...pulumi.ResourceOption) (*tls.PrivateKey, error) {
	key, err := tls.NewPrivateKey(b.ctx, b.name+"-"+what, &tls.PrivateKeyArgs{
		Algorithm: pulumi.String("RSA"),
		RsaBits:   pulumi.Int(keyBits),
	}, b.child(extra...)...)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", what, err)
	}
	return key, nil
}

// importCertificate gives ACM the endpoint's certificate, its key and, as its
// chain, the authority's certificate: never the authority's key.
//
// One authority signs for the endpoint and for its clients, so the same ARN also
// tells the endpoint whose clients it takes. A renewed server certificate keeps
// the ARN, and so the endpoint. Another authority is another ARN, because an
// endpoint keeps the chain that it was made with: the endpoint is replaced, and a
// preview says so.
func (b *builder) importCertificate(certificate, key pulumi.StringOutput) error {
	var err error
	b.certificate, err = acm.NewCertificate(b.ctx, b.name+"-certificate", &acm.CertificateArgs{
		CertificateBody:  certificate,
		CertificateChain: b.vpn.CACertificate,
		PrivateKey:       key,
		Tags:             b.args.Tags.Named(b.name),
	}, b.child(pulumi.ReplacementTrigger(b.vpn.CACertificate))...)
	if err != nil {
		return fmt.Errorf("import into ACM: %w", err)
	}
	return nil
}
