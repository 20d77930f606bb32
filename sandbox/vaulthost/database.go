package vaulthost

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/strongroom-platform/strongroom/sandbox/postgres"
)

// DatabaseDir is where a cluster's Vault has its PostgreSQL, below Options.Dir.
func DatabaseDir(dir, cluster string) string { return filepath.Join(dir, cluster, "postgres") }

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
