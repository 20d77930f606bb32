// Package vaultconfig declares what is inside Vault: engines, databases, the ways to
// log in, and for every workload a role, a policy and, where it asks for one, a database
// role.
//
// Vault's first start makes the audit devices and the mount "provisioner", by which
// whoever runs this logs in; they are not declared here a second time. The initial
// password of a database never passes through here either: docs/vault-tenants.md says
// how it is handed over, after which Vault alone knows the password.
package vaultconfig

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
)

const token = "strongroom:vaultconfig:VaultConfig"

// VaultConfig is what one stack owns inside Vault.
type VaultConfig struct {
	pulumi.ResourceState

	// ClusterMount is the path of the auth method of the stack's cluster, or empty.
	ClusterMount pulumi.StringOutput
	// Logins says by workload where it logs in and as what: "<mount>:<role>".
	Logins pulumi.StringMap
}

// New declares the engines where they are this stack's, the ways to log in, and then
// what every workload may do.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*VaultConfig, error) {
	if err := args.Validate(name); err != nil {
		return nil, err
	}
	c := &VaultConfig{Logins: pulumi.StringMap{}}
	if err := component.Register(ctx, token, name, args.inputs(), c, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, name: name, args: args, config: c}
	for _, concern := range []struct {
		what string
		make func() error
	}{
		{"engines", b.engines},
		{"databases", b.databases},
		{"login of the cluster", b.clusterAuth},
		{"login by AppRole", b.appRoleAuth},
		{"login by AWS IAM", b.awsAuth},
		{"login of GitLab jobs", b.gitlabAuth},
		{"workloads", b.workloads},
	} {
		if err := concern.make(); err != nil {
			return nil, fmt.Errorf("vault config %q: %s: %w", name, concern.what, err)
		}
	}
	if b.clusterMount == nil {
		b.clusterMount = pulumi.String("")
	}
	c.ClusterMount = b.clusterMount.ToStringOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"clusterMount": c.ClusterMount,
		"logins":       c.Logins,
	})
}

// builder is what the concerns share while one component is made.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   *Args
	config *VaultConfig

	// Paths of mounts; what uses one is destroyed before it.
	kvMount, databaseMount, clusterMount pulumi.StringInput
	appRoleMount, awsMount, gitlabMount  pulumi.StringInput
	// The mounts themselves: roles go with theirs.
	clusterBackend, appRoleBackend, awsBackend, gitlabBackend pulumi.Resource
	engineResources, connections                              []pulumi.Resource
}

// child returns the options for a child. What is inside Vault goes with Vault: when
// the same destroy deletes the servers, nothing has to be deleted inside them first, so
// that it works with a Vault that is sealed or gone.
func (b *builder) child(extra ...pulumi.ResourceOption) []pulumi.ResourceOption {
	if b.args.Vault != nil {
		extra = append(extra, pulumi.DeletedWith(b.args.Vault))
	}
	return component.Child(b.config, extra...)
}

// childOf is child for what goes with its own mount, so that the deletion of a mount is
// one call however many roles it has.
func (b *builder) childOf(mount pulumi.Resource, extra ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return component.Child(b.config, append(extra, pulumi.DeletedWith(mount))...)
}
