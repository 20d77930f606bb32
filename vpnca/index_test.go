package vpnca

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Proves that an index that this package could only damage is refused by every
// operation and stays as it is.
func TestIndexRefused(t *testing.T) {
	set := func(key string, value any) func(map[string]any) {
		return func(m map[string]any) { m[key] = value }
	}
	entry := func(key string, value any) func(map[string]any) {
		return func(m map[string]any) { m["entries"].([]any)[0].(map[string]any)[key] = value }
	}
	for name, tt := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"a newer format":        {set("format", 2), "has format 2, and this strongroom knows formats up to 1: nothing was changed; use a newer strongroom"},
		"another file":          {func(m map[string]any) { delete(m, "format") }, "is not an index of certificates"},
		"a field nobody knows":  {set("quota", 3), `unknown field "quota"`},
		"another name":          {entry("name", "mallory"), `the name is "mallory" and its certificate's "alice"`},
		"another serial number": {entry("serial", "1"), "the serial number is 1"},
		"other dates":           {entry("until", "2099-01-01T00:00:00Z"), "its dates are not those of its certificate"},
		"no certificate":        {entry("certificate", ""), "expected one certificate in PEM form"},
		"an entry twice":        {func(m map[string]any) { m["entries"] = append(m["entries"].([]any), m["entries"].([]any)[0]) }, "is there twice"},
		"an empty entry":        {func(m map[string]any) { m["entries"] = []any{nil} }, "entry 0 is empty"},
		"another list's number": {func(m map[string]any) { m["crl"].(map[string]any)["number"] = 7 }, "number is 1 and the index says 7"},
		"a damaged list":        {func(m map[string]any) { m["crl"].(map[string]any)["pem"] = "x" }, "not one in PEM form"},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := newAuthority(t)
			issue(t, a, "alice")
			issue(t, a, "bob")
			require.NoError(t, a.Revoke(t.Context(), "bob", ""))
			path := a.Store.(*FileStore).Path
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			var m map[string]any
			require.NoError(t, json.Unmarshal(data, &m))
			tt.change(m)
			data, err = json.Marshal(m)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, data, 0o600))

			_, err = a.Index(t.Context())
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, path)
			_, request, err := NewKey("carol")
			require.NoError(t, err)
			_, err = a.Issue(t.Context(), request, 0)
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, a.Revoke(t.Context(), "alice", ""), tt.want)
			_, _, err = a.Publish(t.Context(), &fakeEndpoint{})
			require.ErrorContains(t, err, tt.want)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(data), string(after))
		})
	}
}

func TestIndexNotJSON(t *testing.T) {
	_, err := parseIndex([]byte("<html>"), "s3://bucket/vpn/index.json")
	require.ErrorContains(t, err, "s3://bucket/vpn/index.json is not JSON")
	_, err = parseIndex([]byte(`{"format":1,"about":"","entries":[]} {}`), "here")
	require.ErrorContains(t, err, "is not JSON")
	_, err = parseIndex([]byte(strings.Repeat(" ", 3)), "here")
	require.ErrorContains(t, err, "is not JSON")
	i, err := parseIndex(nil, "here")
	require.NoError(t, err)
	require.Equal(t, Format, i.Format)
}

// Proves that the index and its lock are for the owner's eyes only.
func TestFileStorePermissions(t *testing.T) {
	a, _ := newAuthority(t)
	issue(t, a, "alice")
	path := a.Store.(*FileStore).Path
	for _, name := range []string{path, path + ".lock"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(data), "PRIVATE KEY")
}
