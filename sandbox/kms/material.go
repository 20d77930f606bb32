package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

// material holds the keys' own bytes: one file for each, which only its owner
// can read. They never leave this package.
type material struct {
	dir string
	mu  sync.Mutex
}

const keySize = 32

var idForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// cipher returns the cipher of a key, whose bytes are made at its first use.
func (m *material) cipher(id string) (cipher.AEAD, error) {
	if !idForm.MatchString(id) {
		return nil, fmt.Errorf("%q is not the ID of a key", id)
	}
	key, err := m.load(id)
	if err != nil {
		return nil, fmt.Errorf("material of the simulated key %s: %w", id, err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("material of the simulated key %s: %w", id, err)
	}
	return cipher.NewGCM(block)
}

func (m *material) load(id string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := filepath.Join(m.dir, id+".key")
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m.make(path)
	}
	if err == nil && len(key) != keySize {
		err = fmt.Errorf("%s is damaged: it has %d bytes and not %d", path, len(key), keySize)
	}
	return key, err
}

// make writes new material, durably: what is encrypted with it would be lost
// with it.
func (m *material) make(path string) ([]byte, error) {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return nil, err
	}
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = file.Write(key)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return key, os.Rename(path+".new", path)
}

// A ciphertext is a version, the key's ID, a nonce, and what AES-GCM makes of
// the plaintext with the encryption context as additional data.
const (
	version   = 1
	idSize    = 36
	nonceSize = 12
)

func (m *material) seal(id string, plaintext []byte, context map[string]string) ([]byte, error) {
	aead, err := m.cipher(id)
	if err != nil {
		return nil, err
	}
	blob := append([]byte{version}, id...)
	nonce := make([]byte, nonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	blob = append(blob, nonce...)
	return aead.Seal(blob, nonce, plaintext, additional(context)), nil
}

var errInvalid = errors.New("not a ciphertext of this key in this context")

// keyOf is the key that a ciphertext was made with.
func keyOf(blob []byte) (string, error) {
	if len(blob) <= 1+idSize+nonceSize || blob[0] != version || !idForm.Match(blob[1:1+idSize]) {
		return "", errInvalid
	}
	return string(blob[1 : 1+idSize]), nil
}

func (m *material) open(blob []byte, context map[string]string) ([]byte, error) {
	id, err := keyOf(blob)
	if err != nil {
		return nil, err
	}
	aead, err := m.cipher(id)
	if err != nil {
		return nil, err
	}
	rest := blob[1+idSize:]
	plaintext, err := aead.Open(nil, rest[:nonceSize], rest[nonceSize:], additional(context))
	if err != nil {
		return nil, errInvalid
	}
	return plaintext, nil
}

// additional binds a ciphertext to its encryption context, whatever the order
// of its pairs: encoding/json writes a map in the order of its keys.
func additional(context map[string]string) []byte {
	if len(context) == 0 {
		return nil
	}
	text, err := json.Marshal(context)
	if err != nil {
		return nil // a map of strings can always be encoded
	}
	return text
}
