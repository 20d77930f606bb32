package gitserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/crypto/ssh"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// hostKey reads the host key, or makes it once: it is pinned in the clusters.
func hostKey(path string) (ssh.Signer, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = newHostKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("host key of the git server: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("host key of the git server, %s: %w; `strongroom sandbox down` and `up` begin anew", path, err)
	}
	return signer, nil
}

func newHostKey(path string) ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, "strongroom sandbox")
	if err != nil {
		return nil, err
	}
	data := pem.EncodeToMemory(block)
	return data, files.Replace(path, data, files.Private)
}
