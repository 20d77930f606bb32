package sandbox_test

import (
	"database/sql"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/hashicorp/vault/api"
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/vaultconfig"
)

// What is declared for a database of the engine "mysql" works, against the machine's
// MariaDB, where it has one.
func TestMariaDB(t *testing.T) {
	programs := mariaDBPrograms(t)
	p := newPlace(t)
	requireVault(p)
	v := &vaultPlace{place: p}
	address, initial := v.startMariaDB(programs)
	v.startVault()
	v.run(func(ctx *pulumi.Context) error {
		provider, err := vault.NewProvider(ctx, "vault", &vault.ProviderArgs{
			Address: pulumi.String(v.address), Token: pulumi.String(""), SkipChildToken: pulumi.Bool(true),
			AuthLoginTokenFile: vault.ProviderAuthLoginTokenFileArgs{Filename: pulumi.String(v.tokens)},
		})
		if err != nil {
			return err
		}
		_, err = vaultconfig.New(ctx, "tooling", &vaultconfig.Args{
			Owner: "tooling", KVMount: "kv", DatabaseMount: "database", OwnEngines: true, AppRole: true,
			Databases: []vaultconfig.Database{{
				Name: "catalog", Engine: "mysql", Address: address, Username: "vault", Database: "catalog", InsecurePlain: true,
			}},
			Workloads: []vaultconfig.Workload{
				{Name: "catalog", AppRole: true, Database: &vaultconfig.DatabaseUser{Name: "catalog", Write: true, TTL: 2 * time.Second, MaxTTL: 10 * time.Second}},
				{Name: "report", AppRole: true, Database: &vaultconfig.DatabaseUser{Name: "catalog"}},
			},
		}, pulumi.Providers(provider))
		return err
	})
	v.up("tooling")

	// Handed over: Vault alone knows the password, and the engine sees no change.
	as := func(user, password, statement string) error { return v.mariaDB(address, user, password, statement) }
	require.NoError(v, as("vault", initial, "SELECT 1"))
	v.handOverDatabase("catalog", initial)
	require.ErrorContains(v, as("vault", initial, "SELECT 1"), "Access denied")

	user := func(workload string) (*api.Secret, func(string) error) {
		auth, err := v.login("approle", v.appRole(workload))
		require.NoError(v, err)
		lease, err := v.as(auth.ClientToken).Logical().ReadWithContext(v.ctx, "database/creds/tooling-"+workload)
		require.NoError(v, err)
		name, password := lease.Data["username"].(string), lease.Data["password"].(string)
		v.secrets = append(v.secrets, password)
		return lease, func(statement string) error { return as(name, password, statement) }
	}
	_, writer := user("catalog")
	for _, statement := range []string{"INSERT INTO items (item) VALUES ('second')", "UPDATE items SET item = 'changed' WHERE id = 1", "DELETE FROM items WHERE id = 2"} {
		require.NoError(v, writer(statement))
	}
	for _, statement := range []string{
		"DROP TABLE items", "CREATE TABLE more (id INT)", "TRUNCATE items", "CREATE USER other", "SELECT * FROM private.items",
		"GRANT SELECT ON catalog.* TO 'vault'@'%'", "SELECT * FROM mysql.user",
	} {
		require.ErrorContains(v, writer(statement), "denied", statement)
	}
	lease, reader := user("report")
	require.NoError(v, reader("SELECT * FROM items"))
	require.ErrorContains(v, reader("INSERT INTO items (item) VALUES ('third')"), "denied")

	gone := func(try func(string) error) bool {
		return waitUntil(30*time.Second, func() bool {
			err := try("SELECT 1")
			return err != nil && strings.Contains(err.Error(), "Access denied")
		})
	}
	require.True(v, gone(writer), "its lease was not renewed, and the user lives on")
	require.NoError(v, reader("SELECT 1"), "a lease of an hour goes on")
	require.NoError(v, v.root.Sys().Revoke(lease.LeaseID))
	require.True(v, gone(reader), "its lease was revoked, and the user lives on")
	v.noSecretInPlainText()
	v.destroy("tooling")
}

// mariaDBPrograms are the server and what makes its data folder.
func mariaDBPrograms(t *testing.T) [2]string {
	var found [2]string
	for i, name := range []string{"mariadbd", "mariadb-install-db"} {
		path, err := exec.LookPath(name)
		if err != nil {
			path = filepath.Join("/usr/sbin", name) // not on everybody's PATH
			if _, err := os.Stat(path); err != nil {
				t.Skipf("no MariaDB on this machine (%s): what is declared for MySQL is not tried (Debian: apt-get install mariadb-server-core)", name)
			}
		}
		found[i] = path
	}
	return found
}

// startMariaDB starts a server in a folder of its own, in which Vault's user is no
// superuser, and returns where it is and that user's password.
func (v *vaultPlace) startMariaDB(programs [2]string) (address, password string) {
	v.Helper()
	dir, err := os.MkdirTemp("", "strongroom-mariadb-")
	require.NoError(v, err)
	v.Cleanup(func() { require.NoError(v, os.RemoveAll(dir)) })
	data, setup, initial := filepath.Join(dir, "data"), filepath.Join(dir, "setup.sql"), v.secret()
	require.NoError(v, os.Mkdir(data, 0o700))
	require.NoError(v, os.WriteFile(setup, []byte(strings.Join([]string{
		"CREATE DATABASE catalog;", "CREATE DATABASE private;",
		"CREATE TABLE catalog.items (id INT AUTO_INCREMENT PRIMARY KEY, item VARCHAR(40));", "INSERT INTO catalog.items (item) VALUES ('first');",
		"CREATE TABLE private.items (id INT);",
		"CREATE USER 'vault'@'%' IDENTIFIED BY '" + initial + "';",
		"GRANT CREATE USER ON *.* TO 'vault'@'%';",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.* TO 'vault'@'%' WITH GRANT OPTION;",
	}, "\n")), 0o600))
	who := unprivileged(v.place, dir, data, setup)
	initialise := exec.Command(programs[1], "--no-defaults", "--datadir="+data, "--skip-test-db", "--auth-root-authentication-method=normal")
	initialise.SysProcAttr, initialise.Dir = &syscall.SysProcAttr{Credential: who}, dir
	out, err := initialise.CombinedOutput()
	require.NoError(v, err, "%s", out)
	port := freePort(v)
	server := exec.Command(programs[0], "--no-defaults", "--datadir="+data, "--bind-address=127.0.0.1", "--port="+strconv.Itoa(port),
		"--socket="+filepath.Join(dir, "socket"), "--pid-file="+filepath.Join(dir, "pid"), "--skip-name-resolve", "--init-file="+setup,
		"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=8M")
	server.SysProcAttr, server.Dir = &syscall.SysProcAttr{Credential: who}, dir
	log := filepath.Join(v.TempDir(), "mariadb.log")
	v.child(log, server)
	v.Cleanup(func() { require.NoError(v, server.Process.Signal(syscall.SIGTERM)) }) // it takes no interrupt
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	v.eventually("MariaDB answers", func() error { return v.mariaDB(address, "vault", initial, "SELECT 1") }, log)
	return address, initial
}

func (v *vaultPlace) mariaDB(address, user, password, statement string) error {
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User, config.Passwd, config.DBName, config.Timeout = "tcp", address, user, password, "catalog", 5*time.Second
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	_, err = db.ExecContext(v.ctx, statement)
	return errors.Join(err, db.Close())
}
