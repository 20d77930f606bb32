package vpnca

import (
	"context"
	"fmt"
)

// Reason is why a certificate was revoked (RFC 5280 section 5.3.1).
type Reason string

// The reasons.
const (
	Unspecified   Reason = "unspecified"
	KeyCompromise Reason = "keyCompromise"
	Left          Reason = "affiliationChanged"
	Superseded    Reason = "superseded"
)

// reasonCodes as they stand in a revocation list.
var reasonCodes = map[Reason]int{"": 0, Unspecified: 0, KeyCompromise: 1, Left: 3, Superseded: 4}

// Reasons are what [Authority.Revoke] takes.
var Reasons = []Reason{Unspecified, KeyCompromise, Left, Superseded}

// Revoke marks every certificate of a person as revoked and signs the revocation
// list, in one change. The endpoint knows nothing of it before [Authority.Publish].
//
// Where all of them are revoked already the error wraps [ErrRevoked]; if then the
// endpoint does not have the list yet, publish it, and the revocation is finished.
func (a *Authority) Revoke(ctx context.Context, name string, reason Reason) error {
	if err := a.checkSigner(); err != nil {
		return err
	}
	if err := CheckName(name); err != nil {
		return err
	}
	if _, ok := reasonCodes[reason]; !ok {
		return fmt.Errorf("the reason %q is not known: choose one of %q", reason, Reasons)
	}
	return a.update(ctx, func(index *Index) error {
		var known, valid, revoked *Entry
		for _, e := range index.Named(name) {
			known = e
			switch e.StateOf(a.Certificate, a.now()) {
			case Valid:
				valid = e
			case Revoked:
				revoked = e
			}
		}
		switch {
		case known == nil:
			return fmt.Errorf("%w: no certificate was ever issued to %q: `strongroom vpn list` shows the names", ErrUnknown, name)
		case valid == nil && revoked != nil:
			return fmt.Errorf("%w: %q was revoked on %s by %s", ErrRevoked, name, day(revoked.Revoked.At), revoked.Revoked.By)
		case valid == nil:
			return fmt.Errorf("%w: the last certificate of %q ran out on %s, so there is nothing to revoke", ErrUnknown, name, day(known.Until))
		}
		return a.revokeEntries(index, reason, func(e *Entry) bool { return e.Name == name })
	})
}

// revokeEntries revokes the valid ones among which, and signs the list anew.
func (a *Authority) revokeEntries(index *Index, reason Reason, which func(*Entry) bool) error {
	found := false
	for _, e := range index.Entries {
		if which(e) && e.StateOf(a.Certificate, a.now()) == Valid {
			event := a.event()
			e.Revoked, e.Reason, found = &event, reason, true
		}
	}
	if !found {
		return errUnchanged
	}
	return a.signCRL(index)
}
