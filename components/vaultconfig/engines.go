package vaultconfig

import (
	"fmt"
	"net/url"

	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault/database"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// engines mounts the kv and the database engine, or names those of another stack.
func (b *builder) engines() error {
	b.kvMount, b.databaseMount = pulumi.String(b.args.KVMount), pulumi.String(b.args.DatabaseMount)
	if !b.args.OwnEngines {
		return nil
	}
	for _, e := range []struct {
		what, path, typ, description string
		options                      pulumi.StringMap
		mount                        *pulumi.StringInput
	}{
		{"kv", b.args.KVMount, "kv", "Secrets of workloads", pulumi.StringMap{"version": pulumi.String("2")}, &b.kvMount},
		{"database", b.args.DatabaseMount, "database", "Database users that live as long as their lease", nil, &b.databaseMount},
	} {
		args := &vault.MountArgs{
			Path:        pulumi.String(e.path),
			Type:        pulumi.String(e.typ),
			Description: pulumi.String(e.description),
		}
		if e.options != nil {
			args.Options = e.options
		}
		made, err := vault.NewMount(b.ctx, b.name+"-"+e.what, args, b.child(pulumi.Protect(b.args.Protect))...)
		if err != nil {
			return fmt.Errorf("mount %q: %w", e.path, err)
		}
		*e.mount = made.Path
		b.engineResources = append(b.engineResources, made)
	}
	return nil
}

// databases declares how Vault reaches each server. The password of its user is not
// among it: a connection does nothing until the password was handed over and changed by
// Vault, and an update of the declaration leaves the changed one as it is.
func (b *builder) databases() error {
	if !b.args.OwnEngines {
		return nil
	}
	for i := range b.args.Databases {
		d := &b.args.Databases[i]
		allowed := pulumi.StringArray{pulumi.String(b.args.Owner + "-*")}
		for _, owner := range b.args.DatabaseOwners {
			allowed = append(allowed, pulumi.String(owner+"-*"))
		}
		args := &database.SecretBackendConnectionArgs{
			Backend:          b.databaseMount,
			Name:             pulumi.String(d.Name),
			PluginName:       pulumi.String(engines[d.Engine].plugin),
			AllowedRoles:     allowed,
			VerifyConnection: pulumi.Bool(false),
		}
		switch d.Engine {
		case "postgresql":
			connection := &database.SecretBackendConnectionPostgresqlArgs{
				ConnectionUrl: pulumi.String(d.url()),
				Username:      pulumi.String(d.Username),
				// Vault sends a hash, so that no log of the server ever has a password.
				PasswordAuthentication: pulumi.String("scram-sha-256"),
			}
			if d.CA != "" {
				connection.TlsCa = pulumi.String(d.CA)
			}
			args.Postgresql = connection
		case "mysql":
			connection := &database.SecretBackendConnectionMysqlArgs{
				ConnectionUrl: pulumi.String(d.url()),
				Username:      pulumi.String(d.Username),
			}
			if d.CA != "" {
				connection.TlsCa = pulumi.String(d.CA)
			}
			args.Mysql = connection
		}
		made, err := database.NewSecretBackendConnection(b.ctx, b.name+"-database-"+d.Name, args,
			b.child(pulumi.DependsOn(b.engineResources))...)
		if err != nil {
			return fmt.Errorf("database %q: %w", d.Name, err)
		}
		b.connections = append(b.connections, made)
	}
	return nil
}

// url is the form that the plugin wants; Vault fills in {{…}}.
func (d *Database) url() string {
	switch d.Engine {
	case "mysql":
		tls := "true"
		if d.InsecurePlain {
			tls = "false"
		}
		if d.CA != "" {
			// The plugin registers the CA under a name of its own and adds it.
			return fmt.Sprintf("{{username}}:{{password}}@tcp(%s)/", d.Address)
		}
		return fmt.Sprintf("{{username}}:{{password}}@tcp(%s)/?tls=%s", d.Address, tls)
	default:
		mode := "verify-full"
		if d.InsecurePlain {
			mode = "disable"
		}
		return fmt.Sprintf("postgresql://{{username}}:{{password}}@%s/%s?sslmode=%s", d.Address, url.PathEscape(d.Database), mode)
	}
}
