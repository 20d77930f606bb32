package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/strongroom-platform/strongroom/sandbox/files"
	"github.com/strongroom-platform/strongroom/sandbox/podidentity"
	"github.com/strongroom-platform/strongroom/sandbox/postgres"
	"github.com/strongroom-platform/strongroom/sandbox/vaulthost"
)

// VaultVariable is the environment variable that, set to "off", keeps the daemon
// from starting Vault's servers: for a small machine, or a test of something else.
const VaultVariable = "STRONGROOM_SANDBOX_VAULT"

const vaultOff = "off"

// vaultSwitch is VaultVariable for the daemon.
func (s *Sandbox) vaultSwitch() string {
	if s.NoVault {
		return VaultVariable + "=" + vaultOff
	}
	return VaultVariable + "="
}

// vaultInit is where the Job's scripts are in a checkout.
const vaultInit = "gitops/infrastructure/configs/vault-init"

// VaultDir holds one folder for each cluster that has a Vault.
func (s *Sandbox) VaultDir() string { return s.path("vault") }

func (s *Sandbox) vaultInitDir() string { return s.path("vault-init") }

// layOutVaultInit copies the scripts of Vault's first start, as they stand: the
// daemon knows no checkout.
func (s *Sandbox) layOutVaultInit(repoRoot string) error {
	if err := os.MkdirAll(s.vaultInitDir(), 0o700); err != nil {
		return fmt.Errorf("scripts of Vault's first start: %w", err)
	}
	for _, name := range []string{"init.sh", "store.sh", "provisioner.hcl", "snapshot.hcl"} {
		data, err := os.ReadFile(filepath.Join(repoRoot, filepath.FromSlash(vaultInit), name))
		if err != nil {
			return fmt.Errorf("scripts of Vault's first start: %w", err)
		}
		if err := files.Ensure(filepath.Join(s.vaultInitDir(), name), data, files.Private); err != nil {
			return err
		}
	}
	return nil
}

// removeDatabases removes PostgreSQL's data, which need not lie in the folder.
func (s *Sandbox) removeDatabases(ctx context.Context) error {
	vaults, err := filepath.Glob(filepath.Join(s.VaultDir(), "*"))
	if err != nil {
		return fmt.Errorf("databases of the sandbox: %w", err)
	}
	for _, vault := range vaults {
		if err := s.database(filepath.Base(vault)).Remove(ctx); err != nil {
			return err
		}
	}
	return nil
}

// database is the PostgreSQL of a cluster's Vault.
func (s *Sandbox) database(cluster string) *postgres.Server {
	return vaulthost.Database(s.VaultDir(), s.path("run"), cluster)
}

// vaults are the Vaults that the daemon runs.
type vaults struct {
	*vaulthost.Host
	end   context.CancelFunc
	ended chan error
}

func (d *daemon) newVaults() vaults {
	return vaults{Host: vaulthost.New(vaulthost.Options{
		Dir: d.sandbox.VaultDir(), PortDir: d.sandbox.path("run"), BinDir: d.sandbox.BinDir(), Scripts: d.sandbox.vaultInitDir(), LogDir: d.sandbox.LogDir(),
		Endpoint: d.url(), Credentials: d.url() + podidentity.Path,
		Account: d.account, Clusters: d.planes, Log: d.log,
	})}
}

// beginVaults runs them beside the caller until close.
func (d *daemon) beginVaults() {
	if d.sandbox.NoVault {
		d.log.Info("Vault is switched off", "by", VaultVariable)
		return
	}
	v := &d.vaults
	var ctx context.Context
	ctx, v.end = context.WithCancel(context.Background())
	v.ended = make(chan error, 1)
	go func() { v.ended <- v.Run(ctx) }()
}

// close stops every server. What was never begun is closed.
func (v *vaults) close() error {
	if v.end == nil {
		return nil
	}
	v.end()
	if err := <-v.ended; !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
