package deploy

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/stacks"
)

// How long a run that needs Vault before its program opens the way waits for it. It was
// up when the stack was, so this is for a leader that is being elected.
const (
	vaultLimit        = 3 * time.Minute
	vaultDestroyLimit = time.Minute
)

// host is what holds the ways to Vault open for one run, and the program of the run.
func (t *Target) host(stack string) (*stacks.Host, pulumi.RunFunc) {
	h := &stacks.Host{Environment: t.environment(), Dir: t.WorkDir}
	if t.Program != nil {
		return h, t.Program(stack)
	}
	return h, h.Run
}

// reachVault opens the way to Vault for an engine that goes to what is inside of it
// before the program runs, or without it: a refresh, an up whose program declares nothing
// there any more, and a destroy of what does not go with its Vault. Where a destroy finds
// no Vault that lets it in, what the stack has inside of it is forgotten, and said: it
// must not keep the rest from being destroyed.
func (t *Target) reachVault(ctx context.Context, stack string, phase Phase, held *state, o Options, host *stacks.Host, say func(string)) error {
	inside := held.inVault()
	if len(inside) == 0 || t.Program != nil { // a program of one's own has a way of its own
		return nil
	}
	switch {
	case o.Refresh, phase == PhaseRefresh:
	case phase == PhaseUp:
		config, err := t.config(stack)
		if err != nil || stacks.DeclaresInVault(config) {
			return err
		}
	case phase == PhaseDestroy && slices.ContainsFunc(inside, func(r map[string]any) bool { return text(r, "deletedWith") == "" }):
	default:
		return nil
	}
	limit := vaultLimit
	if phase == PhaseDestroy {
		limit = cmp.Or(t.VaultWait, vaultDestroyLimit)
	}
	way, err := held.way()
	if err == nil {
		err = host.Open(ctx, stack, *way, limit, say)
	}
	switch {
	case err == nil:
		return nil
	case phase != PhaseDestroy || ctx.Err() != nil:
		return fmt.Errorf("the way to Vault: %w", err)
	case slices.ContainsFunc(held.resources(), func(r map[string]any) bool { return flag(r, "protect") }):
		return nil // the engine refuses, and says why
	}
	say(fmt.Sprintf("Vault cannot be reached (%s): %d objects of this stack stay in it, and are forgotten here. "+
		"If that Vault comes back, delete the auth mounts and the policies whose names begin with this stack's", err, len(inside)))
	held.forget(inside)
	return t.restore(ctx, stack, held)
}

// inVault are the resources inside of Vault.
func (s *state) inVault() []map[string]any {
	var inside []map[string]any
	for _, r := range s.resources() {
		if strings.HasPrefix(text(r, "type"), "vault:") {
			inside = append(inside, r)
		}
	}
	return inside
}

// way is the stack's way to Vault, which it has exported.
func (s *state) way() (*stacks.Way, error) {
	for _, r := range s.resources() {
		if text(r, "type") != "pulumi:pulumi:Stack" {
			continue
		}
		outputs, _ := r["outputs"].(map[string]any)
		exported, found := outputs[stacks.VaultAccessOutput]
		if !found {
			continue
		}
		data, err := json.Marshal(exported)
		if err != nil {
			return nil, err
		}
		way := &stacks.Way{}
		if err := json.Unmarshal(data, way); err != nil {
			return nil, fmt.Errorf("output %q: %w", stacks.VaultAccessOutput, err)
		}
		return way, nil
	}
	return nil, fmt.Errorf("the stack has no output %s: configure %s as it was, and run `strongroom up` first",
		stacks.VaultAccessOutput, stacks.VaultWorkloadsKey)
}

// forget takes resources out of the state, and what in it refers to them.
func (s *state) forget(gone []map[string]any) {
	urns := map[string]bool{}
	for _, r := range gone {
		urns[text(r, "urn")] = true
	}
	var kept []map[string]any
	for _, r := range s.resources() {
		if urns[text(r, "urn")] {
			continue
		}
		if dependencies, ok := r["dependencies"].([]any); ok {
			r["dependencies"] = slices.DeleteFunc(dependencies, func(d any) bool { urn, _ := d.(string); return urns[urn] })
		}
		kept = append(kept, r)
	}
	s.setList("resources", kept)
}
