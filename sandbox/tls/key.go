package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // #nosec G505 -- an identifier as upstream makes it, not a signature
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

var curves = map[string]elliptic.Curve{
	"P224": elliptic.P224(), "P256": elliptic.P256(), "P384": elliptic.P384(), "P521": elliptic.P521(),
}

func createPrivateKey(inputs map[string]any, _ time.Time) (string, map[string]any, error) {
	key, err := generateKey(text(inputs, "algorithm"), number(inputs, "rsaBits"), text(inputs, "ecdsaCurve"))
	if err != nil {
		return "", nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", nil, fmt.Errorf("encoding the private key: %w", err)
	}
	own, err := ownForm(key, pkcs8)
	if err != nil {
		return "", nil, fmt.Errorf("encoding the private key: %w", err)
	}
	id, outputs, err := publicKeyOutputs(key)
	if err != nil {
		return "", nil, err
	}
	outputs["privateKeyPem"] = string(pem.EncodeToMemory(own))
	outputs["privateKeyPemPkcs8"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	outputs["privateKeyOpenssh"] = ""
	if opensshKnows(key.Public()) {
		openssh, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			return "", nil, fmt.Errorf("encoding the private key for OpenSSH: %w", err)
		}
		outputs["privateKeyOpenssh"] = string(pem.EncodeToMemory(openssh))
	}
	return id, outputs, nil
}

func generateKey(algorithm string, rsaBits int, curve string) (crypto.Signer, error) {
	switch algorithm {
	case "RSA":
		key, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil {
			return nil, fmt.Errorf("generating an RSA key of %d bits: %w", rsaBits, err)
		}
		return key, nil
	case "ECDSA":
		return ecdsa.GenerateKey(curves[curve], rand.Reader)
	case "ED25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	default:
		return nil, fmt.Errorf("algorithm: expected RSA, ECDSA or ED25519, got %q", algorithm)
	}
}

// ownForm is the PEM form each algorithm is usually found in: PKCS#1, SEC 1, PKCS#8.
func ownForm(key crypto.Signer, pkcs8 []byte) (*pem.Block, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}, nil
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(k)
		return &pem.Block{Type: "EC PRIVATE KEY", Bytes: der}, err
	default:
		return &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}, nil
	}
}

// opensshKnows is false for the one supported curve that OpenSSH has no name for.
func opensshKnows(public crypto.PublicKey) bool {
	k, ok := public.(*ecdsa.PublicKey)
	return !ok || k.Curve != elliptic.P224()
}

// publicKeyOutputs returns the id of a key (the SHA-1 of its public half) and the outputs
// that describe its public half.
func publicKeyOutputs(key crypto.Signer) (string, map[string]any, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", nil, fmt.Errorf("encoding the public key: %w", err)
	}
	outputs := map[string]any{
		"publicKeyPem":               string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"publicKeyOpenssh":           "",
		"publicKeyFingerprintMd5":    "",
		"publicKeyFingerprintSha256": "",
	}
	if opensshKnows(key.Public()) {
		public, err := ssh.NewPublicKey(key.Public())
		if err != nil {
			return "", nil, fmt.Errorf("encoding the public key for OpenSSH: %w", err)
		}
		outputs["publicKeyOpenssh"] = string(ssh.MarshalAuthorizedKey(public))
		outputs["publicKeyFingerprintMd5"] = ssh.FingerprintLegacyMD5(public)
		outputs["publicKeyFingerprintSha256"] = ssh.FingerprintSHA256(public)
	}
	return idOf(der), outputs, nil
}

// idOf is the identifier upstream gives what has no serial number.
func idOf(der []byte) string {
	sum := sha1.Sum([]byte(strings.TrimSpace(string(der)))) // #nosec G401 -- see the import
	return hex.EncodeToString(sum[:])
}

// parseKey reads a PKCS#1, SEC 1 or PKCS#8 private key and names its algorithm. Errors
// never quote the input.
func parseKey(property, data string) (crypto.Signer, string, error) {
	block, _ := pem.Decode([]byte(data))
	if block == nil {
		return nil, "", fmt.Errorf("%s: expected a private key in PEM form", property)
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, "", fmt.Errorf("%s: expected a private key, got a PEM block of type %q", property, block.Type)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: the %q block is not valid: %w", property, block.Type, err)
	}
	signer, algorithm, err := algorithmOf(key)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", property, err)
	}
	return signer, algorithm, nil
}

func algorithmOf(key any) (crypto.Signer, string, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k, "RSA", nil
	case *ecdsa.PrivateKey:
		return k, "ECDSA", nil
	case ed25519.PrivateKey:
		return k, "ED25519", nil
	case *ed25519.PrivateKey:
		return *k, "ED25519", nil
	default:
		return nil, "", errors.New("expected an RSA, ECDSA or ED25519 key")
	}
}
