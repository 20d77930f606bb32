package vaultops

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The states of the recovery secret, as the first start writes them:
// gitops/infrastructure/configs/vault-init/init.sh.
const (
	Empty     = "empty"
	Stored    = "stored"
	Finishing = "finishing"
	Finished  = "finished"
)

// Secret is what the recovery secret holds.
type Secret struct {
	State     string   `json:"state"`
	Keys      []string `json:"recovery_keys_b64,omitempty"`
	Threshold int      `json:"recovery_keys_threshold,omitempty"`
	// RootToken is there while the first start needs it.
	RootToken string `json:"root_token,omitempty"`

	// NextKeys are the recovery keys that a rotation made and, as far as the secret
	// knows, Vault does not count yet. Only a rotation that was interrupted leaves
	// them here. The first start does not know them, and need not.
	NextKeys      []string `json:"next_recovery_keys_b64,omitempty"`
	NextThreshold int      `json:"next_recovery_keys_threshold,omitempty"`
}

// ParseSecret reads the text of the recovery secret. A secret without a value is
// [Empty]. No error holds any of the text.
func ParseSecret(text string) (Secret, error) {
	if text == "" {
		return Secret{State: Empty}, nil
	}
	var s Secret
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return Secret{}, errors.New("the recovery secret is not the JSON object that the first start writes (docs/vault.md): put back an earlier version of it")
	}
	switch s.State {
	case Empty, "":
		s.State = Empty
		if len(s.Keys) > 0 || s.RootToken != "" {
			return Secret{}, errors.New("the recovery secret says \"empty\" and holds keys or a token: put back an earlier version of it")
		}
	case Stored, Finishing, Finished:
		if len(s.Keys) == 0 || s.Threshold < 1 || s.Threshold > len(s.Keys) {
			return Secret{}, fmt.Errorf("the recovery secret says %q, with %d recovery keys of which %d are needed: put back an earlier version of it", s.State, len(s.Keys), s.Threshold)
		}
	default:
		return Secret{}, fmt.Errorf("the recovery secret has the unknown state %q: put back an earlier version of it", s.State)
	}
	return s, nil
}

// Text is the secret as it is stored.
func (s Secret) Text() (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("recovery secret: %w", err)
	}
	return string(text), nil
}

// String keeps the secret out of messages.
func (s Secret) String() string {
	return fmt.Sprintf("recovery secret, state %q, %d keys", s.State, len(s.Keys))
}

// GoString keeps it out of those for programmers too.
func (s Secret) GoString() string { return s.String() }
