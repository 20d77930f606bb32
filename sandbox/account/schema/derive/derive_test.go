package derive

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/strongroom-platform/strongroom/sandbox/account/schema"
)

var update = flag.Bool("update", false, "write types.json anew from the SDK")

// TestTypesMatchTheSDK fails when types.json is not what the SDK in go.mod
// gives, so a new SDK version cannot leave the account behind unnoticed.
func TestTypesMatchTheSDK(t *testing.T) {
	resources := map[string]*schema.Resource{}
	required := map[string]map[string]map[string]bool{}
	for _, source := range Sources {
		pkg := reflect.TypeOf(source.Args).PkgPath()
		if required[pkg] == nil {
			dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", pkg).Output()
			require.NoError(t, err, "go list %s", pkg)
			required[pkg], err = Required(strings.TrimSpace(string(dir)))
			require.NoError(t, err)
		}
		name := strings.TrimSuffix(reflect.TypeOf(source.Args).Name(), "Args")
		byType, found := required[pkg][name]
		require.True(t, found, "no constructor New%s in %s", name, pkg)
		r, err := Resource(source, byType)
		require.NoError(t, err)
		resources[source.Token] = r
	}
	got, err := json.MarshalIndent(resources, "", " ")
	require.NoError(t, err)
	got = append(got, '\n')

	file := filepath.Join("..", "types.json")
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "types.json differs from the SDK: run this test with -update and read the difference")
}
