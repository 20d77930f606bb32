package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/files"
	"github.com/strongroom-platform/strongroom/sandbox/loopback"
	"github.com/strongroom-platform/strongroom/sandbox/postgres"
	"github.com/strongroom-platform/strongroom/sandbox/verify"
)

// The ways to Vault begin at a port of the sandbox's own: it is part of the state, and
// two sandboxes must not take it from each other. Below those that Linux and macOS hand
// out to outgoing connections.
const (
	firstTunnelPort = 18201
	lastTunnelPort  = 18999
)

// noteSurroundings writes down what the stacks are to declare inside of Vault, for
// PrepareProject, or that they are to declare nothing because no Vault runs here.
func (d *daemon) noteSurroundings(ctx context.Context) error {
	s := d.sandbox
	if _, err := os.Stat(filepath.Join(s.BinDir(), "vault")); err != nil || s.NoVault {
		return removeIfThere(s.surroundingsFile())
	}
	key, err := s.gitlabKey()
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("key of the simulated GitLab: %w", err)
	}
	noted := verify.Surroundings{
		STS: d.url(), GitLabKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
	}
	if noted.TunnelPort, err = loopback.Reserve(ctx, s.path("run", "vault-tunnel.port"), firstTunnelPort, lastTunnelPort, "the way to Vault"); err != nil {
		return err
	}
	if postgres.Installed() == nil {
		if noted.Database, err = s.database(verify.Tooling).Address(ctx); err != nil {
			return err
		}
	}
	data, err := json.Marshal(noted)
	if err != nil {
		return fmt.Errorf("what is declared inside of Vault: %w", err)
	}
	return files.Replace(s.surroundingsFile(), data, files.Private)
}

// surroundings are what was noted; nil where nothing is to be declared.
func (s *Sandbox) surroundings() (*verify.Surroundings, error) {
	data, err := os.ReadFile(s.surroundingsFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is nothing
	}
	noted := &verify.Surroundings{}
	if err == nil {
		err = json.Unmarshal(data, noted)
	}
	if err != nil {
		return nil, fmt.Errorf("what is declared inside of Vault, %s: %w", s.surroundingsFile(), err)
	}
	return noted, nil
}

// declareInside adds to a stack's configuration what `up` verifies at its end.
func (s *Sandbox) declareInside(file string, config map[string]any) error {
	const key = "strongroom:vault"
	noted, err := s.surroundings()
	if err != nil || noted == nil {
		return err
	}
	former, ok := config[key].(map[string]any)
	if !ok && config[key] != nil {
		return fmt.Errorf("config %s in %s: expected keys and values, got %T", key, file, config[key])
	}
	stack := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml")
	section, err := noted.Declare(stack, former)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if section != nil {
		config[key] = section
	}
	return nil
}

// gitlabKey signs the tokens of jobs of a GitLab that does not exist. It is made once.
func (s *Sandbox) gitlabKey() (*rsa.PrivateKey, error) {
	fail := func(err error) (*rsa.PrivateKey, error) {
		return nil, fmt.Errorf("key of the simulated GitLab: %w", err)
	}
	file := s.path("gitlab", "key.pem")
	data, err := os.ReadFile(file)
	if err == nil {
		block, _ := pem.Decode(data)
		if block == nil {
			return fail(fmt.Errorf("%s is no PEM: remove it and run `strongroom sandbox up`", file))
		}
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return fail(fmt.Errorf("%s: %w", file, err))
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fail(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return key, files.Replace(file, text, files.Private)
}

func (s *Sandbox) surroundingsFile() string { return s.path("run", "vault-inside.json") }
