package vaultconfig

import (
	"embed"
	"slices"
	"strings"
)

//go:embed statements/*.sql
var statementFiles embed.FS

// engine is a kind of database.
type engine struct {
	plugin string
	// privileges on tables, of those who read and of those who also write.
	read, write string
	// create, revoke and renew are statements, one a line; Vault fills in {{…}}.
	create, revoke, renew []string
	// createWrite follows create for those who also write.
	createWrite []string
}

var engines = map[string]engine{
	"postgresql": {
		plugin: "postgresql-database-plugin",
		read:   "SELECT", write: "SELECT, INSERT, UPDATE, DELETE",
		create:      statements("postgresql-create.sql"),
		createWrite: statements("postgresql-create-write.sql"),
		// Without statements of our own Vault would do the same but for the open
		// connections, which a role survives in.
		revoke: statements("postgresql-revoke.sql"),
		renew:  statements("postgresql-renew.sql"),
	},
	"mysql": {
		plugin: "mysql-database-plugin",
		read:   "SELECT", write: "SELECT, INSERT, UPDATE, DELETE",
		create: statements("mysql-create.sql"),
		revoke: statements("mysql-revoke.sql"),
		// A user of MySQL has no time of its own: nothing is to be done to prolong it.
	},
}

// statements reads one of the files; a test holds that they are all there.
func statements(file string) []string {
	data, err := statementFiles.ReadFile("statements/" + file)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// creation returns the statements that make a user of a database.
func (d *Database) creation(write bool) []string {
	e := engines[d.Engine]
	privileges, lines := e.read, e.create
	if write {
		privileges, lines = e.write, slices.Concat(e.create, e.createWrite)
	}
	fill := strings.NewReplacer("@database", d.Database, "@privileges", privileges)
	filled := make([]string, len(lines))
	for i, line := range lines {
		filled[i] = fill.Replace(line)
	}
	return filled
}
