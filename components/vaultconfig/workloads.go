package vaultconfig

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault/database"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// workloads declares, per workload, a policy, a login and perhaps a database role:
// nothing is shared between two, so that removing one changes nothing for another. It is
// two or three resources and no component each, because every resource is a write of
// the whole state to the backend.
func (b *builder) workloads() error {
	for i := range b.args.Workloads {
		if err := b.workload(&b.args.Workloads[i]); err != nil {
			return fmt.Errorf("%q: %w", b.args.Workloads[i].Name, err)
		}
	}
	return nil
}

func (b *builder) workload(w *Workload) error {
	text, err := b.args.Policy(w)
	if err != nil {
		return err
	}
	policy, err := vault.NewPolicy(b.ctx, b.name+"-"+w.Name+"-policy", &vault.PolicyArgs{
		Name:   pulumi.String(b.args.roleName(w)),
		Policy: pulumi.String(text),
	}, b.child()...)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if w.Database != nil {
		if err := b.databaseRole(w); err != nil {
			return fmt.Errorf("database role: %w", err)
		}
	}
	mount, login := b.login(w)
	if err := login(w, policy.Name); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	b.config.Logins[w.Name] = pulumi.Sprintf("%s:%s", mount, w.Name)
	return nil
}

// login returns where a workload logs in and what makes the role. Validate has seen to
// it that there is one way.
func (b *builder) login(w *Workload) (pulumi.StringInput, func(*Workload, pulumi.StringInput) error) {
	switch {
	case w.AppRole:
		return b.appRoleMount, b.appRole
	case len(w.IAMRoleARNs) > 0:
		return b.awsMount, b.awsRole
	case w.GitLab != nil:
		return b.gitlabMount, b.gitlabRole
	default:
		return b.clusterMount, b.clusterRole
	}
}

func (b *builder) databaseRole(w *Workload) error {
	var d *Database
	for i := range b.args.Databases {
		if b.args.Databases[i].Name == w.Database.Name {
			d = &b.args.Databases[i]
		}
	}
	e := engines[d.Engine]
	args := &database.SecretBackendRoleArgs{
		Backend:              b.databaseMount,
		Name:                 pulumi.String(b.args.roleName(w)),
		DbName:               pulumi.String(d.Name),
		CreationStatements:   pulumi.ToStringArray(d.creation(w.Database.Write)),
		RevocationStatements: pulumi.ToStringArray(e.revoke),
		DefaultTtl:           seconds(or(w.Database.TTL, defaultTTL)),
		MaxTtl:               seconds(or(w.Database.MaxTTL, defaultMaxTTL)),
	}
	if len(e.renew) > 0 {
		args.RenewStatements = pulumi.ToStringArray(e.renew)
	}
	_, err := database.NewSecretBackendRole(b.ctx, b.name+"-"+w.Name+"-database", args,
		b.child(pulumi.DependsOn(b.connections))...)
	return err
}

func seconds(d time.Duration) pulumi.Int { return pulumi.Int(int(d / time.Second)) }
