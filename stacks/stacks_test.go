package stacks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoleOf(t *testing.T) {
	for _, tt := range []struct {
		stack, key string
		want       Role
		err        string
	}{
		{"tooling", "", Tooling, ""},
		{"application", "", Application, ""},
		{"tooling-staging", "", Tooling, ""},
		{"application-eu-west-1", "", Application, ""},
		{"acme/strongroom/tooling-x", "", Tooling, ""},
		{"prod", "tooling", Tooling, ""},
		{"tooling-prod", "application", Application, ""},
		{"prod", "", "", `unknown stack "prod": "prod" is no known role: begin the name with one of "tooling", "application"`},
		{"toolingx", "", "", `unknown stack "toolingx"`},
		{"", "", "", `unknown stack ""`},
		{"tooling", "vault", "", `config strongroom:role: unknown role "vault" of stack "tooling": expected one of "tooling", "application"`},
	} {
		t.Run(tt.stack+"/"+tt.key, func(t *testing.T) {
			role, err := RoleOf(tt.stack, tt.key)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, role)
		})
	}
}

func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		name     string
		in, want []string
		roleKeys map[string]string
	}{
		{"none", []string{}, []string{}, nil},
		{"turned round", []string{"application", "tooling"}, []string{"tooling", "application"}, nil},
		{"stable", []string{"application-b", "tooling-b", "application-a", "tooling-a"},
			[]string{"tooling-b", "tooling-a", "application-b", "application-a"}, nil},
		{"by key", []string{"shop", "tooling"}, []string{"tooling", "shop"}, map[string]string{"shop": "application"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Order(tt.in, tt.roleKeys)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	_, err := Order([]string{"tooling", "nonsense"}, nil)
	require.ErrorContains(t, err, `unknown stack "nonsense"`)
}
