package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
)

// The engine records an operation before it begins. When it is killed, the
// record stays. An update or a deletion is safe to do again; a creation may have
// happened, and doing it again makes a second object that no state knows.
//
// `pulumi refresh --import-pending-creates` would seem made for this. In v3.259
// it turns the record into an import that no later run carries out: the record
// is dropped and the object is orphaned (pkg/cmd/pulumi/operations/refresh.go
// and pkg/backend/snapshot.go). So the state is edited here instead: the object
// found in the account becomes the resource, and a refresh of just these
// resources reads their outputs.

// verdict is what to do with a pending creation.
type verdict struct {
	adopt string // the ID under which the object exists
	// unknown: nobody can tell whether it was created.
	unknown bool
}

// settle deals with the creations that a killed run left open. It returns the
// URNs that it took over, whose outputs are still to be read.
func (t *Target) settle(ctx context.Context, stack string, s *state, o Options, say func(string)) ([]string, error) {
	pending := s.list("pending_operations")
	if len(pending) == 0 {
		return nil, nil
	}
	var adopted, unknown []string
	for _, operation := range pending {
		resource, _ := operation["resource"].(map[string]any)
		if text(operation, "type") != "creating" || resource == nil {
			continue // the next run does it again
		}
		urn := text(resource, "urn")
		v, err := t.judge(ctx, urn, text(resource, "type"), flag(resource, "custom"), s.idsOf(urn), o)
		if err != nil {
			return nil, err
		}
		switch {
		case v.unknown:
			unknown = append(unknown, urn)
		case v.adopt != "":
			s.adopt(resource, v.adopt, time.Now())
			adopted = append(adopted, urn)
			say(fmt.Sprintf("took over %s %q (%s), which a killed run had created", typeOf(urn), nameOf(urn), v.adopt))
		}
	}
	if len(unknown) > 0 {
		return nil, undecided(stack, unknown)
	}
	delete(s.deployment, "pending_operations")
	if err := t.restore(ctx, stack, s); err != nil {
		return nil, fmt.Errorf("record what a killed run had begun on stack %q: %w", stack, err)
	}
	return adopted, nil
}

// judge decides about one pending creation. recorded are the IDs that the state holds
// for the resource already: what a replacement that was under way stands beside.
func (t *Target) judge(ctx context.Context, urn, typ string, custom bool, recorded []string, o Options) (verdict, error) {
	if id, ok := o.Adopt[urn]; ok {
		return verdict{adopt: id}, nil
	}
	if slices.Contains(o.Forget, urn) || !custom || repeatable(typ) {
		return verdict{}, nil
	}
	if t.FindMade == nil {
		return verdict{unknown: true}, nil
	}
	found, err := t.FindMade(ctx, urn, typ)
	var ids []string
	for _, id := range found {
		if !slices.Contains(recorded, id) {
			ids = append(ids, id)
		}
	}
	switch {
	case err != nil:
		return verdict{}, fmt.Errorf("look for %s %q, which a killed run may have created: %w", typ, nameOf(urn), err)
	case len(ids) == 0:
		return verdict{}, nil
	case len(ids) == 1:
		return verdict{adopt: ids[0]}, nil
	}
	return verdict{}, fmt.Errorf("%w: the account holds %d objects for %s %q: %s: delete all but one and run this again",
		ErrPending, len(ids), typ, nameOf(urn), strings.Join(ids, ", "))
}

// repeatable reports whether creating again cannot make a second object: what
// lives in the state alone, and what is applied under a given name. In Vault that is
// everything but a mount, which is refused where there is one.
func repeatable(typ string) bool {
	if strings.HasPrefix(typ, "vault:") {
		return !slices.Contains(vaultMounts, typ)
	}
	for _, prefix := range []string{"pulumi:", "tls:", "random:", "kubernetes:"} {
		if strings.HasPrefix(typ, prefix) {
			return true
		}
	}
	return false
}

var vaultMounts = []string{"vault:index/mount:Mount", "vault:index/authBackend:AuthBackend", "vault:jwt/authBackend:AuthBackend"}

func undecided(stack string, urns []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "a run on stack %q was killed while it created the following; look in the account whether they exist, then run again with --adopt 'URN=ID' for each that does and --forget 'URN' for each that does not:", stack)
	for _, urn := range urns {
		fmt.Fprintf(&b, "\n  %s", urn)
	}
	return &hint{ErrPending, b.String()}
}

// readAdopted fills in the outputs of the resources that were taken over.
func readAdopted(ctx context.Context, s *auto.Stack, urns []string) error {
	if _, err := s.Refresh(ctx, optrefresh.Target(urns), optrefresh.Color("never")); err != nil {
		return fmt.Errorf("read the resources that were taken over: %w", err)
	}
	return nil
}
