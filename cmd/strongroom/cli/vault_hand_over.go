package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

type handOverFlags struct {
	vaultFlags
	passwordFile string
}

func (a *app) vaultHandOverCommand() *cobra.Command {
	var f handOverFlags
	cmd := &cobra.Command{
		Use:   "hand-over DATABASE",
		Short: "Give Vault a database's password, which it changes at once",
		Long: `Give Vault the password of the user with which it makes users in a database that is
declared under strongroom:vault.databases, and let Vault choose another password
that nobody knows. The password is typed, or read from a file; it is in no state,
no argument and no log. A wrong one changes nothing.` + vaultLong,
		Example: `  strongroom vault hand-over orders
  strongroom vault hand-over orders --password-file initial`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("hand-over needs the name of one database, as in strongroom:vault.databases")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.vaultHandOver(cmd.Context(), args[0], f) },
	}
	a.addVaultFlags(cmd, &f.vaultFlags, false)
	cmd.Flags().StringVar(&f.passwordFile, "password-file", "", "read the password from this file instead of the terminal")
	return cmd
}

// vaultDatabaseMount is where the stacks mount the engine.
const vaultDatabaseMount = "database"

func (a *app) vaultHandOver(parent context.Context, database string, f handOverFlags) error {
	password, err := a.initialPassword(database, f.passwordFile)
	if err != nil {
		return err
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	site, err := a.openVault(ctx, f.vaultFlags)
	if err != nil {
		return err
	}
	defer site.leave()
	token, err := site.login(ctx, provisionerAccount, provisionerRole)
	if err != nil {
		return fmt.Errorf("hand-over: %w", err)
	}
	defer a.revoking(ctx, site, token)()
	if err := site.ops.HandOver(ctx, token, vaultDatabaseMount, database, password); err != nil {
		return fmt.Errorf("hand-over: %w", err)
	}
	done := struct {
		Database string `json:"database"`
	}{database}
	return a.report(f.json, done, fmt.Sprintf("%s: Vault has changed the password; the one you gave is worth nothing now.\n", database))
}

func (a *app) initialPassword(database, file string) (string, error) {
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", usagef("--password-file: %v", err)
		}
		if password := strings.TrimRight(string(data), "\r\n"); password != "" {
			return password, nil
		}
		return "", usagef("--password-file: %s is empty", file)
	}
	data, err := a.typed(fmt.Sprintf("Password of Vault's user in %s: ", database))
	if err != nil {
		return "", fmt.Errorf("hand-over: %w", err)
	}
	if len(data) == 0 {
		return "", usagef("hand-over: no password was given: nothing was done")
	}
	return string(data), nil
}
