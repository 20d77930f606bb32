package vaultprovider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// requestTimeout is how long one request may take; one that makes Vault ask a cluster
// or a database takes longest.
const requestTimeout = 60 * time.Second

// settings are the provider's configuration. Its keys are those of the official plugin.
type settings struct {
	address, caCertFile, tlsServerName string
	token, tokenFile                   string
}

// accepted are the keys that are read, and ignored those that do not matter here.
var (
	accepted = []string{"address", "caCertFile", "tlsServerName", "token", "authLoginTokenFile", "skipChildToken"}
	ignored  = []string{"maxLeaseTtlSeconds", "maxRetries", "skipGetVaultVersion", "version", "pluginDownloadURL"}
)

func readSettings(args resource.PropertyMap) (settings, error) {
	plain, _ := plugin.PlainMap(args)
	known := map[string]bool{}
	for _, key := range append(append([]string{}, accepted...), ignored...) {
		known[key] = true
	}
	for key := range plain {
		if !known[key] && !resource.IsInternalPropertyKey(resource.PropertyKey(key)) {
			return settings{}, fmt.Errorf("the sandbox's provider \"vault\" has no setting %q: expected one of %s", key, strings.Join(accepted, ", "))
		}
	}
	// Objects and booleans are JSON in a provider's configuration.
	if s := fmt.Sprint(plain["skipChildToken"]); s != "true" {
		return settings{}, errors.New("skipChildToken: expected true: the token is a short-lived one already, and its policy makes no others")
	}
	s := settings{
		address:       text(plain, "address"),
		caCertFile:    text(plain, "caCertFile"),
		tlsServerName: text(plain, "tlsServerName"),
		token:         text(plain, "token"),
	}
	var err error
	if s.tokenFile, err = filename(plain["authLoginTokenFile"]); err != nil {
		return settings{}, err
	}
	return s, nil
}

// filename reads {filename: …}, as an object or as JSON.
func filename(v any) (string, error) {
	switch login := v.(type) {
	case nil:
		return "", nil
	case map[string]any:
		return text(login, "filename"), nil
	case string:
		parsed, err := parseObject(login)
		if err != nil {
			return "", fmt.Errorf("authLoginTokenFile: %w", err)
		}
		return text(parsed, "filename"), nil
	default:
		return "", errors.New("authLoginTokenFile: expected an object with a filename")
	}
}

// connect makes a client and sees that its token works.
func (s *settings) connect(ctx context.Context) (*api.Client, error) {
	if s.address == "" {
		return nil, errors.New("the provider \"vault\" has no address")
	}
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, config.Error
	}
	config.Address = s.address
	config.Timeout = requestTimeout
	if err := config.ConfigureTLS(&api.TLSConfig{CACert: s.caCertFile, TLSServerName: s.tlsServerName}); err != nil {
		return nil, fmt.Errorf("TLS to Vault at %s: %w", s.address, err)
	}
	client, err := api.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("client of Vault at %s: %w", s.address, err)
	}
	client.ClearNamespace()
	token := s.token
	if s.tokenFile != "" {
		if token, err = readToken(s.tokenFile); err != nil {
			return nil, err
		}
	}
	client.SetToken(token)
	if _, err := client.Auth().Token().LookupSelfWithContext(ctx); err != nil {
		return nil, fmt.Errorf("Vault at %s does not accept the token: %w", s.address, err) //nolint:staticcheck // a name
	}
	return client, nil
}

// readToken refuses, as the official plugin does, what others could have read.
func readToken(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", fmt.Errorf("the token of Vault: %w: is the way to Vault open? `strongroom up` opens it", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("the token of Vault: %s must be a file that only its owner can read", name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("the token of Vault: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// gone reports whether Vault said that there is no such thing.
func gone(err error) bool {
	var response *api.ResponseError
	return errors.As(err, &response) && response.StatusCode == http.StatusNotFound
}
