package tls

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // #nosec G505 -- RFC 5280 section 4.2.1.2 method (1)
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"sort"
	"time"
)

var keyUsages = map[string]x509.KeyUsage{
	"digital_signature":  x509.KeyUsageDigitalSignature,
	"content_commitment": x509.KeyUsageContentCommitment,
	"key_encipherment":   x509.KeyUsageKeyEncipherment,
	"data_encipherment":  x509.KeyUsageDataEncipherment,
	"key_agreement":      x509.KeyUsageKeyAgreement,
	"cert_signing":       x509.KeyUsageCertSign,
	"crl_signing":        x509.KeyUsageCRLSign,
	"encipher_only":      x509.KeyUsageEncipherOnly,
	"decipher_only":      x509.KeyUsageDecipherOnly,
}

var extendedKeyUsages = map[string]x509.ExtKeyUsage{
	"any_extended":                      x509.ExtKeyUsageAny,
	"server_auth":                       x509.ExtKeyUsageServerAuth,
	"client_auth":                       x509.ExtKeyUsageClientAuth,
	"code_signing":                      x509.ExtKeyUsageCodeSigning,
	"email_protection":                  x509.ExtKeyUsageEmailProtection,
	"ipsec_end_system":                  x509.ExtKeyUsageIPSECEndSystem,
	"ipsec_tunnel":                      x509.ExtKeyUsageIPSECTunnel,
	"ipsec_user":                        x509.ExtKeyUsageIPSECUser,
	"timestamping":                      x509.ExtKeyUsageTimeStamping,
	"ocsp_signing":                      x509.ExtKeyUsageOCSPSigning,
	"microsoft_server_gated_crypto":     x509.ExtKeyUsageMicrosoftServerGatedCrypto,
	"netscape_server_gated_crypto":      x509.ExtKeyUsageNetscapeServerGatedCrypto,
	"microsoft_commercial_code_signing": x509.ExtKeyUsageMicrosoftCommercialCodeSigning,
	"microsoft_kernel_code_signing":     x509.ExtKeyUsageMicrosoftKernelCodeSigning,
}

func allowedUses() []string {
	var names []string
	for name := range keyUsages {
		names = append(names, name)
	}
	for name := range extendedKeyUsages {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func createCertRequest(inputs map[string]any, _ time.Time) (string, map[string]any, error) {
	key, algorithm, err := parseKey("privateKeyPem", text(inputs, "privateKeyPem"))
	if err != nil {
		return "", nil, err
	}
	names, err := namesOf(inputs)
	if err != nil {
		return "", nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: names.Subject, DNSNames: names.DNSNames, IPAddresses: names.IPAddresses, URIs: names.URIs,
	}, key)
	if err != nil {
		return "", nil, fmt.Errorf("creating the certificate request: %w", err)
	}
	return idOf(der), map[string]any{
		"certRequestPem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})),
		"keyAlgorithm":   algorithm,
	}, nil
}

func createSelfSignedCert(inputs map[string]any, now time.Time) (string, map[string]any, error) {
	key, algorithm, err := parseKey("privateKeyPem", text(inputs, "privateKeyPem"))
	if err != nil {
		return "", nil, err
	}
	template, err := namesOf(inputs)
	if err != nil {
		return "", nil, err
	}
	id, outputs, err := sign(template, template, key.Public(), key, inputs, now)
	if err != nil {
		return "", nil, err
	}
	outputs["keyAlgorithm"] = algorithm
	return id, outputs, nil
}

func createLocallySignedCert(inputs map[string]any, now time.Time) (string, map[string]any, error) {
	request, err := parseRequest(text(inputs, "certRequestPem"))
	if err != nil {
		return "", nil, err
	}
	caKey, algorithm, err := parseKey("caPrivateKeyPem", text(inputs, "caPrivateKeyPem"))
	if err != nil {
		return "", nil, err
	}
	ca, err := parseCertificate("caCertPem", text(inputs, "caCertPem"))
	if err != nil {
		return "", nil, err
	}
	if public, ok := caKey.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(ca.PublicKey) {
		return "", nil, errors.New("caPrivateKeyPem is not the key of caCertPem")
	}
	template := &x509.Certificate{
		Subject: request.Subject, DNSNames: request.DNSNames, IPAddresses: request.IPAddresses, URIs: request.URIs,
		BasicConstraintsValid: true,
	}
	id, outputs, err := sign(template, ca, request.PublicKey, caKey, inputs, now)
	if err != nil {
		return "", nil, err
	}
	outputs["caKeyAlgorithm"] = algorithm
	return id, outputs, nil
}

// sign completes the template with validity, uses and identifiers, signs it with the
// parent's key and returns the serial number and the certificate's outputs.
func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer, inputs map[string]any, now time.Time) (string, map[string]any, error) {
	// A certificate counts whole seconds.
	template.NotBefore = now.UTC().Truncate(time.Second)
	template.NotAfter = template.NotBefore.Add(time.Duration(number(inputs, "validityPeriodHours")) * time.Hour)
	var err error
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return "", nil, fmt.Errorf("drawing a serial number: %w", err)
	}
	for _, use := range texts(inputs, "allowedUses") {
		template.KeyUsage |= keyUsages[use]
		if extended, ok := extendedKeyUsages[use]; ok {
			template.ExtKeyUsage = append(template.ExtKeyUsage, extended)
		}
	}
	if flag(inputs, "isCaCertificate") {
		if len(template.Subject.ToRDNSequence()) == 0 {
			return "", nil, errors.New("subject: a CA certificate needs at least one distinguished name (RFC 5280 section 4.1.2.6)")
		}
		template.IsCA = true
	}
	if template.IsCA || flag(inputs, "setSubjectKeyId") {
		if template.SubjectKeyId, err = subjectKeyID(public); err != nil {
			return "", nil, err
		}
	}
	if flag(inputs, "setAuthorityKeyId") {
		if len(parent.SubjectKeyId) == 0 {
			return "", nil, errors.New("setAuthorityKeyId: the signing certificate has no subject key identifier; set setSubjectKeyId or isCaCertificate")
		}
		template.AuthorityKeyId = parent.SubjectKeyId
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return "", nil, fmt.Errorf("creating the certificate: %w", err)
	}
	return template.SerialNumber.String(), map[string]any{
		"certPem":           string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		"validityStartTime": template.NotBefore.Format(time.RFC3339),
		"validityEndTime":   template.NotAfter.Format(time.RFC3339),
		readyForRenewal:     false,
	}, nil
}

// subjectKeyID is the SHA-1 of the public key's bit string, as upstream computes it.
func subjectKeyID(public crypto.PublicKey) ([]byte, error) {
	var data []byte
	var err error
	switch k := public.(type) {
	case *rsa.PublicKey:
		data, err = asn1.Marshal(*k)
	case *ecdsa.PublicKey:
		data, err = k.Bytes()
	case ed25519.PublicKey:
		data, err = asn1.Marshal(k)
	default:
		err = fmt.Errorf("unsupported public key type %T", public)
	}
	if err != nil {
		return nil, fmt.Errorf("computing the subject key identifier: %w", err)
	}
	sum := sha1.Sum(data) // #nosec G401 -- see the import
	return sum[:], nil
}

// namesOf reads who the certificate is for.
func namesOf(inputs map[string]any) (*x509.Certificate, error) {
	template := &x509.Certificate{BasicConstraintsValid: true, DNSNames: texts(inputs, "dnsNames")}
	if subject, ok := inputs["subject"].(map[string]any); ok {
		template.Subject = distinguishedNames(subject)
	}
	for _, s := range texts(inputs, "ipAddresses") {
		ip := net.ParseIP(s)
		if ip == nil {
			return nil, fmt.Errorf("ipAddresses: %q is not an IP address", s)
		}
		template.IPAddresses = append(template.IPAddresses, ip)
	}
	for _, s := range texts(inputs, "uris") {
		uri, err := url.Parse(s)
		if err != nil {
			return nil, fmt.Errorf("uris: %w", err)
		}
		template.URIs = append(template.URIs, uri)
	}
	return template, nil
}

func distinguishedNames(subject map[string]any) pkix.Name {
	one := func(name string) []string {
		if s := text(subject, name); s != "" {
			return []string{s}
		}
		return nil
	}
	return pkix.Name{
		CommonName:         text(subject, "commonName"),
		Organization:       one("organization"),
		OrganizationalUnit: one("organizationalUnit"),
		StreetAddress:      texts(subject, "streetAddresses"),
		Locality:           one("locality"),
		Province:           one("province"),
		Country:            one("country"),
		PostalCode:         one("postalCode"),
		SerialNumber:       text(subject, "serialNumber"),
	}
}

func parseRequest(data string) (*x509.CertificateRequest, error) {
	der, err := onlyBlock("certRequestPem", data, "CERTIFICATE REQUEST")
	if err != nil {
		return nil, err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("certRequestPem: %w", err)
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("certRequestPem is not signed by its own key: %w", err)
	}
	return request, nil
}

func parseCertificate(property, data string) (*x509.Certificate, error) {
	der, err := onlyBlock(property, data, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", property, err)
	}
	return certificate, nil
}

func onlyBlock(property, data, blockType string) ([]byte, error) {
	block, rest := pem.Decode([]byte(data))
	if block == nil {
		return nil, fmt.Errorf("%s: expected a PEM block of type %q", property, blockType)
	}
	if block.Type != blockType {
		return nil, fmt.Errorf("%s: expected a PEM block of type %q, got %q", property, blockType, block.Type)
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%s: expected one PEM block, got more", property)
	}
	return block.Bytes, nil
}
