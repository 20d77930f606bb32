package charts_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts/chartstest"
)

const checkout = "../../.."

func pinned(t *testing.T) []charts.Pin {
	t.Helper()
	pins, err := charts.Pinned(checkout)
	require.NoError(t, err)
	return pins
}

// Proves that the pins are those of both trees and of the component, whatever kind of
// source they have.
func TestPinned(t *testing.T) {
	pins := pinned(t)
	sources := map[string]string{}
	for _, pin := range pins {
		sources[pin.Name] = pin.Source
	}
	require.Equal(t, map[string]string{
		"flux-operator":                "oci://ghcr.io/controlplaneio-fluxcd/charts",
		"flux-instance":                "oci://ghcr.io/controlplaneio-fluxcd/charts",
		"kube-prometheus-stack":        "oci://ghcr.io/prometheus-community/charts",
		"prometheus-blackbox-exporter": "oci://ghcr.io/prometheus-community/charts",
		"aws-load-balancer-controller": "https://aws.github.io/eks-charts",
		"external-secrets":             "https://charts.external-secrets.io",
		"gitlab-runner":                "https://charts.gitlab.io",
		"vault":                        "https://helm.releases.hashicorp.com",
	}, sources)
	require.Len(t, pins, len(sources), "two clusters pin the same versions")
	require.Contains(t, pins, charts.Pin{Name: "flux-operator", Version: runtimeinfo.OperatorVersion, Source: runtimeinfo.OperatorCharts})
}

// Proves that a release whose chart cannot be told is an error that names it.
func TestPinnedRefuses(t *testing.T) {
	const release = "gitops/apps/base/gitlab-runner/release.yaml"
	for name, tt := range map[string]struct{ old, new, want string }{
		"a range":          {"version: 0.89.1", "version: 0.x", `cluster tooling: HelmRelease gitlab-runner/gitlab-runner: chart gitlab-runner: version "0.x": expected an exact one`},
		"no such source":   {"name: gitlab\n", "name: nowhere\n", "HelmRelease gitlab-runner/gitlab-runner: its source HelmRepository gitlab-runner/nowhere is not in the tree"},
		"no name":          {"chart: gitlab-runner", "chart: GitLab", `"GitLab" is no name of a chart`},
		"not even a chart": {"kind: HelmRelease", "kind: [", "kustomize"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(filepath.Join(dir, "gitops"), os.DirFS(filepath.Join(checkout, "gitops"))))
			file := filepath.Join(dir, release)
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Contains(t, string(data), tt.old)
			require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(data), tt.old, tt.new, 1)), 0o600))
			_, err = charts.Pinned(dir)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// Proves that every pinned chart is fetched from its host and served under the same
// name, that a second run asks nobody, and that what is missing or damaged is fetched
// again.
func TestMirror(t *testing.T) {
	pins := pinned(t)
	net := chartstest.Publish(t, pins...)
	m := charts.Mirror{Dir: t.TempDir()}
	var told []charts.Fetched
	fill := func() error {
		told = nil
		return m.Fill(t.Context(), charts.Fetch{Pins: pins, Transport: net.Transport(), Progress: func(f charts.Fetched) {
			if !f.Begun {
				told = append(told, f)
			}
		}})
	}
	require.NoError(t, fill())
	require.Len(t, told, len(pins))
	for _, f := range told {
		require.False(t, f.Already)
		want := "the repository's index"
		if strings.HasPrefix(f.Chart.Source, "oci://") {
			want = "the registry's manifest"
		}
		require.Equal(t, want, f.CheckedAgainst)
	}
	require.NotEmpty(t, net.Asked())
	require.Contains(t, filesIn(t, m.Dir), "charts.external-secrets.io/external-secrets-1.3.2.tgz")

	require.NoError(t, fill())
	require.Empty(t, net.Asked(), "a second run does nothing")
	for _, f := range told {
		require.True(t, f.Already)
	}

	data, err := os.ReadFile(filepath.Join(m.Dir, "index.json"))
	require.NoError(t, err)
	var index struct{ Charts []charts.Mirrored }
	require.NoError(t, json.Unmarshal(data, &index))
	require.Len(t, index.Charts, len(pins))
	for _, c := range index.Charts {
		require.Equal(t, sha(net.Archives[c.Pin]), c.SHA256, c.Name)
	}

	file := filepath.Join(m.Dir, "charts.external-secrets.io", "external-secrets-1.3.2.tgz")
	require.NoError(t, os.WriteFile(file, []byte("something else"), 0o600))
	var damaged *charts.DamagedError
	require.ErrorAs(t, m.Check(), &damaged)
	for _, want := range []string{"chart external-secrets 1.3.2", file, "run `make charts`", "or remove the file"} {
		require.ErrorContains(t, damaged, want)
	}
	require.NoError(t, os.Remove(filepath.Join(m.Dir, "charts.gitlab.io", "gitlab-runner-0.89.1.tgz")))
	require.NoError(t, fill())
	require.NoError(t, m.Check())
	var again []string
	for _, f := range told {
		if !f.Already {
			again = append(again, f.Chart.Name)
		}
	}
	require.Equal(t, []string{"external-secrets", "gitlab-runner"}, again)
}

// Proves that the registry serves what the mirror has, a stub in place of what it does
// not have, and neither in place of what is damaged.
func TestRegistryServesTheMirror(t *testing.T) {
	pin := charts.Pin{Name: "vault", Version: "0.34.1", Source: "https://helm.example.com/stable"}
	net := chartstest.Publish(t, pin)
	m := charts.Mirror{Dir: t.TempDir()}
	require.NoError(t, m.Fill(t.Context(), charts.Fetch{Pins: []charts.Pin{pin}, Transport: net.Transport()}))
	server := httptest.NewServer(&charts.Registry{CRDDir: t.TempDir(), Mirror: m})
	t.Cleanup(server.Close)

	chart := func(repository string) (data []byte, stub bool) {
		response, text := get(t, server.URL+"/v2/"+repository+"/vault/manifests/0.34.1")
		require.Equal(t, http.StatusOK, response.StatusCode, "%s", text)
		var manifest struct {
			Layers      []struct{ Digest string }
			Annotations map[string]string
		}
		require.NoError(t, json.Unmarshal(text, &manifest))
		_, data = get(t, server.URL+"/v2/"+repository+"/vault/blobs/"+manifest.Layers[0].Digest)
		loaded, err := loader.LoadArchive(bytes.NewReader(data))
		require.NoError(t, err)
		require.Equal(t, manifest.Annotations[charts.Label] == "true", loaded.Metadata.AppVersion == charts.StubAppVersion)
		return data, loaded.Metadata.AppVersion == charts.StubAppVersion
	}
	data, stub := chart("helm.example.com/stable")
	require.False(t, stub)
	require.Equal(t, net.Archives[pin], data, "as its host published it")
	_, stub = chart("helm.example.com/other")
	require.True(t, stub, "a chart of another source is another chart")

	file := filepath.Join(m.Dir, "helm.example.com", "stable", "vault-0.34.1.tgz")
	require.NoError(t, os.WriteFile(file, data[1:], 0o600))
	response, text := get(t, server.URL+"/v2/helm.example.com/stable/vault/manifests/0.34.1")
	require.Equal(t, http.StatusForbidden, response.StatusCode)
	require.Contains(t, string(text), "chart vault 0.34.1: "+file+" is not what was fetched")
	require.NoError(t, os.Remove(file))
	_, stub = chart("helm.example.com/stable")
	require.True(t, stub, "a chart that somebody removed is a stub")
}

// Proves that hosts that cannot be reached, and what they should not have sent, are
// named, and that the rest is kept.
func TestMirrorNamesWhatIsMissing(t *testing.T) {
	pins := pinned(t)
	net := chartstest.Publish(t, pins...)
	net.Break(func(path string, body []byte) []byte {
		switch {
		case strings.HasSuffix(path, "gitlab-runner-0.89.1.tgz"):
			return append(body, 0)
		case path == "charts.external-secrets.io/index.yaml":
			return []byte(`{"apiVersion":"v1","entries":{}}`)
		}
		return body
	}, "helm.releases.hashicorp.com", "ghcr.io")
	m := charts.Mirror{Dir: t.TempDir()}
	fetch := charts.Fetch{Pins: pins, Transport: net.Transport()}
	err := m.Fill(t.Context(), fetch)
	var missing *charts.MissingError
	require.ErrorAs(t, err, &missing)
	for _, want := range []string{
		"7 of 8 charts could not be fetched:",
		"\n  chart vault 0.34.1: host helm.releases.hashicorp.com: ", "no such host",
		"\n  chart kube-prometheus-stack 87.17.0: host ghcr.io: ",
		"\n  chart gitlab-runner 0.89.1: host charts.gitlab.io: ", "and the index of https://charts.gitlab.io says",
		"\n  chart external-secrets 1.3.2: host charts.external-secrets.io: the index of https://charts.external-secrets.io does not have it",
		"the sandbox goes on with stubs for these", "`make charts`",
	} {
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, []string{"aws.github.io/eks-charts/aws-load-balancer-controller-3.4.0.tgz", "index.json"}, filesIn(t, m.Dir))

	net.Break(nil)
	net.Asked()
	require.NoError(t, m.Fill(t.Context(), fetch))
	for _, asked := range net.Asked() {
		require.False(t, strings.HasPrefix(asked, "aws.github.io/"), "what is there is not asked for again: %s", asked)
	}
}

// Proves that an interruption in the middle leaves what was fetched before and nothing
// else, and that the next run goes on there.
func TestMirrorIsInterrupted(t *testing.T) {
	pins := pinned(t)
	net := chartstest.Publish(t, pins...)
	m := charts.Mirror{Dir: t.TempDir()}
	ctx, interrupt := context.WithCancel(t.Context())
	released := make(chan struct{})
	net.During(func(path string) {
		if strings.HasSuffix(path, "gitlab-runner-0.89.1.tgz") {
			interrupt()
			<-released
		}
	})
	err := m.Fill(ctx, charts.Fetch{Pins: pins, Transport: net.Transport()})
	close(released)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "chart gitlab-runner 0.89.1")
	require.NoError(t, m.Check())
	left := filesIn(t, m.Dir)
	require.Contains(t, left, "index.json")
	for _, name := range left {
		require.True(t, name == "index.json" || strings.HasSuffix(name, ".tgz"), "half of something: %s", name)
		require.NotContains(t, name, "gitlab-runner")
	}

	// What a kill leaves, as nothing of a program can tidy up after that.
	half := filepath.Join(m.Dir, "charts.gitlab.io", "gitlab-runner-0.89.1.tgz.tmp")
	require.NoError(t, os.MkdirAll(filepath.Dir(half), 0o700))
	require.NoError(t, os.WriteFile(half, []byte("half"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(m.Dir, ".scratch", "repository"), 0o700))
	net.Break(nil, "charts.gitlab.io")
	require.ErrorContains(t, m.Fill(t.Context(), charts.Fetch{Pins: pins, Transport: net.Transport()}), "1 of 8 charts")
	require.NoFileExists(t, half)
	require.NoDirExists(t, filepath.Join(m.Dir, ".scratch"))

	net.Break(nil)
	require.NoError(t, m.Fill(t.Context(), charts.Fetch{Pins: pins, Transport: net.Transport()}))
	require.NoError(t, m.Check())
}

// Proves that the stacks are given the mirror's charts of the operator, and stubs again
// when they are gone, with nothing left of the others.
func TestOperatorChartsOfTheMirror(t *testing.T) {
	pins := pinned(t)
	net := chartstest.Publish(t, pins...)
	m := charts.Mirror{Dir: t.TempDir()}
	require.NoError(t, m.Fill(t.Context(), charts.Fetch{Pins: pins, Transport: net.Transport()}))
	dir := t.TempDir()
	for _, step := range []struct {
		mirror charts.Mirror
		stub   bool
	}{{charts.Mirror{}, true}, {m, false}, {charts.Mirror{}, true}} {
		require.NoError(t, charts.Operator(dir, step.mirror))
		for _, name := range []string{"flux-operator", "flux-instance"} {
			chart, err := loader.Load(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Equal(t, name, chart.Name())
			require.Equal(t, step.stub, strings.Contains(chart.Metadata.Description, "STUB"))
			require.Equal(t, !step.stub, len(chart.Templates) == 1 && chart.Templates[0].Name == "templates/all.yaml")
		}
	}
	file := filepath.Join(m.Dir, "ghcr.io", "controlplaneio-fluxcd", "charts", "flux-operator-"+runtimeinfo.OperatorVersion+".tgz")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, charts.Operator(dir, m), file)
}

func sha(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// filesIn lists what lies in a folder, but for the lock.
func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(dir, func(p string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != ".lock" {
			all = append(all, strings.TrimPrefix(p, dir+"/"))
		}
		return err
	}))
	return all
}
