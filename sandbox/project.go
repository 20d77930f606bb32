package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// overrides are the configuration values that differ in the sandbox, where
// everything must be easy to destroy.
var overrides = map[string]any{"strongroom:protect": false}

// engineKeys are what the engine writes into Pulumi.<stack>.yaml when it makes
// a stack. Without them the stack's secrets cannot be read.
var engineKeys = []string{"encryptionsalt", "encryptedkey", "secretsprovider"}

// PrepareProject copies Pulumi.yaml and Pulumi.<stack>.yaml from the checkout
// into ProjectDir. The copies keep what the engine wrote into them (the salt,
// and secrets set with `pulumi config set --secret`); for the rest the checkout
// decides, except that nothing is protected from deletion here, that Flux reads the
// checkout's working tree, and that workloads are declared with which the logins to
// Vault are verified.
func (s *Sandbox) PrepareProject(repoRoot string) error {
	if err := os.MkdirAll(s.ProjectDir(), 0o700); err != nil {
		return fmt.Errorf("project folder of the sandbox: %w", err)
	}
	project, err := os.ReadFile(filepath.Join(repoRoot, "Pulumi.yaml"))
	if err != nil {
		return fmt.Errorf("the project: %w: is %s a checkout of strongroom?", err, repoRoot)
	}
	if err := files.Ensure(filepath.Join(s.ProjectDir(), "Pulumi.yaml"), project, files.Private); err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(repoRoot, "Pulumi.*.yaml"))
	if err != nil {
		return fmt.Errorf("stacks in %s: %w", repoRoot, err)
	}
	wanted := map[string]bool{"Pulumi.yaml": true}
	for _, path := range paths {
		wanted[filepath.Base(path)] = true
		if err := s.copyStack(path); err != nil {
			return err
		}
	}
	if err := s.rememberCheckout(repoRoot); err != nil {
		return err
	}
	return s.dropStacks(wanted)
}

// copyStack merges one Pulumi.<stack>.yaml of the checkout with its copy.
func (s *Sandbox) copyStack(path string) error {
	source, _, err := readStack(path)
	if err != nil {
		return err
	}
	target := filepath.Join(s.ProjectDir(), filepath.Base(path))
	former, found, err := readStack(target)
	if err != nil {
		return err
	}
	if found {
		for _, key := range engineKeys {
			if value, has := former[key]; has {
				source[key] = value
			}
		}
	}
	config, err := section(source, path)
	if err != nil {
		return err
	}
	formerConfig, err := section(former, target)
	if err != nil {
		return err
	}
	for key, value := range formerConfig {
		if isSecure(value) {
			config[key] = value
		}
	}
	for key, value := range overrides {
		config[key] = value
	}
	if err := s.handOver(filepath.Dir(path), config); err != nil {
		return err
	}
	if err := s.declareInside(path, config); err != nil {
		return err
	}
	source["config"] = config
	data, err := yaml.Marshal(source)
	if err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	return files.Ensure(target, data, files.Private)
}

// dropStacks removes copies whose original is gone, unless the engine has made
// the stack: it would need its salt to be destroyed.
func (s *Sandbox) dropStacks(wanted map[string]bool) error {
	copies, err := filepath.Glob(filepath.Join(s.ProjectDir(), "Pulumi.*.yaml"))
	if err != nil {
		return fmt.Errorf("stacks in %s: %w", s.ProjectDir(), err)
	}
	for _, path := range copies {
		if wanted[filepath.Base(path)] {
			continue
		}
		stack, _, err := readStack(path)
		if err != nil {
			return err
		}
		if _, made := stack["encryptionsalt"]; made {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove a stack that the checkout no longer has: %w", err)
		}
	}
	return nil
}

func readStack(path string) (content map[string]any, found bool, err error) {
	content = map[string]any{}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return content, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("stack configuration: %w", err)
	}
	if err := yaml.Unmarshal(data, &content); err != nil {
		return nil, false, fmt.Errorf("stack configuration %s: expected YAML: %w", path, err)
	}
	if content == nil {
		content = map[string]any{}
	}
	return content, true, nil
}

// section is the configuration of a stack, empty where there is none.
func section(stack map[string]any, path string) (map[string]any, error) {
	switch config := stack["config"].(type) {
	case nil:
		return map[string]any{}, nil
	case map[string]any:
		return config, nil
	default:
		return nil, fmt.Errorf("stack configuration %s: %q: expected keys and values, got %T", path, "config", config)
	}
}

// isSecure says whether a configuration value is, or contains, a secret that
// the engine has encrypted: {secure: <ciphertext>}.
func isSecure(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		if text, ok := v["secure"].(string); ok && len(v) == 1 && text != "" {
			return true
		}
		for _, element := range v {
			if isSecure(element) {
				return true
			}
		}
	case []any:
		for _, element := range v {
			if isSecure(element) {
				return true
			}
		}
	}
	return false
}
