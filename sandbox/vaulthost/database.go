package vaulthost

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/strongroom-platform/strongroom/sandbox/postgres"
)

// DatabaseDir is where a cluster's Vault has its PostgreSQL, below Options.Dir.
func DatabaseDir(dir, cluster string) string { return filepath.Join(dir, cluster, "postgres") }

// Database is that PostgreSQL. Its port is remembered in a folder of its own, because
// the stack is told of it before there is a cluster, and the data goes with the cluster.
func Database(dir, portDir, cluster string) *postgres.Server {
	return postgres.New(DatabaseDir(dir, cluster), filepath.Join(portDir, "postgres-"+cluster+".port"))
}

// startDatabase makes sure that PostgreSQL runs beside Vault. Vault is no less whole
// without it: why it does not run is noted, and nothing more.
func (v *hosted) startDatabase(ctx context.Context) {
	if v.database.Status() != nil {
		return
	}
	err := v.database.Start(ctx)
	if ctx.Err() != nil {
		return
	}
	note := ""
	if err != nil {
		note = err.Error()
	}
	v.mu.Lock()
	former := v.databaseNote
	v.databaseNote = note
	v.mu.Unlock()
	switch {
	case err == nil:
		v.say(fmt.Sprintf("PostgreSQL runs at %s, with the database %q and the user %q", v.database.Status().Address, postgres.Database, postgres.User))
	case note != former:
		v.say(note)
	}
}
