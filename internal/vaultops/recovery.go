package vaultops

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
)

// GenerateRoot makes a root token from recovery keys, in base64. Since Vault 2.0
// the call needs a valid token besides the keys; any will do, an empty one is for
// older servers.
//
// The token is sealed with a one-time password on its way: what Vault answers is
// worth nothing without it.
func (v *Vault) GenerateRoot(ctx context.Context, token string, keys []string) (string, error) {
	active, err := v.Active(ctx)
	if err != nil {
		return "", err
	}
	const path = "sys/generate-root/attempt"
	if err := v.cancel(ctx, active, path, token); err != nil {
		return "", fmt.Errorf("generate a root token: %w", err)
	}
	var attempt struct {
		Nonce    string `json:"nonce"`
		OTP      string `json:"otp"`
		Required int    `json:"required"`
	}
	if err := v.do(ctx, active, http.MethodPut, path, token, map[string]string{}, &attempt); err != nil {
		return "", fmt.Errorf("generate a root token: %w", err)
	}
	// Whatever ends this: what is left half done would be in the next one's way.
	defer func() { _ = v.cancel(context.WithoutCancel(ctx), active, path, token) }()
	if len(keys) < attempt.Required {
		return "", fmt.Errorf("generate a root token: %d recovery keys are needed, there are %d", attempt.Required, len(keys))
	}
	for _, key := range keys {
		var progress struct {
			Complete     bool   `json:"complete"`
			EncodedToken string `json:"encoded_token"`
		}
		input := map[string]string{"key": key, "nonce": attempt.Nonce}
		if err := v.do(ctx, active, http.MethodPut, "sys/generate-root/update", token, input, &progress); err != nil {
			return "", fmt.Errorf("generate a root token: %w", err)
		}
		if progress.Complete {
			return decodeToken(progress.EncodedToken, attempt.OTP)
		}
	}
	return "", errors.New("generate a root token: the recovery keys are used up and Vault wants more")
}

// cancel ends an attempt that is under way, if one is: it would refuse our keys. Its
// nonce has to be named, which Vault tells everybody.
func (v *Vault) cancel(ctx context.Context, active, path, token string) error {
	var attempt struct {
		Started bool   `json:"started"`
		Nonce   string `json:"nonce"`
	}
	if err := v.do(ctx, active, http.MethodGet, path, token, nil, &attempt); err != nil || !attempt.Started {
		return err
	}
	return v.do(ctx, active, http.MethodDelete, path, token, map[string]string{"nonce": attempt.Nonce}, nil)
}

// decodeToken takes the one-time password off.
func decodeToken(encoded, otp string) (string, error) {
	data, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil || len(data) != len(otp) {
		return "", errors.New("generate a root token: Vault's answer is not of the length of the one-time password")
	}
	for i := range data {
		data[i] ^= otp[i]
	}
	return string(data), nil
}

// RotateRecovery replaces the recovery keys. store is called with the new keys
// before they are in force: where it fails, or the process ends, the old ones
// stay. After it returned, the new ones are proven to Vault and count.
func (v *Vault) RotateRecovery(ctx context.Context, token string, keys []string, shares, threshold int, store func(keys []string) error) error {
	active, err := v.Active(ctx)
	if err != nil {
		return err
	}
	const path = "sys/rekey-recovery-key/"
	wrap := func(err error) error { return fmt.Errorf("rotate the recovery keys: %w", err) }
	if err := v.cancel(ctx, active, path+"init", token); err != nil {
		return wrap(err)
	}
	var begun struct {
		Nonce string `json:"nonce"`
	}
	input := map[string]any{"secret_shares": shares, "secret_threshold": threshold, "require_verification": true}
	if err := v.do(ctx, active, http.MethodPut, path+"init", token, input, &begun); err != nil {
		return wrap(err)
	}
	// Whatever ends this: what is left half done would be in the next one's way.
	defer func() { _ = v.cancel(context.WithoutCancel(ctx), active, path+"init", token) }()
	var made struct {
		Complete          bool     `json:"complete"`
		KeysB64           []string `json:"keys_base64"`
		VerificationNonce string   `json:"verification_nonce"`
	}
	for _, key := range keys {
		if err := v.do(ctx, active, http.MethodPut, path+"update", token, map[string]string{"key": key, "nonce": begun.Nonce}, &made); err != nil {
			return wrap(err)
		}
		if made.Complete {
			break
		}
	}
	if !made.Complete || len(made.KeysB64) != shares {
		return wrap(errors.New("the recovery keys are used up and Vault wants more"))
	}
	if err := store(made.KeysB64); err != nil {
		return wrap(fmt.Errorf("the new keys could not be stored, the old ones stay in force: %w", err))
	}
	for _, key := range made.KeysB64 {
		var verified struct {
			Complete bool `json:"complete"`
		}
		if err := v.do(ctx, active, http.MethodPut, path+"verify", token, map[string]string{"key": key, "nonce": made.VerificationNonce}, &verified); err != nil {
			return wrap(fmt.Errorf("the new keys are stored and not in force: the old ones still count: %w", err))
		}
		if verified.Complete {
			return nil
		}
	}
	return wrap(errors.New("the new keys are stored and not in force: Vault did not take them"))
}
