package vaultconfig_test

import (
	"testing"

	"github.com/hashicorp/hcl"
	"github.com/stretchr/testify/require"
)

type rule struct {
	Capabilities []string `hcl:"capabilities"`
}

// A policy says what the workload's entry says and nothing else.
func TestPolicy(t *testing.T) {
	args := everything()
	for i, want := range map[int]map[string][]string{
		0: {
			"kv/data/shop/orders":           {"read"},
			"kv/metadata/shop/orders":       {"read"},
			"kv/data/shop/shared/*":         {"create", "patch", "read", "update"},
			"kv/metadata/shop/shared/*":     {"list", "read"},
			"kv/delete/shop/shared/*":       {"update"},
			"database/creds/tooling-orders": {"read"},
		},
		1: {"database/creds/tooling-report": {"read"}},
		2: {"kv/data/appliance": {"read"}, "kv/metadata/appliance": {"read"}},
	} {
		text, err := args.Policy(&args.Workloads[i])
		require.NoError(t, err)
		var policy struct {
			Path map[string]rule `hcl:"path"`
		}
		require.NoError(t, hcl.Decode(&policy, text), text)
		got := map[string][]string{}
		for path, r := range policy.Path {
			got[path] = r.Capabilities
		}
		require.Equal(t, want, got)
	}
}

func TestStatementsAreThere(t *testing.T) {
	g := graph(t, nil)
	for _, role := range g.OfType(dbRoleType) {
		require.NotEmpty(t, role.Get("creationStatements"), "%s", role)
		require.NotEmpty(t, role.Get("revocationStatements"), "%s", role)
		require.NotContains(t, joined(role.Get("creationStatements")), "@database")
		require.NotContains(t, joined(role.Get("creationStatements")), "@privileges")
	}
}
