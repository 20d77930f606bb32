package vaultops

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Login logs in with a service account's token at a mount of the type kubernetes or
// jwt, and returns a token of Vault.
func (v *Vault) Login(ctx context.Context, mount, role, jwt string) (string, error) {
	active, err := v.Active(ctx)
	if err != nil {
		return "", err
	}
	var answer struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		} `json:"auth"`
	}
	input := map[string]string{"role": role, "jwt": jwt}
	if err := v.do(ctx, active, http.MethodPut, "auth/"+mount+"/login", "", input, &answer); err != nil {
		return "", fmt.Errorf("log in at auth/%s with the role %s: %w", mount, role, err)
	}
	return answer.Auth.ClientToken, nil
}

// Revoke ends a token before its time, whoever asks: a context that has ended
// already does not keep it alive.
func (v *Vault) Revoke(ctx context.Context, token string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	active, err := v.Active(ctx)
	if err != nil {
		return err
	}
	if err := v.do(ctx, active, http.MethodPut, "auth/token/revoke-self", token, nil, nil); err != nil {
		return fmt.Errorf("revoke a token: %w", err)
	}
	return nil
}

// Index is how far the log of the active server reaches.
func (v *Vault) Index(ctx context.Context) (uint64, error) {
	active, err := v.Active(ctx)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Index uint64 `json:"raft_committed_index"`
	}
	if err := v.do(ctx, active, http.MethodGet, "sys/leader", "", nil, &answer); err != nil {
		return 0, err
	}
	return answer.Index, nil
}
