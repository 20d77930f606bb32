package stacks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/vaultaccess"
)

// Host is what a program needs besides the engine: it holds the ways to Vault open for
// as long as the engine's providers need them, which is longer than the program runs.
// The engine creates and updates while the program waits for it, and deletes when the
// program has returned. The zero value is good for one run.
type Host struct {
	// Environment is added to that of this process for the command that a kubeconfig
	// runs for its credentials.
	Environment map[string]string
	// Dir is the engine's working directory, with Pulumi.yaml. Default: where the engine
	// says that it is.
	Dir string
	// OpenVault opens a way to Vault. Default: by the cluster of its kubeconfig. For tests
	// without a cluster.
	OpenVault func(ctx context.Context, way Way, limit time.Duration, progress func(string)) (VaultWay, error)

	mu   sync.Mutex
	ways map[string]VaultWay
}

// VaultWay is an open way to Vault, a *vaultaccess.Access.
type VaultWay interface {
	// Lend puts a token into a file until the way is closed.
	Lend(ctx context.Context, file string) error
	Close() error
}

// Run is the Pulumi program of every strongroom stack. Nothing is registered when the
// configuration is wrong; the error then lists all that is wrong with it.
func (h *Host) Run(ctx *pulumi.Context) error {
	cfg, err := Load(ctx)
	if err != nil {
		return err
	}
	if h.Dir == "" {
		h.Dir = ctx.RootDirectory()
	}
	switch cfg.Role {
	case Tooling:
		return tooling(ctx, cfg, h)
	case Application:
		return application(ctx, cfg, h)
	default:
		return unknownRole(cfg.Stack, string(cfg.Role))
	}
}

// Close ends all ways, once the engine has ended. Tokens that were lent are revoked.
func (h *Host) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for file, way := range h.ways {
		errs = append(errs, way.Close())
		delete(h.ways, file)
	}
	return errors.Join(errs...)
}

// Way is what it takes to open the way to a stack's Vault, as the output vaultAccess
// has it: with it the way can be open before the program runs, or without it.
type Way struct {
	Mode       string `json:"mode"`
	Address    string `json:"address"`
	ServerName string `json:"serverName"`
	Port       int    `json:"port"`
	CA         string `json:"ca"`
	Kubeconfig string `json:"kubeconfig"`
	// Region of the cluster, which the command in its kubeconfig has to be told.
	Region string `json:"region"`
}

// VaultAccessOutput is the stack output that holds a Way.
const VaultAccessOutput = "vaultAccess"

// VaultWorkloadsKey is the setting without which a stack declares nothing inside of Vault.
const VaultWorkloadsKey = namespace + ":vault.workloads"

// DeclaresInVault says whether VaultWorkloadsKey is set in the configuration of a stack's
// file.
func DeclaresInVault(config map[string]any) bool {
	settings, _ := config[namespace+":vault"].(map[string]any)
	_, found := settings["workloads"]
	return found
}

// Open opens the way to a stack's Vault and lends the token to the provider, unless it
// is open. It waits for at most limit.
func (h *Host) Open(ctx context.Context, stack string, way Way, limit time.Duration, progress func(string)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	file := filepath.Join(h.Dir, vaultTokenFile(stack))
	if h.ways[file] != nil {
		return nil
	}
	open := h.OpenVault
	if open == nil {
		open = h.openVault
	}
	opened, err := open(ctx, way, limit, progress)
	if err != nil {
		return err
	}
	if err := opened.Lend(ctx, file); err != nil {
		return errors.Join(err, opened.Close())
	}
	if err := vaultaccess.WriteFile(filepath.Join(h.Dir, vaultCAFile(stack)), way.CA); err != nil {
		return errors.Join(err, opened.Close())
	}
	if h.ways == nil {
		h.ways = map[string]VaultWay{}
	}
	h.ways[file] = opened
	return nil
}

func (h *Host) openVault(ctx context.Context, way Way, limit time.Duration, progress func(string)) (VaultWay, error) {
	environment := map[string]string{}
	maps.Copy(environment, h.Environment)
	// The one is that of the SDKs and of version 2 of the AWS CLI, the other of version 1.
	environment["AWS_REGION"], environment["AWS_DEFAULT_REGION"] = way.Region, way.Region
	cluster, err := vaultaccess.Connect(way.Kubeconfig, environment)
	if err != nil {
		return nil, err
	}
	return vaultaccess.Open(ctx, vaultaccess.Args{
		Mode: vaultaccess.Mode(way.Mode), Cluster: cluster, Address: way.Address, ServerName: way.ServerName, CA: way.CA,
		LocalPort: way.Port, Limit: limit, Progress: progress,
	})
}

// The provider finds the token and the authorities in files at places that do not depend
// on the machine: below the engine's working directory, which is its own.
func vaultTokenFile(stack string) string { return fmt.Sprintf(".strongroom/vault-%s.token", stack) }
func vaultCAFile(stack string) string    { return fmt.Sprintf(".strongroom/vault-%s-ca.crt", stack) }
