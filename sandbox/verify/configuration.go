package verify

import (
	_ "embed"
	"fmt"
	"maps"

	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/sandbox/postgres"
)

// The stacks that take part, by the names of their configuration.
const (
	Tooling     = "tooling"
	Application = "application"
)

var (
	//go:embed tooling.yaml
	toolingYAML []byte
	//go:embed application.yaml
	applicationYAML []byte
)

// database is the name of the sandbox's PostgreSQL in strongroom:vault.databases.
const database = "sandbox"

// Surroundings are what the declaration needs to know of the sandbox.
type Surroundings struct {
	// STS is the URL of the simulated STS.
	STS string `json:"sts"`
	// GitLabKey verifies the tokens of a GitLab that does not exist, in PEM.
	GitLabKey string `json:"gitlabKey"`
	// Database is host:port of PostgreSQL; empty: the machine has none.
	Database string `json:"database,omitempty"`
	// TunnelPort is where the way to Vault begins.
	TunnelPort int `json:"tunnelPort"`
}

// Declare adds to a stack's strongroom:vault, which may be nil, what is verified
// afterwards. What the stack declares itself stays. Other stacks than the two get
// nothing.
func (s Surroundings) Declare(stack string, vault map[string]any) (map[string]any, error) {
	var text []byte
	switch stack {
	case Tooling:
		text = toolingYAML
	case Application:
		text = applicationYAML
	default:
		return vault, nil
	}
	added := map[string]any{}
	if err := yaml.Unmarshal(text, &added); err != nil {
		return nil, fmt.Errorf("what the sandbox declares inside of Vault for stack %q: %w", stack, err)
	}
	workloads, _ := added["workloads"].([]any)
	if s.Database == "" {
		for _, w := range workloads {
			if w, ok := w.(map[string]any); ok {
				delete(w, "database")
			}
		}
	}
	m := merge{into: map[string]any{}}
	maps.Copy(m.into, vault)
	m.list("workloads", workloads)
	m.keys("access", map[string]any{"port": s.TunnelPort})
	if stack == Tooling {
		m.keys("logins", added["logins"])
		m.keys("logins", map[string]any{"stsEndpoint": s.STS, "gitlabPublicKeys": []any{s.GitLabKey}})
		if s.Database != "" {
			m.list("databases", []any{map[string]any{
				"name": database, "engine": "postgresql", "address": s.Database, "insecurePlain": true,
				"username": postgres.User, "database": postgres.Database,
			}})
		}
	}
	if m.err != nil {
		return nil, m.err
	}
	return m.into, nil
}

// merge adds to a section of the configuration and remembers the first thing that is
// in the way.
type merge struct {
	into map[string]any
	err  error
}

// list adds elements at the end.
func (m *merge) list(key string, elements []any) {
	former, ok := m.into[key].([]any)
	if !ok && m.into[key] != nil {
		m.refuse(key, "a list")
		return
	}
	m.into[key] = append(append([]any{}, former...), elements...)
}

// keys sets keys of a section.
func (m *merge) keys(key string, values any) {
	former, ok := m.into[key].(map[string]any)
	if !ok && m.into[key] != nil {
		m.refuse(key, "keys and values")
		return
	}
	set := map[string]any{}
	maps.Copy(set, former)
	if values, ok := values.(map[string]any); ok {
		maps.Copy(set, values)
	}
	m.into[key] = set
}

func (m *merge) refuse(key, want string) {
	if m.err == nil {
		m.err = fmt.Errorf("config strongroom:vault.%s: expected %s, got %T", key, want, m.into[key])
	}
}
