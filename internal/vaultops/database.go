package vaultops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// HandOver gives Vault the password of the user with which it makes others in a
// database, and lets it choose another that nobody knows. The connection must have been
// declared. The token needs create and update on <mount>/config/<name> and
// <mount>/rotate-root/<name>. Vault connects with the password at once, so that a wrong
// one is refused and nothing is changed.
func (v *Vault) HandOver(ctx context.Context, token, mount, name, password string) error {
	active, err := v.Active(ctx)
	if err != nil {
		return err
	}
	config := mount + "/config/" + name
	var declared struct {
		Data map[string]any `json:"data"`
	}
	err = v.do(ctx, active, http.MethodGet, config, token, nil, &declared)
	var answered *APIError
	switch {
	case errors.As(err, &answered) && answered.Status == http.StatusNotFound:
		return fmt.Errorf("database %q is not declared: add it to strongroom:vault.databases and run `up` first", name)
	case err != nil:
		return fmt.Errorf("database %q: %w", name, err)
	}
	// What is left out stays as it is; verified, because the declaration does not.
	body := map[string]any{"password": password, "verify_connection": true}
	if err := v.do(ctx, active, http.MethodPost, config, token, body, nil); err != nil {
		return fmt.Errorf("database %q does not take the password, nothing was changed: %w", name, err)
	}
	if err := v.do(ctx, active, http.MethodPost, mount+"/rotate-root/"+name, token, map[string]any{}, nil); err != nil {
		return fmt.Errorf("database %q: Vault has the password and did not change it: run this again: %w", name, err)
	}
	// Vault keeps what it was told about verifying, which would look like a change of
	// the declaration.
	former, ok := declared.Data["verify_connection"].(bool)
	if !ok || former {
		return nil
	}
	if err := v.do(ctx, active, http.MethodPost, config, token, map[string]any{"verify_connection": false}, nil); err != nil {
		return fmt.Errorf("database %q was handed over, but its connection is not as declared: `up --refresh` puts that right: %w", name, err)
	}
	return nil
}
