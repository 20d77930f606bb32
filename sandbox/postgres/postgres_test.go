package postgres_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/postgres"
)

// TestLife starts a server, starts it again on its data at its address, and removes
// it: as root it leaves nothing in the folder for temporary files either.
func TestLife(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	require.NoError(t, os.Chmod(os.Getenv("TMPDIR"), 0o755))               //nolint:gosec // nobody goes through it
	require.NoError(t, os.Chmod(filepath.Dir(os.Getenv("TMPDIR")), 0o755)) //nolint:gosec // as above
	ctx := context.Background()
	dir, port := filepath.Join(t.TempDir(), "postgres"), filepath.Join(t.TempDir(), "port")
	s := postgres.New(dir, port)
	told, err := s.Address(ctx)
	require.NoError(t, err)
	err = s.Start(ctx)
	if errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Remove(ctx)) })
	first := s.Status()
	require.Equal(t, told, first.Address, "it is where it was said to be")
	password, err := os.ReadFile(first.PasswordFile)
	require.NoError(t, err)
	do := func(statement string) error {
		db, err := postgres.Open(first.Address, first.Database, first.User, string(password))
		require.NoError(t, err)
		defer func() { _ = db.Close() }()
		_, err = db.ExecContext(ctx, statement)
		return err
	}
	require.NoError(t, do("CREATE TABLE kept (n int)"))
	require.NoError(t, do("CREATE ROLE made LOGIN"), "Vault's user makes users")
	require.ErrorContains(t, do("CREATE ROLE more SUPERUSER"), "must be superuser")

	require.NoError(t, s.Start(ctx), "it runs already")
	require.NoError(t, s.Stop(ctx))
	require.Nil(t, s.Status())
	s = postgres.New(dir, port)
	require.NoError(t, s.Start(ctx))
	require.Equal(t, first.Address, s.Status().Address)
	require.NoError(t, do("SELECT n FROM kept"))

	require.NoError(t, s.Remove(ctx))
	require.NoDirExists(t, dir)
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	require.Empty(t, left)
}
