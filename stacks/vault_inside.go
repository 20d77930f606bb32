package stacks

import (
	"fmt"
	"slices"
	"time"

	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/components/endpoint"
	"github.com/strongroom-platform/strongroom/components/vaultconfig"
)

// vaultPath is a stack's way to Vault.
type vaultPath struct {
	address, hostname, region string
	kubeconfig, caCertificate pulumi.StringInput
	// after is known when all is there that Vault needs to come up.
	after pulumi.StringInput
	// servers are what Vault's inside goes with; nil: they are another stack's.
	servers pulumi.Resource
}

// toolingPath is the way to the Vault that the stack has itself: once Flux is there to
// install it.
func (c *Config) toolingPath(front *endpoint.Endpoint, servers *vaultPlace, cluster *ekscluster.EksCluster, flux pulumi.StringInput) *vaultPath {
	return &vaultPath{
		address: fmt.Sprintf("https://%s:%d", front.Hostname, front.Port), hostname: front.Hostname, region: c.Region,
		kubeconfig: cluster.Kubeconfig, caCertificate: servers.CACertificates, after: flux, servers: servers.VaultHA,
	}
}

// vaultPath is the way to the Vault of a tooling stack.
func (c *Contract) vaultPath() *vaultPath {
	return &vaultPath{
		address: fmt.Sprintf("https://%s:%d", c.VaultHostname, c.VaultPort), hostname: c.VaultHostname, region: c.Region,
		kubeconfig: c.VaultKubeconfig, caCertificate: c.VaultCACertificates, after: pulumi.String(""),
	}
}

// sharedInside is what other stacks may use inside of Vault.
func (c *Config) sharedInside() *VaultInside {
	if !c.Vault.declared {
		return nil
	}
	args := c.insideWith(nil)
	return &VaultInside{
		KVMount: args.KVMount, DatabaseMount: args.DatabaseMount, Databases: args.Databases, Applications: args.DatabaseOwners,
	}
}

// insideWith is what the configuration says of Vault's inside, with the engines and
// databases of another stack where they are not its own.
func (c *Config) insideWith(shared *VaultInside) *vaultconfig.Args {
	args := c.vaultInside(&decoder{}) // its problems were told when the configuration was read
	if shared != nil {
		args.KVMount, args.DatabaseMount, args.Databases = shared.KVMount, shared.DatabaseMount, shared.Databases
	}
	return args
}

// vaultInside declares what the stack owns inside of Vault, unless
// strongroom:vault.workloads is not configured.
func vaultInside(ctx *pulumi.Context, cfg *Config, host *Host, cluster *ekscluster.EksCluster, path *vaultPath, shared *VaultInside) error {
	if !cfg.Vault.declared {
		return nil
	}
	provider, err := vaultProvider(ctx, cfg, host, path)
	if err != nil {
		return err
	}
	args := cfg.insideWith(shared)
	args.Cluster.Endpoint = cluster.Endpoint
	args.Cluster.CertificateAuthority = cluster.CertificateAuthority
	args.Cluster.OIDCIssuer = cluster.OIDCIssuer
	args.Vault = path.servers
	made, err := vaultconfig.New(ctx, cfg.Name+"-vault-inside", args, pulumi.Providers(provider))
	if err != nil {
		return err
	}
	ctx.Export("vaultLogins", made.Logins)
	return nil
}

// vaultProvider is the provider for what is inside of Vault. Its address is known once
// Vault lets the program in, so that nothing inside is made before; in a preview it is
// known as soon as the cluster is, and nobody is contacted.
func vaultProvider(ctx *pulumi.Context, cfg *Config, host *Host, path *vaultPath) (*vault.Provider, error) {
	access := cfg.Vault.Access
	way := Way{Mode: access.Mode, Address: path.address, ServerName: path.hostname, Port: access.Port, Region: path.region}
	address := pulumi.All(path.kubeconfig, path.caCertificate, path.after).ApplyT(func(all []any) (string, error) {
		way := way
		way.Kubeconfig, _ = all[0].(string)
		way.CA, _ = all[1].(string)
		if !ctx.DryRun() {
			// A way that is cut off when this returns would be of no use to the provider:
			// the Host holds it.
			say := func(line string) { _ = ctx.Log.Info(line, nil) } // the wait goes on untold
			limit := time.Duration(access.WaitMinutes) * time.Minute
			if err := host.Open(ctx.Context(), cfg.Stack, way, limit, say); err != nil {
				return "", err
			}
		}
		if way.Mode == "direct" {
			return way.Address, nil
		}
		return fmt.Sprintf("https://127.0.0.1:%d", access.Port), nil
	}).(pulumi.StringOutput)
	ctx.Export(VaultAccessOutput, pulumi.Map{
		"mode":       pulumi.String(way.Mode),
		"address":    pulumi.String(way.Address),
		"serverName": pulumi.String(way.ServerName),
		"port":       pulumi.Int(way.Port),
		"ca":         path.caCertificate,
		"kubeconfig": path.kubeconfig,
		"region":     pulumi.String(way.Region),
	})
	provider, err := vault.NewProvider(ctx, "vault", &vault.ProviderArgs{
		Address:            address,
		CaCertFile:         pulumi.String(vaultCAFile(cfg.Stack)),
		TlsServerName:      pulumi.String(path.hostname),
		Token:              pulumi.String(""),
		AuthLoginTokenFile: vault.ProviderAuthLoginTokenFileArgs{Filename: pulumi.String(vaultTokenFile(cfg.Stack))},
		// The token is good for an hour and may make no others.
		SkipChildToken: pulumi.Bool(true),
	})
	if err != nil {
		return nil, fmt.Errorf("provider %q for what is inside of Vault: %w", "vault", err)
	}
	return provider, nil
}

// checkVaultAgainst reports what is wrong with the workloads in view of what the tooling
// stack has inside of Vault.
func (c *Config) checkVaultAgainst(shared *VaultInside) []Problem {
	if !c.Vault.declared {
		return nil
	}
	if shared == nil {
		return []Problem{{VaultWorkloadsKey, fmt.Sprintf(
			"stack %q declares nothing inside of its Vault: configure %s there first", c.ToolingStack, VaultWorkloadsKey)}}
	}
	args := c.insideWith(shared)
	var problems []Problem
	for _, p := range args.Problems() {
		problems = append(problems, Problem{namespace + ":" + vaultKey(p.Path), p.Message})
	}
	for i, w := range args.Workloads {
		if w.Database != nil && len(problems) == 0 && !shared.admits(c.Name) {
			problems = append(problems, Problem{namespace + ":" + index("vault.workloads", i) + ".database", fmt.Sprintf(
				"workload %q: stack %q lets only %s use its databases: add %q to %s:vault.applications there",
				w.Name, c.ToolingStack, quoted(shared.Applications), c.Name, namespace)})
		}
	}
	return problems
}

// admits says whether a stack may use the databases.
func (v *VaultInside) admits(owner string) bool {
	return slices.Contains(v.Applications, owner)
}
