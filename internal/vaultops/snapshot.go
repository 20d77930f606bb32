package vaultops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// restoreLimit is how long a restored Vault may take until it is active again. A
	// server that hangs is started again by its liveness probe after ten minutes.
	restoreLimit = 15 * time.Minute
	// sendAgain is when servers that are all unsealed have not taken a snapshot.
	sendAgain = 15 * time.Second
)

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
func (v *Vault) Restore(ctx context.Context, snapshot io.ReadSeeker) error {
	for _, s := range v.Status(ctx) {
		if s.Failure != "" {
			return fmt.Errorf("restore: every server has to answer, and empty: %s", s.Failure)
		}
		if s.Initialized {
			return fmt.Errorf("restore: %s: %w", s.Address, ErrNotEmpty)
		}
	}
	if err := v.refill(ctx, snapshot); err != nil {
		return fmt.Errorf("restore: %w; if the snapshot is not in, the servers may hold an empty Vault whose keys nobody has: "+
			"docs/vault-operations.md, \"A restore did not end\"", err)
	}
	return nil
}

func (v *Vault) refill(ctx context.Context, snapshot io.ReadSeeker) error {
	var made struct {
		RootToken string `json:"root_token"`
	}
	input := map[string]int{"recovery_shares": 1, "recovery_threshold": 1}
	if err := v.do(ctx, v.Servers[0], http.MethodPut, "sys/init", "", input, &made); err != nil {
		return err
	}
	// All of them, and not only the first: a server that is about to join while the
	// keys under it are replaced stays sealed until it is started again.
	if err := v.await(ctx, restoreLimit, "all servers have joined and are unsealed by KMS", v.unsealed); err != nil {
		return err
	}
	return v.put(ctx, made.RootToken, snapshot)
}

// Replace puts a snapshot over what a Vault holds. The token needs update on
// sys/storage/raft/snapshot-force, and has to be younger than the snapshot.
func (v *Vault) Replace(ctx context.Context, token string, snapshot io.ReadSeeker) error {
	if err := v.put(ctx, token, snapshot); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// put replaces what Vault holds. Vault answers when it has read the snapshot, and only
// then begins: it is done when it does not know the token any more. A server that is
// started again meanwhile, because it hung, has forgotten that it was to do it, and
// gets the snapshot once more.
func (v *Vault) put(ctx context.Context, token string, snapshot io.ReadSeeker) error {
	if err := v.force(ctx, token, snapshot); err != nil {
		return err
	}
	sent := time.Now()
	return v.await(ctx, restoreLimit, "all servers have the snapshot and are unsealed", func(ctx context.Context) error {
		if err := v.unsealed(ctx); err != nil {
			return err
		}
		active, err := v.Active(ctx)
		if err != nil {
			return err
		}
		switch err := v.knows(ctx, active, token); {
		case Forbidden(err):
			return nil
		case err != nil:
			return err
		case time.Since(sent) < sendAgain:
			return fmt.Errorf("%s holds what it held before", active)
		}
		if err := v.force(ctx, token, snapshot); err != nil {
			return err
		}
		sent = time.Now()
		return fmt.Errorf("%s did not take the snapshot, it was sent again", active)
	})
}

// knows is nil as long as a server knows a token.
func (v *Vault) knows(ctx context.Context, server, token string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, statusLimit, errNoAnswer)
	defer cancel()
	return v.do(ctx, server, http.MethodGet, "auth/token/lookup-self", token, nil, nil)
}

// unsealed says what is missing until every server is unsealed and one is active.
func (v *Vault) unsealed(ctx context.Context) error {
	active := false
	var missing []string
	for _, s := range v.Status(ctx) {
		if s.Failure != "" || !s.Initialized || s.Sealed || s.Unhealthy != "" {
			missing = append(missing, s.describe())
		}
		active = active || s.Active
	}
	if len(missing) == 0 && !active {
		missing = append(missing, "no server is active")
	}
	if len(missing) > 0 {
		return errors.New(strings.Join(missing, "; "))
	}
	return nil
}

// force sends the snapshot to the active server: a standby does not pass it on.
func (v *Vault) force(ctx context.Context, token string, snapshot io.ReadSeeker) error {
	active, err := v.Active(ctx)
	if err != nil {
		return err
	}
	if _, err := snapshot.Seek(0, io.SeekStart); err != nil {
		return err
	}
	response, err := v.send(ctx, active, http.MethodPut, "sys/storage/raft/snapshot-force", token, io.NopCloser(snapshot))
	if err != nil {
		return err
	}
	return response.Body.Close()
}
