package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/internal/vaultops"
)

type restoreFlags struct {
	vaultFlags
	dryRun, askKeys bool
}

// newest names the newest snapshot in the bucket.
const newest = "newest"

func (a *app) vaultRestoreCommand() *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore <file | s3://bucket/key | newest>",
		Short: "Put a snapshot back into Vault",
		Long: `Put a snapshot back: into servers that lost their storage, or over what they hold.
The snapshot is read to its end and checked before anything is touched, and what
will be lost is said before it is. The servers need the KMS key with which the
snapshot was made.

Over what Vault holds, it makes a root token from the recovery keys for as long as
it takes. Afterwards tokens, leases and recovery keys are those of the time of the
snapshot: what was handed out since is not known to Vault any more.` + vaultLong,
		Example: `  strongroom vault restore newest --dry-run
  strongroom vault restore newest
  strongroom vault restore before-upgrade.snap`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("%s needs one snapshot: a file, s3://bucket/key or %s; got %q", cmd.CommandPath(), newest, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.vaultRestore(cmd.Context(), args[0], f) },
	}
	a.addVaultFlags(cmd, &f.vaultFlags, true)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "check the snapshot, say what would be lost, and change nothing")
	cmd.Flags().BoolVar(&f.askKeys, "ask-keys", false, "ask for the recovery keys at the terminal instead of reading them from Secrets Manager")
	return cmd
}

// loss is what a restore does to a Vault.
type loss struct {
	// Replaces: Vault holds something.
	Replaces bool `json:"replaces"`
	// Index is how far Vault's log reaches now.
	Index uint64 `json:"index,omitempty"`

	Snapshot vaultops.Archive `json:"snapshot"`
	Restored bool             `json:"restored"`
	Seconds  float64          `json:"seconds,omitempty"`
}

func (a *app) vaultRestore(parent context.Context, from string, f restoreFlags) error {
	local := from != newest && !strings.HasPrefix(from, "s3://")
	if info, err := os.Stat(from); local && (err != nil || !info.Mode().IsRegular()) {
		return usagef("%s is no file that can be read: give a file, s3://bucket/key or %s", from, newest)
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	site, err := a.openVault(ctx, f.vaultFlags)
	if err != nil {
		return err
	}
	defer site.leave()
	file, done, err := a.openSnapshot(ctx, site, from)
	if err != nil {
		return err
	}
	defer done()
	l := loss{}
	if l.Snapshot, err = vaultops.ReadArchive(file); err != nil {
		return fmt.Errorf("%s: %w; nothing was done", from, err)
	}
	if err := site.assess(ctx, &l); err != nil {
		return fmt.Errorf("nothing was done: %w", err)
	}
	text := l.describe(from, a.now())
	if f.dryRun {
		return a.report(f.json, l, text)
	}
	a.tell(strings.TrimSuffix(text, "\n"))
	if l.Replaces {
		err = a.agree(ctx, f.vaultFlags, site, "All that Vault holds is replaced by this snapshot.", "replace")
	} else {
		err = a.agree(ctx, f.vaultFlags, site, "The snapshot is put into the empty servers.", "yes")
	}
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := a.putBack(ctx, site, f, l, file); err != nil {
		return err
	}
	l.Restored, l.Seconds = true, round(time.Since(begun))
	return a.report(f.json, l, fmt.Sprintf("The snapshot is restored, every server is unsealed, and the provisioner can log in (%.1f s).\n"+
		"The recovery keys are those of %s. If they were rotated since, `strongroom vault rotate-recovery` makes new ones from those of the version before.\n",
		l.Seconds, l.Snapshot.Taken.UTC().Format(time.RFC3339)))
}

// openSnapshot opens a file, or brings an object into a temporary one.
func (a *app) openSnapshot(ctx context.Context, site *vaultSite, from string) (*os.File, func(), error) {
	bucket, key, ok := strings.Cut(strings.TrimPrefix(from, "s3://"), "/")
	switch {
	case from == newest:
		found, any, err := site.snapshots.Newest(ctx)
		if err != nil {
			return nil, nil, err
		}
		if !any {
			return nil, nil, fmt.Errorf("there is no snapshot in s3://%s/%s", site.snapshots.Name(), snapshotPrefix)
		}
		bucket, key = site.snapshots.Name(), found.Key
	case !strings.HasPrefix(from, "s3://"):
		file, err := os.Open(from)
		if err != nil {
			return nil, nil, err
		}
		return file, func() { _ = file.Close() }, nil // only read from
	case !ok || key == "":
		return nil, nil, usagef("%s is no object: s3://bucket/key is expected", from)
	}
	file, err := os.CreateTemp("", "strongroom-snapshot-*") // with mode 0600
	if err != nil {
		return nil, nil, fmt.Errorf("restore: %w", err)
	}
	done := func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}
	a.tell(fmt.Sprintf("fetching s3://%s/%s", bucket, key))
	if err := site.snapshots.Get(ctx, bucket, key, file); err != nil {
		done()
		return nil, nil, err
	}
	return file, done, nil
}

// assess finds out what Vault holds now. A restore needs every server: one that
// comes back later with the old data would not join.
func (s *vaultSite) assess(ctx context.Context, l *loss) error {
	initialized := 0
	statuses := s.ops.Status(ctx)
	for _, server := range statuses {
		switch {
		case server.Failure != "":
			return fmt.Errorf("%s: every server has to answer", server.Failure)
		case server.Initialized && server.Sealed:
			return fmt.Errorf("%s is sealed: a restore needs the KMS key anyway, see docs/vault-operations.md, \"Vault is sealed\"", server.Address)
		case server.Initialized:
			initialized++
		}
	}
	switch initialized {
	case 0:
		return nil
	case len(statuses):
	default:
		return fmt.Errorf("%d of %d servers are initialised: the others have to join them first, or all have to be empty", initialized, len(statuses))
	}
	l.Replaces = true
	var err error
	l.Index, err = s.ops.Index(ctx)
	return err
}

func (l loss) describe(from string, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is whole: taken %s (%s ago), up to index %d, servers %s.\n", from, l.Snapshot.Taken.UTC().Format(time.RFC3339),
		now.Sub(l.Snapshot.Taken).Round(time.Second), l.Snapshot.Index, list(l.Snapshot.Servers))
	if !l.Replaces {
		b.WriteString("Vault holds nothing: nothing is lost that is not lost already.\n")
		return b.String()
	}
	fmt.Fprintf(&b, "Vault holds something, up to index %d. All of it is replaced. Lost is what was written since the snapshot", l.Index)
	if l.Index >= l.Snapshot.Index {
		fmt.Fprintf(&b, ", about %s", plural(int(l.Index-l.Snapshot.Index), "change")) //nolint:gosec // a difference of log positions
	}
	b.WriteString(".\nVault forgets the leases it gave out since: users that it made in databases since then stay there until somebody drops them.\n" +
		"`strongroom vault snapshot` first keeps what is there now.\n")
	return b.String()
}

// putBack restores, and proves that Vault works afterwards.
func (a *app) putBack(ctx context.Context, site *vaultSite, f restoreFlags, l loss, file *os.File) error {
	if !l.Replaces {
		if err := site.ops.Restore(ctx, file); err != nil {
			return err
		}
	} else {
		a.tell("making a root token from the recovery keys")
		root, err := a.makeRoot(ctx, site, f.askKeys)
		if err != nil {
			return err
		}
		if err := site.ops.Replace(ctx, root, file); err != nil {
			return errors.Join(err, site.ops.Revoke(ctx, root))
		}
		// The snapshot does not know it. Where it does, it was made by a restore that
		// did not get through.
		if err := site.ops.Revoke(ctx, root); err != nil && !vaultops.Forbidden(err) {
			a.tell(fmt.Sprintf("warning: the root token of the restore: %v", err))
		}
	}
	a.tell("every server is unsealed: logging in")
	token, err := site.login(ctx, provisionerAccount, provisionerRole)
	if err != nil {
		return fmt.Errorf("the snapshot is restored and the servers are unsealed, but the provisioner cannot log in: `strongroom vault generate-root --first-start` repairs that: %w", err)
	}
	a.revoking(ctx, site, token)()
	return nil
}
