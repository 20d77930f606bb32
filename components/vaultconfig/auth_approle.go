package vaultconfig

import (
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault/approle"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// secretIDSeconds is how long a secret id waits to be used, once. Whoever finds it used
// knows that somebody else was faster.
const secretIDSeconds = 600

// appRoleAuth lets machines log in that have no identity of their own to show.
func (b *builder) appRoleAuth() error {
	if !b.args.AppRole {
		return nil
	}
	mount, err := vault.NewAuthBackend(b.ctx, b.name+"-approle", &vault.AuthBackendArgs{
		Type:        pulumi.String("approle"),
		Path:        pulumi.String("approle"),
		Description: pulumi.String("Machines without an identity of their own"),
	}, b.child()...)
	if err != nil {
		return err
	}
	b.appRoleMount, b.appRoleBackend = mount.Path, mount
	return nil
}

func (b *builder) appRole(w *Workload, policy pulumi.StringInput) error {
	_, err := approle.NewAuthBackendRole(b.ctx, b.name+"-"+w.Name+"-login", &approle.AuthBackendRoleArgs{
		Backend:         b.appRoleMount,
		RoleName:        pulumi.String(w.Name),
		BindSecretId:    pulumi.Bool(true),
		SecretIdNumUses: pulumi.Int(1),
		SecretIdTtl:     pulumi.Int(secretIDSeconds),
		TokenPolicies:   pulumi.StringArray{policy},
		TokenTtl:        seconds(or(w.TTL, defaultTTL)),
		TokenMaxTtl:     seconds(or(w.MaxTTL, defaultMaxTTL)),
	}, b.childOf(b.appRoleBackend)...)
	return err
}
