package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/internal/vaultops"
)

type resetEmptyFlags struct {
	vaultFlags
	dryRun bool
}

func (a *app) vaultResetEmptyCommand() *cobra.Command {
	var f resetEmptyFlags
	cmd := &cobra.Command{
		Use:   "reset-empty",
		Short: "Reset a Vault whose keys were lost before anything was in it",
		Long: `Make the storage of Vault new, where the first start was killed between making the
recovery keys and storing them: nobody has the keys, and nothing is in Vault. The
first start then begins again.

It is refused, and says what is there, if the recovery secret ever got keys, if a
server does not answer or is sealed, or if there is any way to log in to Vault.
A reset that was interrupted is finished by the same command.` + vaultLong,
		Example: `  strongroom vault reset-empty --dry-run
  strongroom vault reset-empty`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.vaultResetEmpty(cmd.Context(), f) },
	}
	a.addVaultFlags(cmd, &f.vaultFlags, true)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "check everything, say what would be done, and change nothing")
	return cmd
}

func (a *app) vaultResetEmpty(parent context.Context, f resetEmptyFlags) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	site, err := a.openVault(ctx, f.vaultFlags)
	if err != nil {
		return err
	}
	defer site.leave()
	// Once it began, the servers are down and can tell nothing; it was proven before.
	begun, err := site.storage.Begun(ctx)
	if err != nil {
		return err
	}
	if !begun {
		needed, err := site.mayBeReset(ctx)
		if err != nil {
			return fmt.Errorf("nothing was done: %w", err)
		}
		if !needed {
			return a.nothingToReset(ctx, f, site)
		}
	} else {
		a.tell("an earlier reset was interrupted: going on with it")
	}
	if err := site.storage.Check(ctx); err != nil {
		return fmt.Errorf("nothing was done: %w", err)
	}
	plan := site.storage.Plan()
	if f.dryRun {
		return a.report(f.json, map[string]any{"reset": false, "dryRun": true, "plan": plan},
			"Vault holds nothing and may be reset. A run without --dry-run would:\n  "+strings.Join(plan, "\n  ")+"\n")
	}
	if err := a.agree(ctx, f.vaultFlags, site, "This deletes the storage of all of Vault's servers ("+strings.Join(plan, "; ")+").", "reset"); err != nil {
		return err
	}
	if err := site.storage.Empty(ctx); err != nil {
		return fmt.Errorf("%w; the same command goes on from there", err)
	}
	if err := site.storage.FirstStart(ctx); err != nil {
		return err
	}
	return a.report(f.json, map[string]any{"reset": true},
		"The storage is new, and the first start begins again. `strongroom vault status` shows how far it is.\n")
}

// nothingToReset lets the first start run: an earlier reset may have ended before it
// did.
func (a *app) nothingToReset(ctx context.Context, f resetEmptyFlags, site *vaultSite) error {
	text := "Vault is not initialised: there is nothing to reset. "
	if !f.dryRun {
		err := site.storage.FirstStart(ctx)
		if err != nil && !errors.Is(err, errFirstStartRuns) {
			return err
		}
		text += "The first start is at it: `kubectl -n vault logs job/vault-init -c init`."
	}
	return a.report(f.json, map[string]any{"reset": false, "why": "not initialised"}, text+"\n")
}

// mayBeReset proves that nothing is lost. False: there is nothing to reset either.
func (s *vaultSite) mayBeReset(ctx context.Context) (bool, error) {
	current, previous, err := s.secrets(ctx)
	if err != nil {
		return false, err
	}
	initialized := false
	for _, server := range s.ops.Status(ctx) {
		initialized = initialized || server.Initialized
		if server.Failure != "" {
			return false, fmt.Errorf("is this Vault empty? %s: every server has to answer", server.Failure)
		}
	}
	if !initialized && current.State != vaultops.Empty {
		return false, fmt.Errorf("no server is initialised, but the recovery secret says %q and holds %d recovery keys, of a Vault that lost its storage: "+
			"restore a snapshot with `strongroom vault restore`, or see docs/vault-operations.md, \"Begin anew\"", current.State, len(current.Keys))
	}
	if !initialized {
		return false, nil
	}
	return true, s.ops.Unused(ctx, current, previous)
}
