package vpnca

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/youmark/pkcs8"
)

// minPassphrase and iterations make a stolen profile expensive to open. Opening it
// takes OpenVPN about a third of a second.
// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
const (
	minPassphrase = 8
	maxPassphrase = 1023 // what OpenSSL's prompt takes, less the end
	iterations    = 600_000
)

// CheckPassphrase refuses one that OpenVPN could not be given. None ("") is good.
func CheckPassphrase(passphrase []byte) error {
	if len(passphrase) == 0 {
		return nil
	}
	if len(passphrase) < minPassphrase || len(passphrase) > maxPassphrase {
		return fmt.Errorf("the passphrase has %d bytes: %d to %d are expected", len(passphrase), minPassphrase, maxPassphrase)
	}
	for _, b := range passphrase {
		// OpenVPN reads one line, and clients differ in how they encode what is not ASCII.
		if b < ' ' || b > '~' {
			return errors.New("the passphrase has a character that is not printable ASCII, which clients encode differently: use letters, digits and signs of the keyboard")
		}
	}
	return nil
}

// EncodeKey writes a key in PEM form: PKCS #8, encrypted where there is a
// passphrase (PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC, which every OpenSSL
// since 1.0.2 reads, and so OpenVPN).
func EncodeKey(key *rsa.PrivateKey, passphrase []byte) ([]byte, error) {
	if err := CheckPassphrase(passphrase); err != nil {
		return nil, err
	}
	if len(passphrase) == 0 {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, fmt.Errorf("encode the key: %w", err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	}
	der, err := pkcs8.MarshalPrivateKey(key, passphrase, &pkcs8.Opts{
		Cipher:  pkcs8.AES256CBC,
		KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: iterations, HMACHash: crypto.SHA256},
	})
	if err != nil {
		return nil, fmt.Errorf("encrypt the key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), nil
}

// DecodeKey reads an RSA key in PEM form: PKCS #8, encrypted or not, or PKCS #1.
func DecodeKey(data, passphrase []byte) (*rsa.PrivateKey, error) {
	block, rest := pem.Decode(data)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("expected one key in PEM form (-----BEGIN PRIVATE KEY-----)")
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return nil, errors.New("the key is encrypted in the old form of OpenSSL: convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc`")
		}
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		if len(passphrase) == 0 {
			return nil, errors.New("the key is encrypted: give its passphrase")
		}
		if key, _, err = pkcs8.ParsePrivateKey(block.Bytes, passphrase); err != nil {
			// Its errors tell nothing more, and a wrong passphrase has several.
			return nil, errors.New("the key does not open with this passphrase")
		}
	default:
		return nil, fmt.Errorf("expected a private key in PEM form, got %q", block.Type)
	}
	if err != nil {
		return nil, errors.New("the key is damaged: it cannot be read")
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("expected an RSA key, which AWS Client VPN needs, got %T", key)
	}
	return private, nil
}
