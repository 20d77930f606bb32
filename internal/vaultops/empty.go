package vaultops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// HoldsNothing says whether a Vault is one whose first start was killed before
// anything was put into it: nobody has its keys, so nobody can have. The error
// says what speaks against it, or that it could not be found out.
//
// Nothing can be listed without a token. But the mount `provisioner` is the first
// thing that the first start makes after it stored the keys, everything else comes
// through it, and a login tells whether it is there.
func (v *Vault) HoldsNothing(ctx context.Context) error {
	initialized := 0
	for _, s := range v.Status(ctx) {
		switch {
		case s.Failure != "":
			return fmt.Errorf("is this Vault empty? %s: every server has to answer", s.Failure)
		case s.Initialized && s.Sealed:
			return fmt.Errorf("is this Vault empty? %s is sealed, and a sealed server does not tell: see why KMS does not unseal it", s.Address)
		case s.Initialized:
			initialized++
		}
	}
	if initialized == 0 {
		return nil
	}
	active, err := v.Active(ctx)
	if err != nil {
		return fmt.Errorf("is this Vault empty? %w", err)
	}
	// Without a role: a mount answers 400 to that, a path without a mount 403.
	err = v.do(ctx, active, http.MethodPut, "auth/provisioner/login", "", map[string]string{}, nil)
	var answered *APIError
	switch {
	case errors.As(err, &answered) && answered.Status == http.StatusForbidden:
		return nil
	case err != nil && !errors.As(err, &answered):
		return fmt.Errorf("is this Vault empty? %w", err)
	}
	return errors.New("this Vault is in use: its mount auth/provisioner is there, which is made after the recovery keys were stored")
}
