package charts_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
)

// answer is what is looked at of a response beside its body.
type answer struct {
	StatusCode int
	Header     http.Header
}

func get(t *testing.T, url string) (answer, []byte) {
	t.Helper()
	response, err := http.Get(url) //nolint:noctx // a test on loopback
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header}, data
}

func TestRegistryServesStubs(t *testing.T) {
	crds := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(crds, "external-secrets"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(crds, "external-secrets", "a.yaml"), []byte("kind: CustomResourceDefinition\n"), 0o600))
	server := httptest.NewServer(&charts.Registry{CRDDir: crds})
	t.Cleanup(server.Close)

	base := server.URL + "/v2/charts.example.com/stable/external-secrets/"
	response, first := get(t, base+"manifests/1.3.2")
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", first)
	_, second := get(t, base+"manifests/"+response.Header.Get("Docker-Content-Digest"))
	require.Equal(t, first, second, "by tag and by digest it is the same")

	var manifest struct {
		Layers []struct{ Digest string }
	}
	require.NoError(t, json.Unmarshal(first, &manifest))
	_, archive := get(t, base+"blobs/"+manifest.Layers[0].Digest)
	chart, err := loader.LoadArchive(bytes.NewReader(archive))
	require.NoError(t, err)
	require.Equal(t, "external-secrets", chart.Name())
	require.Equal(t, "1.3.2", chart.Metadata.Version)
	require.Contains(t, chart.Metadata.Description, "STUB")
	require.Len(t, chart.CRDObjects(), 1)
}

func TestRegistryRefuses(t *testing.T) {
	server := httptest.NewServer(&charts.Registry{CRDDir: t.TempDir()})
	t.Cleanup(server.Close)
	for path, want := range map[string]string{
		"/v2/x/vault/manifests/latest":           "exact versions only",
		"/v2/x/vault/manifests/1.x":              "exact versions only",
		"/v2/x/vault/tags/list":                  "exact versions only",
		"/v2/x/VAULT/manifests/1.0.0":            "no name of a chart",
		"/v2/x/vault/blobs/sha256:00":            "nothing has the digest",
		"/v2/x/external-secrets/manifests/1.3.2": "lays them out",
	} {
		response, body := get(t, server.URL+path)
		require.Equal(t, http.StatusNotFound, response.StatusCode, path)
		require.Contains(t, string(body), want, path)
	}
	response, err := http.Post(server.URL+"/v2/x/vault/blobs/uploads/", "", nil) //nolint:noctx // a test on loopback
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
}

func TestOperatorChartsCanBeLoaded(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // again over what is there
		require.NoError(t, charts.Operator(dir, charts.Mirror{}))
	}
	for _, name := range []string{"flux-operator", "flux-instance"} {
		chart, err := loader.Load(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, name, chart.Name())
		require.Contains(t, chart.Metadata.Description, "STUB")
	}
}
