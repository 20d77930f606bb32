package gitserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
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
	return data, replaceFile(path, data)
}

// listen takes the port of the last time, which is in URLs and known_hosts, or
// another one where that is taken.
func listen(file string) (net.Listener, error) {
	if former, err := os.ReadFile(file); err == nil {
		if l, err := net.Listen("tcp4", "127.0.0.1:"+strings.TrimSpace(string(former))); err == nil {
			return l, nil
		}
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the git server needs a port on 127.0.0.1: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err == nil {
		err = replaceFile(file, []byte(port+"\n"))
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// replaceFile writes a file that only its owner can read, whole or not at all.
func replaceFile(path string, data []byte) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
