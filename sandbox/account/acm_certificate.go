package account

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/acm/certificate.go
//
// Certificates are imported ones; ACM issues none here. Like ACM, the account
// keeps the private key that was imported.
//
// A change of the certificate, its chain or its key imports anew under the same
// ARN, as the provider does: what uses the certificate stays as it is.
var _ = register(typeCertificate, rules{
	forceNew: []string{
		"certificateAuthorityArn", "domainName", "keyAlgorithm", "subjectAlternativeNames", "validationMethod", "validationOptions",
	},
	computed: []string{"domainName", "keyAlgorithm", "options", "subjectAlternativeNames", "validationMethod"},
	unmodelled: []string{
		"certificateAuthorityArn", "domainName", "earlyRenewalDuration", "keyAlgorithm", "options", "subjectAlternativeNames",
		"validationMethod", "validationOptions",
	},
	secrets: []string{"privateKey"},
	check:   checkCertificate,
	create:  createCertificate,
	update:  reimportCertificate,
	remove:  removeCertificate,
	plan:    planCertificate,
})

func checkCertificate(in Props) []Failure {
	var failures []Failure
	for _, property := range []string{"certificateBody", "privateKey"} {
		if in[property] == nil {
			failures = append(failures, Failure{Property: property, Reason: "is required: the simulated ACM takes imported certificates only"})
		}
	}
	return failures
}

func createCertificate(v *view, o *Object) error {
	o.ID = arn("acm", o.Region, "certificate/"+uuid())
	o.Outputs["arn"] = o.ID
	o.Outputs["domainValidationOptions"], o.Outputs["validationEmails"], o.Outputs["renewalSummaries"] = []any{}, []any{}, []any{}
	o.Outputs["pendingRenewal"] = false
	o.Outputs["renewalEligibility"] = "INELIGIBLE"
	o.Outputs["status"] = "ISSUED"
	o.Outputs["type"] = "IMPORTED"
	o.Outputs["validationMethod"] = "NONE"
	return v.completeCertificate(o)
}

// reimportCertificate holds what ACM demands of a certificate that takes the place
// of another: https://docs.aws.amazon.com/acm/latest/userguide/import-reimport.html
func reimportCertificate(v *view, old, o *Object) error {
	if err := v.completeCertificate(o); err != nil {
		return err
	}
	if old.out().String("keyAlgorithm") != o.out().String("keyAlgorithm") {
		return invalidCertificate("the key of a certificate that is imported again must have the former's type and size, %s, not %s",
			old.out().String("keyAlgorithm"), o.out().String("keyAlgorithm"))
	}
	before, err := parseCertificates("certificateBody", old.in().String("certificateBody"))
	if err != nil {
		return err
	}
	after, err := parseCertificates("certificateBody", o.in().String("certificateBody"))
	if err != nil {
		return err
	}
	if lost := before[0].KeyUsage &^ after[0].KeyUsage; before[0].KeyUsage != 0 && lost != 0 {
		return invalidCertificate("a certificate that is imported again must keep the key usages of the former")
	}
	for _, usage := range before[0].ExtKeyUsage {
		if !slices.Contains(after[0].ExtKeyUsage, usage) {
			return invalidCertificate("a certificate that is imported again must keep the extended key usages of the former")
		}
	}
	if len(before[0].DNSNames) > 0 && len(after[0].DNSNames) == 0 {
		return invalidCertificate("a certificate that is imported again must keep at least one domain name")
	}
	return nil
}

// planCertificate: what is read out of the certificate changes with it.
func planCertificate(oldOutputs, inputs, planned Props) {
	if oldOutputs["certificateBody"] == inputs["certificateBody"] {
		return
	}
	for _, property := range []string{"domainName", "keyAlgorithm", "notAfter", "notBefore", "subjectAlternativeNames"} {
		planned[property] = Unknown{}
	}
}

func removeCertificate(v *view, o *Object) error {
	user := v.first(typeVPNEndpoint, func(e *Object) bool {
		return e.in().String("serverCertificateArn") == o.ID || slices.Contains(rootChains(e), o.ID)
	})
	if user != nil {
		return refuse("ResourceInUseException", "certificate %s in account %s is in use: by %s", o.ID, AccountID, user.out().String("arn"))
	}
	return nil
}

func invalidCertificate(format string, args ...any) error {
	return refuse("ValidationException", format, args...)
}

// completeCertificate checks a certificate as ACM does when one is imported, and
// reads its outputs from it:
// https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html
func (v *view) completeCertificate(o *Object) error {
	body, err := parseCertificates("certificateBody", o.in().String("certificateBody"))
	if err != nil {
		return err
	}
	if len(body) != 1 {
		return invalidCertificate("certificateBody holds %d certificates: expected one, the others belong into certificateChain", len(body))
	}
	leaf := body[0]
	if _, err := tls.X509KeyPair([]byte(o.in().String("certificateBody")), []byte(o.in().String("privateKey"))); err != nil {
		// The error of crypto/tls never holds the key.
		return invalidCertificate("the private key is no key or does not match the certificate: %v", err)
	}
	switch now := v.a.now(); {
	case now.Before(leaf.NotBefore):
		return invalidCertificate("the certificate field contains a certificate that is not yet valid: it begins at %s", leaf.NotBefore.Format(time.RFC3339))
	case now.After(leaf.NotAfter):
		return invalidCertificate("the certificate field contains an expired certificate: it ended at %s", leaf.NotAfter.Format(time.RFC3339))
	}
	if err := checkChain(leaf, o.in().String("certificateChain")); err != nil {
		return err
	}
	algorithm, err := keyAlgorithm(leaf.PublicKey)
	if err != nil {
		return err
	}
	domain := leaf.Subject.CommonName
	if len(leaf.DNSNames) > 0 {
		domain = leaf.DNSNames[0]
	}
	o.Outputs["domainName"] = domain
	o.Outputs["subjectAlternativeNames"] = list(leaf.DNSNames)
	o.Outputs["keyAlgorithm"] = algorithm
	o.Outputs["notBefore"] = leaf.NotBefore.UTC().Format(time.RFC3339)
	o.Outputs["notAfter"] = leaf.NotAfter.UTC().Format(time.RFC3339)
	return nil
}

// checkChain follows the signatures from the certificate up, in the chain's order.
func checkChain(leaf *x509.Certificate, text string) error {
	if text == "" {
		return nil
	}
	chain, err := parseCertificates("certificateChain", text)
	if err != nil {
		return err
	}
	below := leaf
	for i, above := range chain {
		if err := below.CheckSignatureFrom(above); err != nil {
			return invalidCertificate("certificate %d of the chain, %q, did not sign %q, which stands before it: %v",
				i+1, above.Subject, below.Subject, err)
		}
		below = above
	}
	return nil
}

func parseCertificates(property, text string) ([]*x509.Certificate, error) {
	var found []*x509.Certificate
	rest := []byte(text)
	for len(strings.TrimSpace(string(rest))) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return nil, invalidCertificate("%s is not in PEM format, or holds something else than certificates", property)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, invalidCertificate("%s: %v", property, err)
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, invalidCertificate("%s holds no certificate", property)
	}
	return found, nil
}

func keyAlgorithm(key crypto.PublicKey) (string, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); slices.Contains([]int{1024, 2048, 3072, 4096}, bits) {
			return fmt.Sprintf("RSA_%d", bits), nil
		}
	case *ecdsa.PublicKey:
		if bits := key.Curve.Params().BitSize; bits != 224 {
			return map[int]string{256: "EC_prime256v1", 384: "EC_secp384r1", 521: "EC_secp521r1"}[bits], nil
		}
	}
	return "", invalidCertificate("ACM does not take the certificate's key algorithm: expected RSA of 1024, 2048, 3072 or 4096 bits, or ECDSA")
}

// certificateOf returns the certificate that something in a region refers to, or
// nil.
func (v *view) certificateOf(arn, region string) *Object {
	certificate := v.get(typeCertificate, arn)
	if certificate == nil || certificate.Region != region {
		return nil
	}
	return certificate
}
