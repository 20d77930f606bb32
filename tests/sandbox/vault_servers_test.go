package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/vaultaccess"
	"github.com/strongroom-platform/strongroom/sandbox/postgres"
	"github.com/strongroom-platform/strongroom/sandbox/vaulthost"
)

// vaultRuns looks at the Vault that tooling's stack declares: three real servers
// with the rendered configuration, whose pods and nodes are simulated. It is
// reached as from outside, by a port-forward through the Kubernetes API.
func (p *place) vaultRuns() {
	requireVault(p)
	vault := p.vaultIsUp()
	require.Len(p, vault.Servers, 3)
	require.Equal(p, "vault.tooling.internal", vault.ServerName)
	rendered, err := os.ReadFile(filepath.Join(p.VaultDir(), "tooling", "vault-0", "vault.hcl"))
	require.NoError(p, err)
	require.Contains(p, string(rendered), "performance_multiplier = 1")
	require.Contains(p, string(rendered), `leader_tls_servername = "vault-2.vault-internal"`)
	require.NotContains(p, string(rendered), "tls_disable")
	before := p.throughTunnel(vault)
	p.vaultCommands()
	p.eventually("PostgreSQL runs beside it, or the status says that there is none", func() error {
		if vault = p.vaultIsUp(); vault.Database == nil && vault.DatabaseNote != postgres.ErrNotInstalled.Error() {
			return fmt.Errorf("it does not: %s", vault.DatabaseNote)
		}
		return nil
	}, "")

	pid := p.daemonPID()
	require.NoError(p, syscall.Kill(pid, syscall.SIGKILL))
	p.start()
	begun := time.Now()
	vault = p.vaultIsUp()
	p.Logf("the daemon killed: all servers unsealed %s after its next start", time.Since(begun).Round(time.Millisecond))
	require.Equal(p, before, p.throughTunnel(vault), "the same Vault")
}

func (p *place) daemonPID() int {
	p.Helper()
	status, err := p.Status(p.ctx)
	require.NoError(p, err)
	return status.PID
}

// vaultIsUp waits until the first start has finished and every server is unsealed.
func (p *place) vaultIsUp() vaulthost.Status {
	p.Helper()
	var found vaulthost.Status
	p.eventually("Vault runs", func() error {
		status, err := p.Status(p.ctx)
		if err != nil {
			return err
		}
		if len(status.Vaults) != 1 {
			return fmt.Errorf("%d Vaults", len(status.Vaults))
		}
		found = status.Vaults[0]
		active := 0
		for _, s := range found.Servers {
			if s.Sealed {
				return fmt.Errorf("%s is sealed", s.Name)
			}
			if s.Active() {
				active++
			}
		}
		if active != 1 || found.FirstStart != vaulthost.Finished || found.Failure != "" {
			return fmt.Errorf("%d active, first start %s, %s", active, found.FirstStart, found.Failure)
		}
		return nil
	}, filepath.Join(p.LogDir(), vaulthost.LogName("tooling")))
	return found
}

// throughTunnel logs in as the provisioner, by a port-forward, and returns what
// tells this Vault from others.
func (p *place) throughTunnel(vault vaulthost.Status) string {
	p.Helper()
	outputs, err := p.target.Outputs(p.ctx, "tooling")
	require.NoError(p, err)
	config, ok := outputs["kubeconfig"].Value.(string)
	require.True(p, ok)
	env, err := p.Env()
	require.NoError(p, err)
	cluster, err := vaultaccess.Connect(config, env)
	require.NoError(p, err)
	p.eventually("Vault has labelled its active pod", func() error {
		servers, err := cluster.Servers(p.ctx)
		if err == nil && (len(servers) != 3 || !servers[0].Active || servers[1].Active) {
			err = fmt.Errorf("%+v", servers)
		}
		return err
	}, "")
	ca, err := os.ReadFile(vault.CAFile)
	require.NoError(p, err)
	ctx, cancel := context.WithTimeout(p.ctx, 3*time.Minute)
	defer cancel()
	access, err := vaultaccess.Open(ctx, vaultaccess.Args{
		Mode: vaultaccess.Tunnel, Cluster: cluster, ServerName: vault.ServerName, CA: string(ca), Limit: 2 * time.Minute,
	})
	require.NoError(p, err)
	defer func() { require.NoError(p, access.Close()) }()
	client, err := access.Login(ctx)
	require.NoError(p, err)
	health, err := client.Sys().HealthWithContext(ctx)
	require.NoError(p, err)
	require.False(p, health.Standby, "the tunnel leads to the active one")
	policies, err := client.Sys().ListPoliciesWithContext(ctx)
	require.NoError(p, err)
	require.Contains(p, policies, "provisioner")
	require.NoError(p, client.Auth().Token().RevokeSelfWithContext(ctx, ""))
	return health.ClusterID
}

// vaultIsGone: with its namespace, Vault's servers and their data go.
func (p *place) vaultIsGone() {
	p.Helper()
	p.eventually("Vault's data is gone", func() error {
		left, err := filepath.Glob(filepath.Join(p.VaultDir(), "*"))
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%v", left)
		}
		return err
	}, "")
}
