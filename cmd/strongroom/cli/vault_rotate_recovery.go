package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/internal/vaultops"
)

type rotateRecoveryFlags struct {
	vaultFlags
	askKeys           bool
	shares, threshold int
}

func (a *app) vaultRotateRecoveryCommand() *cobra.Command {
	var f rotateRecoveryFlags
	cmd := &cobra.Command{
		Use:   "rotate-recovery",
		Short: "Replace the recovery keys",
		Long: `Replace the recovery keys, because somebody has seen them or left. The new keys are
stored in the recovery secret before Vault counts them, and the old ones leave it
after Vault does not count them any more: whenever this is killed, the secret has
the keys that are in force, and the same command finishes.

Nothing that Vault holds is encrypted with these keys, so nothing else changes.` + vaultLong,
		Example: `  strongroom vault rotate-recovery
  strongroom vault rotate-recovery --shares 7 --threshold 4`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.vaultRotateRecovery(cmd.Context(), f) },
	}
	a.addVaultFlags(cmd, &f.vaultFlags, true)
	cmd.Flags().BoolVar(&f.askKeys, "ask-keys", false, "ask for the present recovery keys at the terminal instead of reading them from Secrets Manager")
	cmd.Flags().IntVar(&f.shares, "shares", 5, "how many keys there will be, 2 to 10")
	cmd.Flags().IntVar(&f.threshold, "threshold", 3, "how many of them will be needed, at least 2")
	return cmd
}

func (a *app) vaultRotateRecovery(parent context.Context, f rotateRecoveryFlags) error {
	switch {
	case f.shares < 2 || f.shares > 10:
		return usagef("--shares %d: 2 to 10 keys are expected", f.shares)
	case f.threshold < 2 || f.threshold > f.shares:
		return usagef("--threshold %d: 2 to %d are expected, of %d keys", f.threshold, f.shares, f.shares)
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	site, err := a.openVault(ctx, f.vaultFlags)
	if err != nil {
		return err
	}
	defer site.leave()
	secret, err := site.secret.Read(ctx, labelCurrent)
	if err != nil {
		return err
	}
	if secret.State != vaultops.Finished {
		return fmt.Errorf("the secret %s says %q: recovery keys are rotated only after the first start has finished: `strongroom vault status` says what it waits for", site.secret.Name(), secret.State)
	}
	sets, err := a.recoveryKeys(ctx, site, f.askKeys)
	if err != nil {
		return err
	}
	question := fmt.Sprintf("This replaces the %s by %d new ones, of which %d are needed; the old ones are worth nothing afterwards.", plural(len(secret.Keys), "recovery key"), f.shares, f.threshold)
	if err := a.agree(ctx, f.vaultFlags, site, question, "yes"); err != nil {
		return err
	}
	if err := a.rotate(ctx, site, secret, sets, f); err != nil {
		return err
	}
	return a.report(f.json, map[string]any{"shares": f.shares, "threshold": f.threshold, "secret": site.secret.Name()},
		fmt.Sprintf("Vault has %d new recovery keys, of which %d are needed. They are in %s.\n", f.shares, f.threshold, site.secret.Name()))
}

func (a *app) rotate(ctx context.Context, site *vaultSite, secret vaultops.Secret, sets []keySet, f rotateRecoveryFlags) error {
	token, done, err := a.anyToken(ctx, site)
	if err != nil {
		return err
	}
	defer done()
	var made []string
	err = withKeys(sets, func(set keySet) error {
		return site.ops.RotateRecovery(ctx, token, set.keys, f.shares, f.threshold, func(keys []string) error {
			made = keys
			if !f.askKeys {
				// Of what an interrupted rotation left, these are in force.
				secret.Keys, secret.Threshold = set.keys, set.threshold
			}
			secret.NextKeys, secret.NextThreshold = keys, f.threshold
			a.tell("storing the new keys beside the old ones")
			return site.secret.Write(ctx, secret)
		})
	})
	if err != nil {
		return err
	}
	a.tell("Vault counts the new keys: taking the old ones out of the recovery secret")
	secret.Keys, secret.Threshold = made, f.threshold
	secret.NextKeys, secret.NextThreshold = nil, 0
	// Even where somebody has interrupted: what is in force is known now.
	if err := site.secret.Write(context.WithoutCancel(ctx), secret); err != nil {
		return fmt.Errorf("the new recovery keys are in force and in the secret, as the next ones beside the old: run this command again, which tidies up: %w", err)
	}
	return nil
}
