package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func projectWith(t *testing.T, files map[string]string) *Target {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return &Target{WorkDir: dir}
}

func TestOrder(t *testing.T) {
	target := projectWith(t, map[string]string{
		"Pulumi.yaml":                     "name: strongroom\n",
		"Pulumi.application.yaml":         "config: {}\n",
		"Pulumi.tooling.yaml":             "config: {}\n",
		"Pulumi.application-staging.yaml": "config: {}\n",
		"Pulumi.vault.yaml":               "config:\n  strongroom:role: tooling\n",
	})
	for name, c := range map[string]struct {
		names, want []string
		err         string
	}{
		"all":                   {nil, []string{"tooling", "vault", "application", "application-staging"}, ""},
		"dependencies first":    {[]string{"application", "tooling"}, []string{"tooling", "application"}, ""},
		"role from the file":    {[]string{"application", "vault"}, []string{"vault", "application"}, ""},
		"each once":             {[]string{"tooling", "tooling"}, []string{"tooling"}, ""},
		"unknown role":          {[]string{"database"}, nil, `unknown stack "database"`},
		"known role, no config": {[]string{"tooling-prod"}, nil, "Pulumi.tooling-prod.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := target.Order(c.names...)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
	assert.Equal(t, []string{"c", "b", "a"}, Reversed([]string{"a", "b", "c"}))
}

func TestOrderWithoutStacks(t *testing.T) {
	_, err := projectWith(t, nil).Order()
	assert.ErrorContains(t, err, "no stack is configured")
}
