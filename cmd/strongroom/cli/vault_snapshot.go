package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/internal/vaultops"
)

type snapshotFlags struct {
	vaultFlags
	out string
}

func (a *app) vaultSnapshotCommand() *cobra.Command {
	var f snapshotFlags
	cmd := &cobra.Command{
		Use:   "snapshot",
		Short: "Take a snapshot of Vault, into the bucket or a file",
		Long: `Take a snapshot of all that Vault holds, check that it is whole, and put it into the
snapshot bucket, or with --out into a file. It is encrypted by Vault: without the
KMS key it is worth nothing, and nobody can read it.

A CronJob does the same every four hours; this is for the moment before a change.` + vaultLong,
		Example: `  strongroom vault snapshot
  strongroom vault snapshot --out before-upgrade.snap`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.vaultSnapshot(cmd.Context(), f) },
	}
	a.addVaultFlags(cmd, &f.vaultFlags, false)
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "write it to this file, which must not exist, instead of the bucket")
	return cmd
}

// takenSnapshot is what the command prints for machines.
type takenSnapshot struct {
	Place string `json:"place"`
	Bytes int64  `json:"bytes"`
	vaultops.Archive
}

func (a *app) vaultSnapshot(parent context.Context, f snapshotFlags) error {
	if f.out != "" {
		if _, err := os.Lstat(f.out); err == nil {
			return usagef("--out: %s exists: it is never written over; choose another file", f.out)
		}
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	site, err := a.openVault(ctx, f.vaultFlags)
	if err != nil {
		return err
	}
	defer site.leave()
	dir := os.TempDir()
	if f.out != "" {
		dir = filepath.Dir(f.out) // on the same disk, for the rename
	}
	file, err := os.CreateTemp(dir, ".strongroom-snapshot-*") // with mode 0600
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	defer func() {
		_ = file.Close()           // what counts was synced
		_ = os.Remove(file.Name()) // gone already where it was renamed
	}()
	taken, err := a.takeSnapshot(ctx, site, file)
	if err != nil {
		return err
	}
	if f.out != "" {
		taken.Place = f.out
		err = keepFile(file, f.out)
	} else {
		key := snapshotKey(taken.Taken)
		taken.Place = "s3://" + site.snapshots.Name() + "/" + key
		a.tell("sending it to " + taken.Place)
		err = site.snapshots.Put(ctx, key, file)
	}
	if err != nil {
		return err
	}
	return a.report(f.json, taken, fmt.Sprintf("%s: %s, up to index %d, taken %s.\n", taken.Place, size(taken.Bytes), taken.Index, taken.Taken.UTC().Format(time.RFC3339)))
}

// takeSnapshot writes a snapshot into a file and reads it back whole: an answer of
// Vault's that was cut off looks like a success.
func (a *app) takeSnapshot(ctx context.Context, site *vaultSite, file *os.File) (*takenSnapshot, error) {
	token, err := site.login(ctx, snapshotAccount, snapshotRole)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	defer a.revoking(ctx, site, token)()
	n, err := site.ops.Snapshot(ctx, token, &counted{w: file, tell: a.tell, now: a.now})
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	archive, err := vaultops.ReadArchive(file)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w: take another", err)
	}
	return &takenSnapshot{Bytes: n, Archive: archive}, nil
}

// keepFile gives a whole file its name, if nobody has taken it meanwhile.
func keepFile(file *os.File, name string) error {
	if err := errors.Join(file.Sync(), os.Link(file.Name(), name)); err != nil {
		return outFileError("--out", err)
	}
	return nil
}

// snapshotPrefix begins the keys of all snapshots: the CronJob's too, and nothing
// else expires in the bucket.
const snapshotPrefix = "snapshots/"

// snapshotKey is the CronJob's way to name them, so that they sort by time.
func snapshotKey(at time.Time) string {
	return snapshotPrefix + at.UTC().Format("2006/01/02/150405Z") + ".snap"
}

// counted says now and then how much was written.
type counted struct {
	w     io.Writer
	tell  func(string)
	now   func() time.Time
	bytes int64
	said  time.Time
}

// saidEvery is how often a long transfer is heard of.
const saidEvery = 5 * time.Second

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.bytes += int64(n)
	switch now := c.now(); {
	case c.said.IsZero():
		c.said = now
	case now.Sub(c.said) >= saidEvery:
		c.said = now
		c.tell(size(c.bytes) + " so far")
	}
	return n, err
}

// size of a file for people.
func size(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d bytes", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}
