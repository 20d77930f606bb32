package vaultops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// restoreLimit is how long a restored Vault may take until it is active again.
const restoreLimit = 5 * time.Minute

// Snapshot writes a snapshot of the storage. It is encrypted by Vault's barrier:
// without the KMS key it is worth nothing. The token needs read on
// sys/storage/raft/snapshot.
func (v *Vault) Snapshot(ctx context.Context, token string, to io.Writer) (int64, error) {
	active, err := v.Active(ctx)
	if err != nil {
		return 0, err
	}
	response, err := v.send(ctx, active, http.MethodGet, "sys/storage/raft/snapshot", token, nil)
	if err != nil {
		return 0, fmt.Errorf("snapshot: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // only read from
	size, err := io.Copy(to, response.Body)
	if err != nil {
		return size, fmt.Errorf("snapshot: %w", err)
	}
	if size == 0 {
		return 0, errors.New("snapshot: Vault sent nothing")
	}
	return size, nil
}

// ErrNotEmpty says that a Vault holds something and was not touched.
var ErrNotEmpty = errors.New("this Vault is initialised: a restore would replace all that it holds")

// Restore puts a snapshot into a Vault whose storage was lost: it refuses one
// that is initialised, with ErrNotEmpty.
//
// The new storage is initialised with keys that nobody keeps, because the
// snapshot brings its own along: afterwards the recovery keys and the tokens are
// those of the time of the snapshot. The seal must be the same KMS key.
func (v *Vault) Restore(ctx context.Context, snapshot io.Reader) error {
	first := v.Servers[0]
	for _, s := range v.Status(ctx) {
		if s.Failure != "" {
			return fmt.Errorf("restore: every server has to answer, and empty: %s", s.Failure)
		}
		if s.Initialized {
			return fmt.Errorf("restore: %s: %w", s.Address, ErrNotEmpty)
		}
	}
	root, err := v.initialise(ctx, first)
	if err != nil {
		return err
	}
	if err := v.force(ctx, first, root, snapshot); err != nil {
		return err
	}
	return v.await(ctx, restoreLimit, "all servers have the snapshot and are unsealed", v.unsealed)
}

// Replace puts a snapshot over what a Vault holds. The token needs update on
// sys/storage/raft/snapshot-force.
func (v *Vault) Replace(ctx context.Context, token string, snapshot io.Reader) error {
	active, err := v.Active(ctx)
	if err != nil {
		return err
	}
	if err := v.force(ctx, active, token, snapshot); err != nil {
		return err
	}
	return v.await(ctx, restoreLimit, "all servers have the snapshot and are unsealed", v.unsealed)
}

// initialise makes a Vault that lives until the snapshot is in it.
func (v *Vault) initialise(ctx context.Context, first string) (root string, err error) {
	var made struct {
		RootToken string `json:"root_token"`
	}
	input := map[string]int{"recovery_shares": 1, "recovery_threshold": 1}
	if err := v.do(ctx, first, http.MethodPut, "sys/init", "", input, &made); err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	// All of them, and not only the first: a server that is about to join while the
	// keys under it are replaced stays sealed until it is started again.
	return made.RootToken, v.await(ctx, restoreLimit, "all servers have joined and are unsealed by KMS", v.unsealed)
}

// unsealed says what is missing until every server is unsealed and one is active.
func (v *Vault) unsealed(ctx context.Context) error {
	active := false
	for _, s := range v.Status(ctx) {
		if s.Failure != "" || !s.Initialized || s.Sealed || s.Unhealthy != "" {
			return errors.New(s.describe())
		}
		active = active || s.Active
	}
	if !active {
		return errors.New("no server is active")
	}
	return nil
}

func (v *Vault) force(ctx context.Context, server, token string, snapshot io.Reader) error {
	response, err := v.send(ctx, server, http.MethodPut, "sys/storage/raft/snapshot-force", token, snapshot)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return response.Body.Close()
}
