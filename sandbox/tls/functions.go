package tls

import (
	"crypto/sha1" // #nosec G505 -- the fingerprint that getCertificate reports is a SHA-1
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ssh"
)

var functions = map[string]func(args map[string]any) (map[string]any, error){
	"tls:index/getPublicKey:getPublicKey":     getPublicKey,
	"tls:index/getCertificate:getCertificate": getCertificate,
}

func getPublicKey(args map[string]any) (map[string]any, error) {
	pemKey, openssh := text(args, "privateKeyPem"), text(args, "privateKeyOpenssh")
	if (pemKey == "") == (openssh == "") {
		return nil, errors.New("expected exactly one of privateKeyPem and privateKeyOpenssh")
	}
	key, algorithm, err := parseKey("privateKeyPem", pemKey)
	if openssh != "" {
		raw, parseErr := ssh.ParseRawPrivateKey([]byte(openssh))
		if parseErr != nil {
			return nil, fmt.Errorf("privateKeyOpenssh: %w", parseErr)
		}
		key, algorithm, err = algorithmOf(raw)
	}
	if err != nil {
		return nil, err
	}
	id, outputs, err := publicKeyOutputs(key)
	if err != nil {
		return nil, err
	}
	outputs["id"] = id
	outputs["algorithm"] = algorithm
	return outputs, nil
}

func getCertificate(args map[string]any) (map[string]any, error) {
	if text(args, "url") != "" {
		return nil, errors.New("url: the sandbox never leaves this machine; give the certificate as content")
	}
	rest := []byte(text(args, "content"))
	var certificates []any
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("content: expected PEM blocks of type \"CERTIFICATE\", got %q", block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("content: %w", err)
		}
		certificates = append(certificates, describe(certificate))
	}
	if len(certificates) == 0 {
		return nil, errors.New("content: expected at least one certificate in PEM form")
	}
	last := certificates[len(certificates)-1].(map[string]any)
	return map[string]any{"id": last["sha1Fingerprint"], "certificates": certificates}, nil
}

func describe(c *x509.Certificate) map[string]any {
	fingerprint := sha1.Sum(c.Raw) // #nosec G401 -- see the import
	algorithm := c.PublicKeyAlgorithm.String()
	if c.PublicKeyAlgorithm == x509.Ed25519 {
		algorithm = "ED25519"
	}
	return map[string]any{
		"certPem":            string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})),
		"isCa":               c.IsCA,
		"issuer":             c.Issuer.String(),
		"subject":            c.Subject.String(),
		"notBefore":          c.NotBefore.Format(time.RFC3339),
		"notAfter":           c.NotAfter.Format(time.RFC3339),
		"publicKeyAlgorithm": algorithm,
		"signatureAlgorithm": c.SignatureAlgorithm.String(),
		"serialNumber":       c.SerialNumber.String(),
		"sha1Fingerprint":    hex.EncodeToString(fingerprint[:]),
		"version":            float64(c.Version),
	}
}
