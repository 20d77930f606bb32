package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Resource is one resource in a stack's state.
type Resource struct {
	URN  string `json:"urn"`
	Type string `json:"type"`
	Name string `json:"name"`
	// ID in the account; empty for components.
	ID string `json:"id,omitempty"`
	// Component: the resource groups others and is not itself in the account.
	Component bool `json:"component,omitempty"`
	Protected bool `json:"protected,omitempty"`
}

// state is a stack's exported state. It is kept as plain JSON values and not as
// the SDK's types, so that what a newer engine writes survives an edit. Secrets
// stay encrypted in it.
type state struct {
	document   map[string]any
	deployment map[string]any
}

// export reads the stack's state; it wraps ErrNoStack where there is none.
func (t *Target) export(ctx context.Context, stack string) (*state, error) {
	if err := t.mend(); err != nil {
		return nil, err
	}
	if s, err := t.checkpoint(stack); s != nil || err != nil {
		return s, err
	}
	return t.ask(ctx, stack)
}

// ask is export by the CLI.
func (t *Target) ask(ctx context.Context, stack string, flags ...string) (*state, error) {
	out, err := t.pulumi(ctx, nil, stack, append([]string{"stack", "export"}, flags...)...)
	if err != nil {
		return nil, err
	}
	s := &state{}
	if err := decode([]byte(out), &s.document); err != nil {
		return nil, fmt.Errorf("read the state of stack %q: %w", stack, err)
	}
	s.deployment, _ = s.document["deployment"].(map[string]any)
	if s.deployment == nil {
		// A stack that was made and never brought up.
		s.deployment = map[string]any{}
	}
	return s, nil
}

// checkpoint reads the state from its file where the backend is a folder, as what
// `pulumi stack export` prints, without the half second that the CLI takes to start.
// It returns nil where the CLI has to tell: of another backend, a stack that does not
// exist or was never brought up, a state that is compressed or of another version.
// https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/core.go (CheckpointV3)
func (t *Target) checkpoint(stack string) (*state, error) {
	dir, ok, err := t.stateDir()
	if err != nil || !ok {
		return nil, err
	}
	p, err := t.project()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, ".pulumi", "stacks", p.Name, stack+".json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of stack %q: %w", stack, err)
	}
	var file struct {
		Version    int `json:"version"`
		Checkpoint struct {
			Latest map[string]any `json:"latest"`
		} `json:"checkpoint"`
	}
	const version = 3
	if err := decode(data, &file); err != nil || file.Version != version || file.Checkpoint.Latest == nil {
		return nil, nil //nolint:nilerr // the CLI says what is wrong with it
	}
	return &state{
		document:   map[string]any{"version": version, "deployment": file.Checkpoint.Latest},
		deployment: file.Checkpoint.Latest,
	}, nil
}

// decode keeps numbers as they stand.
func decode(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// restore writes an edited state back.
func (t *Target) restore(ctx context.Context, stack string, s *state) error {
	s.document["deployment"] = s.deployment
	content, err := json.Marshal(s.document)
	if err != nil {
		return fmt.Errorf("write the state of stack %q: %w", stack, err)
	}
	_, err = t.pulumi(ctx, content, stack, "stack", "import")
	return err
}

// pulumi runs a short command of the CLI on the stack.
func (t *Target) pulumi(ctx context.Context, stdin []byte, stack string, args ...string) (string, error) {
	engine, err := t.cli(ctx)
	if err != nil {
		return "", err
	}
	args = append(args, "--stack", stack)
	stdout, stderr, _, err := engine.Run(ctx, t.WorkDir, bytes.NewReader(stdin), nil, nil, t.environ(), args...)
	if err == nil {
		return stdout, nil
	}
	if h := explain(stack, stderr); h != nil {
		return "", h
	}
	return "", fmt.Errorf("pulumi %s: %w: %s", strings.Join(args, " "), err, plain(stderr))
}

func (s *state) list(key string) []map[string]any {
	entries, _ := s.deployment[key].([]any)
	list := make([]map[string]any, 0, len(entries))
	for _, entry := range entries {
		if object, ok := entry.(map[string]any); ok {
			list = append(list, object)
		}
	}
	return list
}

func (s *state) setList(key string, list []map[string]any) {
	if len(list) == 0 {
		delete(s.deployment, key)
		return
	}
	entries := make([]any, len(list))
	for i, object := range list {
		entries[i] = object
	}
	s.deployment[key] = entries
}

func (s *state) resources() []map[string]any { return s.list("resources") }

// Resources lists what the stack's state holds, in the order in which it was
// made, without the stack itself and the providers. A stack that does not exist
// has none.
func (t *Target) Resources(ctx context.Context, stack string) ([]Resource, error) {
	s, err := t.existing(ctx, stack)
	if err != nil || s == nil {
		return nil, err
	}
	var list []Resource
	for _, r := range s.resources() {
		typ := text(r, "type")
		if strings.HasPrefix(typ, "pulumi:") || flag(r, "delete") {
			continue
		}
		list = append(list, Resource{
			URN: text(r, "urn"), Type: typ, Name: nameOf(text(r, "urn")), ID: text(r, "id"),
			Component: !flag(r, "custom"), Protected: flag(r, "protect"),
		})
	}
	return list, nil
}

func text(object map[string]any, key string) string {
	s, _ := object[key].(string)
	return s
}

func flag(object map[string]any, key string) bool {
	b, _ := object[key].(bool)
	return b
}

// idsOf returns the IDs of the objects that stand for a resource. One that was deleted to
// make room for its replacement stands no more, and the replacement may have its ID.
func (s *state) idsOf(urn string) []string {
	var ids []string
	for _, r := range s.resources() {
		if text(r, "urn") == urn && !flag(r, "pendingReplacement") {
			ids = append(ids, text(r, "id"))
		}
	}
	return ids
}

// adopt puts a resource into the state as if its creation had been recorded. Its
// outputs are read from the account by the refresh that follows.
func (s *state) adopt(resource map[string]any, id string, now time.Time) {
	resource["id"] = id
	resource["outputs"] = map[string]any{}
	resource["created"] = now.UTC().Format(time.RFC3339Nano)
	resource["modified"] = resource["created"]
	urn := text(resource, "urn")
	var kept []map[string]any
	for _, r := range s.resources() {
		if text(r, "urn") == urn && !flag(r, "delete") {
			if flag(r, "pendingReplacement") {
				continue // deleted already, to make room for this one
			}
			// Its replacement is there, so it is next to be deleted.
			r["delete"] = true
		}
		kept = append(kept, r)
	}
	s.setList("resources", sorted(append(kept, resource)))
}

// sorted puts each resource after those it refers to, as the engine demands, and
// otherwise keeps the order.
func sorted(resources []map[string]any) []map[string]any {
	byURN := map[string][]int{}
	for i, r := range resources {
		byURN[text(r, "urn")] = append(byURN[text(r, "urn")], i)
	}
	done := make([]bool, len(resources))
	out := make([]map[string]any, 0, len(resources))
	var place func(i int)
	place = func(i int) {
		if done[i] {
			return
		}
		done[i] = true
		for _, urn := range references(resources[i]) {
			for _, j := range byURN[urn] {
				place(j)
			}
		}
		out = append(out, resources[i])
	}
	for i := range resources {
		place(i)
	}
	return out
}

// references are the URNs that a resource's record points to.
func references(r map[string]any) []string {
	urns := []string{text(r, "parent"), text(r, "deletedWith")}
	if provider := text(r, "provider"); provider != "" {
		urns = append(urns, provider[:max(0, strings.LastIndex(provider, "::"))])
	}
	urns = append(urns, names(r["dependencies"])...)
	byProperty, _ := r["propertyDependencies"].(map[string]any)
	for _, list := range byProperty {
		urns = append(urns, names(list)...)
	}
	slices.Sort(urns)
	return slices.Compact(urns)
}

func names(list any) []string {
	entries, _ := list.([]any)
	var out []string
	for _, entry := range entries {
		if name, ok := entry.(string); ok {
			out = append(out, name)
		}
	}
	return out
}
