package vaultops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Unused says whether a Vault may be emptied: its first start was killed between
// init and the storing of the keys, so nobody has its keys and nothing is in it. The
// error names what is there. current and previous are the two versions of the
// recovery secret that Secrets Manager keeps.
//
// Three things have to agree: the secret never got the keys (step 4), the provisioner
// is not in Vault (step 5), and no other way to log in is.
func (v *Vault) Unused(ctx context.Context, current, previous Secret) error {
	for _, s := range []struct {
		label  string
		secret Secret
	}{{"", current}, {" (the version before, AWSPREVIOUS)", previous}} {
		if s.secret.State != Empty {
			return fmt.Errorf("the recovery secret%s says %q and holds %d recovery keys: the first start came past step 4, and Vault can hold anything",
				s.label, s.secret.State, len(s.secret.Keys))
		}
	}
	if err := v.HoldsNothing(ctx); err != nil {
		return err
	}
	return v.noLogins(ctx)
}

// wellKnown are the mounts that the platform's own configuration makes, and those
// that people make by hand, below auth/.
var wellKnown = []string{
	"kubernetes-tooling", "jwt-application", "kubernetes-application", "gitlab", "approle", "aws", "kubernetes", "jwt", "oidc", "cert", "github",
}

// noLogins asks for ways to log in as somebody without a token can: a path without a
// mount is refused as any other (403), a mount says what it lacks (400).
func (v *Vault) noLogins(ctx context.Context) error {
	active, err := v.Active(ctx)
	if err != nil {
		return fmt.Errorf("is this Vault empty? %w", err)
	}
	for _, mount := range wellKnown {
		err := v.do(ctx, active, http.MethodPut, "auth/"+mount+"/login", "", map[string]string{}, nil)
		var answered *APIError
		switch {
		case errors.As(err, &answered) && answered.Status == http.StatusForbidden:
		case err != nil && !errors.As(err, &answered):
			return fmt.Errorf("is this Vault empty? %w", err)
		default:
			return fmt.Errorf("this Vault is in use: its mount auth/%s is there, which the first start does not make", mount)
		}
	}
	return nil
}
