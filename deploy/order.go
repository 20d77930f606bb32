package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/stacks"
)

// Configured lists the stacks that have a Pulumi.<stack>.yaml, by name.
func (t *Target) Configured() []string {
	paths, err := filepath.Glob(filepath.Join(t.WorkDir, "Pulumi.*.yaml"))
	if err != nil {
		return nil // only a malformed pattern is an error, and this one is not
	}
	var names []string
	for _, path := range paths {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "Pulumi."), ".yaml")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Order sorts stacks so that each comes after those it depends on; a destroy
// goes the other way round. Without names it takes every configured stack. It
// refuses a stack without a configuration, and an unknown role.
func (t *Target) Order(names ...string) ([]string, error) {
	if len(names) == 0 {
		if names = t.Configured(); len(names) == 0 {
			return nil, fmt.Errorf("no stack is configured in %q: expected files such as Pulumi.tooling.yaml there", t.WorkDir)
		}
	}
	roles := map[string]string{}
	var once []string
	for _, name := range names {
		if slices.Contains(once, name) {
			continue
		}
		once = append(once, name)
		// An unknown role is the better answer where both are wrong.
		if _, err := os.Stat(t.StackFile(name)); err != nil {
			if _, err := stacks.RoleOf(name, ""); err != nil {
				return nil, err
			}
		}
		if err := t.requireStackFile(name); err != nil {
			return nil, err
		}
		role, err := t.roleKey(name)
		if err != nil {
			return nil, err
		}
		if role != "" {
			roles[name] = role
		}
	}
	return stacks.Order(once, roles)
}

// roleKey is strongroom:role of the stack's file, empty where it is not set.
func (t *Target) roleKey(stack string) (string, error) {
	config, err := t.config(stack)
	role, _ := config["strongroom:role"].(string)
	return role, err
}

// config is what the stack's file configures, as it is written there.
func (t *Target) config(stack string) (map[string]any, error) {
	content, err := os.ReadFile(t.StackFile(stack))
	if err != nil {
		return nil, err
	}
	var file struct {
		Config map[string]any `json:"config"`
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("read %q: %w", t.StackFile(stack), err)
	}
	return file.Config, nil
}

// Reversed is the order of a destroy.
func Reversed(ordered []string) []string {
	reversed := slices.Clone(ordered)
	slices.Reverse(reversed)
	return reversed
}
