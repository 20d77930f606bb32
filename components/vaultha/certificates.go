package vaultha

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/kubeobject"
)

const hoursPerDay = 24

// authority is a certificate authority of the platform.
type authority struct {
	key         *tls.PrivateKey
	certificate *tls.SelfSignedCert
}

// certificates makes the authorities, the servers' certificate, and the Secret with
// which the servers start and the clients trust.
func (b *builder) certificates() error {
	bundle := pulumi.String("").ToStringOutput()
	var active authority
	numbers := slices.Sorted(slices.Values(b.args.Authority.Trusted))
	for _, number := range numbers {
		made, err := b.authority(number)
		if err != nil {
			return err
		}
		if number == b.args.Authority.Active {
			active = made
		}
		bundle = pulumi.Sprintf("%s%s", bundle, made.certificate.CertPem)
	}
	key, certificate, err := b.serverCertificate(active)
	if err != nil {
		return err
	}
	b.vault.CACertificates = bundle
	_, err = kubeobject.NewSecret(b.ctx, b.name+"-tls", kubeobject.TLS, metadata(TLSSecret), pulumi.StringMap{
		"ca.crt":  bundle,
		"tls.crt": certificate.CertPem,
		"tls.key": pulumi.ToSecret(key.PrivateKeyPem).(pulumi.StringOutput),
	}, b.inNamespace()...)
	return err
}

// authority makes one authority. Its certificate is renewed with the same key, so
// what it signed stays valid; its key lives until it is trusted no more.
func (b *builder) authority(number int) (authority, error) {
	name := fmt.Sprintf("%s-ca-%d", b.name, number)
	key, err := tls.NewPrivateKey(b.ctx, name+"-key", &tls.PrivateKeyArgs{
		Algorithm: pulumi.String("ECDSA"), EcdsaCurve: pulumi.String("P256"),
	}, b.child(pulumi.Protect(b.args.Protect && number == b.args.Authority.Active))...)
	if err != nil {
		return authority{}, err
	}
	certificate, err := tls.NewSelfSignedCert(b.ctx, name, &tls.SelfSignedCertArgs{
		PrivateKeyPem:       key.PrivateKeyPem,
		IsCaCertificate:     pulumi.Bool(true),
		SetSubjectKeyId:     pulumi.Bool(true),
		SetAuthorityKeyId:   pulumi.Bool(true),
		AllowedUses:         pulumi.ToStringArray([]string{"cert_signing", "crl_signing"}),
		ValidityPeriodHours: pulumi.Int(b.args.Authority.Days * hoursPerDay),
		EarlyRenewalHours:   pulumi.Int(b.args.authorityRenewDays() * hoursPerDay),
		Subject: tls.SelfSignedCertSubjectArgs{
			CommonName:   pulumi.String(fmt.Sprintf("%s authority %d", b.args.Hostname, number)),
			Organization: pulumi.String("strongroom"),
		},
	}, b.child()...)
	return authority{key, certificate}, err
}

// serverCertificate makes the one certificate of all servers.
func (b *builder) serverCertificate(ca authority) (*tls.PrivateKey, *tls.LocallySignedCert, error) {
	name := b.name + "-server"
	key, err := tls.NewPrivateKey(b.ctx, name+"-key", &tls.PrivateKeyArgs{
		Algorithm: pulumi.String("ECDSA"), EcdsaCurve: pulumi.String("P256"),
	}, b.child()...)
	if err != nil {
		return nil, nil, err
	}
	request, err := tls.NewCertRequest(b.ctx, name+"-request", &tls.CertRequestArgs{
		PrivateKeyPem: key.PrivateKeyPem,
		DnsNames:      pulumi.ToStringArray(b.args.dnsNames()),
		IpAddresses:   pulumi.ToStringArray(b.args.ipAddresses()),
		Subject: tls.CertRequestSubjectArgs{
			CommonName:   pulumi.String(b.args.Hostname),
			Organization: pulumi.String("strongroom"),
		},
	}, b.child()...)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := tls.NewLocallySignedCert(b.ctx, name+"-certificate", &tls.LocallySignedCertArgs{
		CertRequestPem:  request.CertRequestPem,
		CaCertPem:       ca.certificate.CertPem,
		CaPrivateKeyPem: ca.key.PrivateKeyPem,
		SetSubjectKeyId: pulumi.Bool(true),
		// Servers are each other's clients too.
		AllowedUses:         pulumi.ToStringArray([]string{"digital_signature", "server_auth", "client_auth"}),
		ValidityPeriodHours: pulumi.Int(b.args.Certificate.Days * hoursPerDay),
		EarlyRenewalHours:   pulumi.Int(b.args.Certificate.RenewBeforeDays * hoursPerDay),
	}, b.child()...)
	return key, certificate, err
}

// metadata of an object in Vault's namespace.
func metadata(name string) kubeobject.Metadata {
	return kubeobject.Metadata{
		Name: pulumi.String(name), Namespace: pulumi.String(Namespace), Labels: labels(),
	}
}

func labels() pulumi.StringMap {
	return pulumi.StringMap{"app.kubernetes.io/part-of": pulumi.String("strongroom"), "app.kubernetes.io/managed-by": pulumi.String("pulumi")}
}
