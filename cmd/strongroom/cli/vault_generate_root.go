package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/internal/vaultops"
)

type generateRootFlags struct {
	vaultFlags
	askKeys, firstStart bool
	out                 string
}

func (a *app) vaultGenerateRootCommand() *cobra.Command {
	var f generateRootFlags
	cmd := &cobra.Command{
		Use:   "generate-root",
		Short: "Make a root token from the recovery keys",
		Long: `Make a root token, which may do everything, from the recovery keys. They come from
Secrets Manager, or with --ask-keys from whoever keeps them. The token goes to the
terminal, to a file that only you can read, or with --first-start into the recovery
secret: then the first start runs again, repairs the provisioner's policy, mount and
role, and revokes the token itself.

Whoever gets a token: revoke it when you are done, with vault token revoke -self.` + vaultLong,
		Example: `  strongroom vault generate-root --out root.token
  VAULT_TOKEN=$(cat root.token) vault audit list
  VAULT_TOKEN=$(cat root.token) vault token revoke -self && rm root.token

  # The provisioner cannot log in, or its policy has changed
  strongroom vault generate-root --first-start`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.vaultGenerateRoot(cmd.Context(), f) },
	}
	a.addVaultFlags(cmd, &f.vaultFlags, true)
	cmd.Flags().BoolVar(&f.askKeys, "ask-keys", false, "ask for the recovery keys at the terminal instead of reading them from Secrets Manager")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "write the token to this file, which must not exist")
	cmd.Flags().BoolVar(&f.firstStart, "first-start", false, "give the token to the first start, in the recovery secret, and let it run again")
	return cmd
}

func (a *app) vaultGenerateRoot(parent context.Context, f generateRootFlags) error {
	switch {
	case f.firstStart && f.out != "":
		return usagef("--first-start and --out exclude each other: the first start revokes the token")
	case !f.firstStart && f.out == "" && (f.json || !a.live):
		return usagef("standard output is no terminal: a root token goes to a terminal, to a file (--out) or to the first start (--first-start)")
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	site, err := a.openVault(ctx, f.vaultFlags)
	if err != nil {
		return err
	}
	defer site.leave()
	if f.firstStart {
		if err := site.readyForFirstStart(ctx); err != nil {
			return err
		}
	}
	if err := a.agree(ctx, f.vaultFlags, site, "This makes a root token of Vault, which may do everything; the audit log will show it.", "root"); err != nil {
		return err
	}
	// Before there is a token: afterwards a file that cannot be written would lose it.
	var file *os.File
	if f.out != "" {
		if file, err = os.OpenFile(f.out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
			return outFileError("--out", err)
		}
	}
	root, err := a.makeRoot(ctx, site, f.askKeys)
	if err == nil {
		err = a.handOver(ctx, site, f, file, root)
	}
	if err != nil && file != nil {
		return errors.Join(err, file.Close(), os.Remove(f.out))
	}
	return err
}

// makeRoot makes a root token.
func (a *app) makeRoot(ctx context.Context, site *vaultSite, ask bool) (string, error) {
	sets, err := a.recoveryKeys(ctx, site, ask)
	if err != nil {
		return "", err
	}
	token, done, err := a.anyToken(ctx, site)
	if err != nil {
		return "", err
	}
	defer done()
	var root string
	err = withKeys(sets, func(set keySet) (err error) {
		root, err = site.ops.GenerateRoot(ctx, token, set.keys)
		return err
	})
	return root, err
}

// handOver gives the token to whom it is for. Where that fails, it is revoked.
func (a *app) handOver(ctx context.Context, site *vaultSite, f generateRootFlags, file *os.File, root string) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, site.ops.Revoke(ctx, root))
		}
	}()
	switch {
	case f.firstStart:
		secret, err := site.secret.Read(ctx, labelCurrent)
		if err != nil {
			return err
		}
		secret.State, secret.RootToken = vaultops.Stored, root
		if err := site.secret.Write(ctx, secret); err != nil {
			return fmt.Errorf("give the token to the first start: %w", err)
		}
		if err := site.storage.FirstStart(ctx); err != nil {
			// The token is where the first start finds it, whenever it runs.
			a.tell(fmt.Sprintf("the first start could not be started: %v\nStart it by hand: kubectl -n vault delete job vault-init; it revokes the token", err))
			return exitCode(exitFailure)
		}
		return a.report(f.json, map[string]any{"given": "first-start", "secret": site.secret.Name()},
			"The first start has the root token, in the recovery secret, and runs again; it revokes the token when it is done.\n`strongroom vault status` shows when it has finished.\n")
	case file != nil:
		if _, err := file.WriteString(root + "\n"); err != nil {
			return outFileError("--out", err)
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			return outFileError("--out", err)
		}
		return a.report(f.json, map[string]any{"given": "file", "file": f.out},
			fmt.Sprintf("The root token is in %s. Revoke it when you are done: VAULT_TOKEN=$(cat %[1]s) vault token revoke -self\n", f.out))
	}
	a.tell("The root token; revoke it when you are done: vault token revoke -self")
	return writeText(a.out, root+"\n")
}

// readyForFirstStart: the token is only put into a secret that is whole.
func (s *vaultSite) readyForFirstStart(ctx context.Context) error {
	secret, err := s.secret.Read(ctx, labelCurrent)
	if err != nil {
		return err
	}
	if len(secret.Keys) == 0 {
		return fmt.Errorf("--first-start: the secret %s holds no recovery keys (its state is %q): put back an earlier version of it first", s.secret.Name(), secret.State)
	}
	if err := s.storage.Waits(ctx); err != nil {
		return fmt.Errorf("--first-start: %w", err)
	}
	return nil
}

// report prints what was done, for machines or for people.
func (a *app) report(asJSON bool, object any, text string) error {
	if asJSON {
		return json.NewEncoder(a.out).Encode(object)
	}
	return writeText(a.out, text)
}
