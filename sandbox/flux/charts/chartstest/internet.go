// Package chartstest plays, for tests, the hosts that charts are published at.
package chartstest

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
)

//go:embed templates.yaml
var templates []byte

// archiveOf makes the archive of a chart with templates.yaml.
func archiveOf(t *testing.T, name, version string) []byte {
	t.Helper()
	file, err := chartutil.Save(&chart.Chart{
		Metadata:  &chart.Metadata{APIVersion: "v2", Name: name, Version: version, Type: "application", AppVersion: "1.0.0"},
		Raw:       []*chart.File{{Name: "values.yaml", Data: []byte("replicas: 2\n")}},
		Values:    map[string]any{"replicas": 2},
		Templates: []*chart.File{{Name: "templates/all.yaml", Data: templates}},
	}, t.TempDir())
	require.NoError(t, err)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return data
}

// Internet plays the hosts of charts, whatever their names: repositories with an index
// over HTTPS, and registries.
type Internet struct {
	// Archives are what is published.
	Archives map[charts.Pin][]byte

	t       *testing.T
	address string

	mu     sync.Mutex
	down   []string
	tamper func(at string, body []byte) []byte
	during func(at string)
	asked  []string
}

// Publish makes a chart with the name and version of each pin and publishes it.
func Publish(t *testing.T, pins ...charts.Pin) *Internet {
	t.Helper()
	n := &Internet{t: t, Archives: map[charts.Pin][]byte{}}
	for _, pin := range pins {
		n.Archives[pin] = archiveOf(t, pin.Name, pin.Version)
	}
	server := httptest.NewTLSServer(n)
	t.Cleanup(server.Close)
	n.address = strings.TrimPrefix(server.URL, "https://")
	return n
}

// Break makes hosts unreachable, and lets tamper change what is sent for an address
// ("host/path"). Nil: nothing is changed.
func (n *Internet) Break(tamper func(at string, body []byte) []byte, down ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tamper, n.down = tamper, down
}

// During has do called before each answer, with the address.
func (n *Internet) During(do func(at string)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.during = do
}

// Asked are the addresses that were asked for since the last call.
func (n *Internet) Asked() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	asked := n.asked
	n.asked = nil
	return asked
}

// Transport reaches the hosts by their names.
func (n *Internet) Transport() *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // one certificate for every name
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			n.mu.Lock()
			down := slices.Contains(n.down, host)
			n.mu.Unlock()
			if down {
				return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
			}
			return (&net.Dialer{}).DialContext(ctx, network, n.address)
		},
	}
}

func (n *Internet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := r.Host + r.URL.Path
	n.mu.Lock()
	n.asked = append(n.asked, at)
	tamper, during := n.tamper, n.during
	n.mu.Unlock()
	if during != nil {
		during(at)
	}
	mediaType, body := n.find(r)
	if body == nil {
		http.NotFound(w, r)
		return
	}
	if tamper != nil {
		body = tamper(at, body)
	}
	w.Header().Set("Content-Type", mediaType)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // whoever hung up does not want it
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
}

func (n *Internet) find(r *http.Request) (mediaType string, body []byte) {
	for pin, archive := range n.Archives {
		source, err := url.Parse(pin.Source)
		require.NoError(n.t, err)
		if source.Host != r.Host {
			continue
		}
		if source.Scheme == "oci" {
			if mediaType, body = oci(path.Join("/v2", source.Path, pin.Name), pin, archive, r.URL.Path); body != nil {
				return mediaType, body
			}
			continue
		}
		switch r.URL.Path {
		case path.Join("/", source.Path, "index.yaml"):
			return "text/yaml", n.index(pin.Source)
		case path.Join("/", source.Path, pin.Name+"-"+pin.Version+".tgz"):
			return "application/gzip", archive
		}
	}
	return "", nil
}

// index lists the charts of a repository, as JSON, which is YAML.
func (n *Internet) index(source string) []byte {
	entries := map[string][]any{}
	for pin, archive := range n.Archives {
		if pin.Source == source {
			entries[pin.Name] = append(entries[pin.Name], map[string]any{
				"apiVersion": "v2", "name": pin.Name, "version": pin.Version, "digest": sum(archive),
				"urls": []string{pin.Name + "-" + pin.Version + ".tgz"},
			})
		}
	}
	data, err := json.Marshal(map[string]any{"apiVersion": "v1", "entries": entries})
	require.NoError(n.t, err)
	return data
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// oci answers as a registry does, for one chart in the repository at.
func oci(at string, pin charts.Pin, archive []byte, asked string) (mediaType string, body []byte) {
	config := fmt.Appendf(nil, `{"name":%q,"version":%q,"apiVersion":"v2"}`, pin.Name, pin.Version)
	blob := func(mediaType string, data []byte) map[string]any {
		return map[string]any{"mediaType": mediaType, "digest": "sha256:" + sum(data), "size": len(data)}
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": blob("application/vnd.cncf.helm.config.v1+json", config),
		"layers": []any{blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive)},
	})
	if err != nil {
		return "", nil
	}
	switch asked {
	case at + "/manifests/" + pin.Version, at + "/manifests/sha256:" + sum(manifest):
		return "application/vnd.oci.image.manifest.v1+json", manifest
	case at + "/blobs/sha256:" + sum(config):
		return "application/octet-stream", config
	case at + "/blobs/sha256:" + sum(archive):
		return "application/octet-stream", archive
	}
	return "", nil
}
