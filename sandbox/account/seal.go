package account

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sealedPrefix begins a property that is encrypted in the journal.
const sealedPrefix = "sealed:"

// seal keeps secrets that AWS would keep, such as the private keys of imported
// certificates, out of the journal in plain text. Its own key stands beside the
// journal, readable by the owner only, as the account's access keys do.
type seal struct{ aead cipher.AEAD }

func openSeal(dir string) (*seal, error) {
	path := filepath.Join(dir, "seal.key")
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = randomBytes(32)
		if err = os.WriteFile(path+".new", key, 0o600); err == nil {
			err = os.Rename(path+".new", path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key of the simulated account's secrets: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of the simulated account's secrets: %s is damaged: %w", path, err)
	}
	aead, err := cipher.NewGCM(block)
	return &seal{aead}, err
}

// closed returns the object as it stands in the journal.
func (s *seal) closed(o *Object) *Object {
	c, secrets := secretsOf(o)
	for _, secret := range secrets {
		nonce := randomBytes(s.aead.NonceSize())
		sealed := s.aead.Seal(nonce, nonce, []byte(secret.text()), secret.about(o))
		secret.set(sealedPrefix + base64.StdEncoding.EncodeToString(sealed))
	}
	return c
}

// open returns an object of the journal with its secrets.
func (s *seal) open(o *Object) (*Object, error) {
	c, secrets := secretsOf(o)
	for _, secret := range secrets {
		data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.text(), sealedPrefix))
		if err != nil || len(data) < s.aead.NonceSize() {
			return nil, fmt.Errorf("%s of %s is damaged", secret.name, o.key())
		}
		plain, err := s.aead.Open(nil, data[:s.aead.NonceSize()], data[s.aead.NonceSize():], secret.about(o))
		if err != nil {
			return nil, fmt.Errorf("%s of %s was sealed with another key: %w", secret.name, o.key(), err)
		}
		secret.set(string(plain))
	}
	return c, nil
}

// secret is one property of an object that is a secret.
type secret struct {
	in   map[string]any
	name string
}

func (s secret) text() string           { return Props(s.in).String(s.name) }
func (s secret) set(text string)        { s.in[s.name] = text }
func (s secret) about(o *Object) []byte { return []byte(o.key() + " " + s.name) }

// secretsOf returns the secrets of an object in a copy of it, which is the object
// itself where it has none.
func secretsOf(o *Object) (*Object, []secret) {
	t := registry[o.Type]
	if t == nil || len(t.secrets) == 0 {
		return o, nil
	}
	c := o.clone()
	var found []secret
	for _, properties := range []map[string]any{c.Inputs, c.Outputs, c.Pending} {
		for _, name := range t.secrets {
			if _, given := properties[name].(string); given {
				found = append(found, secret{properties, name})
			}
		}
	}
	return c, found
}
