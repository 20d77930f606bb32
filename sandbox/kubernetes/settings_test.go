package kubernetes

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// The engine compares the plugin's version with the SDK's.
func TestVersionIsTheSDKs(t *testing.T) {
	module, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	pinned := regexp.MustCompile(`pulumi-kubernetes/sdk/v4 v(\S+)`).FindSubmatch(module)
	require.NotNil(t, pinned)
	require.Equal(t, string(pinned[1]), Version)
}

// kubeconfigFor is a kubeconfig whose cluster is at a server, named by its context.
func kubeconfigFor(server, token string) string {
	return strings.NewReplacer("SERVER", server, "TOKEN", token).Replace(`apiVersion: v1
kind: Config
current-context: here
clusters: [{name: c, cluster: {server: "SERVER"}}, {name: other, cluster: {server: "https://other.invalid"}}]
contexts: [{name: here, context: {cluster: c, user: u, namespace: from-context}}, {name: there, context: {cluster: other, user: u}}]
users: [{name: u, user: {token: TOKEN}}]
`)
}

// nobody is an address where nothing listens.
const nobody = "https://127.0.0.1:1"

func TestCheckConfigRefuses(t *testing.T) {
	for _, c := range []struct {
		name, key string
		value     any
		want      string
	}{
		{"unknown key", "kubeConfig", "x", "unknown key: expected one of cluster, clusterIdentifier, context"},
		{"not modelled", "renderYamlToDirectory", "out", "is not modelled by the sandbox's provider"},
		{"client-side apply", "enableServerSideApply", "false", "on the server's side only: expected true"},
		{"skipping", "skipUpdateUnreachable", true, "not modelled by the sandbox's provider: expected false"},
		{"no flag", "deleteUnreachable", "yes", "expected true or false, got yes"},
		{"no text", "namespace", 1.0, "expected a text, got float64"},
		{"client settings", "kubeClientSettings", `{"bursts":1}`, `unknown field "bursts"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			inputs := properties(t, m{c.key: c.value})
			checked, err := New().CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: inputs})
			require.NoError(t, err)
			require.Len(t, checked.GetFailures(), 1)
			require.Equal(t, c.key, checked.GetFailures()[0].GetProperty())
			require.Contains(t, checked.GetFailures()[0].GetReason(), c.want)
			_, err = New().Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: inputs})
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestCheckConfigKeepsTheKubeconfigSecret(t *testing.T) {
	for _, kubeconfig := range []resource.PropertyValue{resource.NewProperty("k"), unknown, resource.MakeSecret(resource.NewProperty("k"))} {
		news, err := plugin.Marshal(resource.PropertyMap{
			"kubeconfig": kubeconfig, "clusterIdentifier": unknown, "enableServerSideApply": resource.NewProperty("true"),
			"kubeClientSettings": resource.NewProperty(`{"burst":10,"qps":5.5,"timeout":3}`),
		})
		require.NoError(t, err)
		checked, err := New().CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: news})
		require.NoError(t, err)
		require.Empty(t, checked.GetFailures())
		require.True(t, unmarshal(t, checked.GetInputs())["kubeconfig"].IsSecret())
	}
}

func TestDiffConfig(t *testing.T) {
	here, moved := kubeconfigFor("https://a.invalid", "t"), kubeconfigFor("https://b.invalid", "t")
	for _, c := range []struct {
		name       string
		olds, news resource.PropertyMap
		diffs      []string
		replaces   []string
	}{
		{name: "nothing", olds: texts("kubeconfig", here), news: texts("kubeconfig", here)},
		{"another token", texts("kubeconfig", here), texts("kubeconfig", kubeconfigFor("https://a.invalid", "u")), []string{"kubeconfig"}, nil},
		{"another server", texts("kubeconfig", here), texts("kubeconfig", moved), []string{"kubeconfig"}, []string{"kubeconfig"}},
		{"another context", texts("kubeconfig", here), texts("kubeconfig", here, "context", "there"), []string{"context"}, []string{"context"}},
		{"another server, same cluster", texts("kubeconfig", here, clusterIdentifier, "arn"), texts("kubeconfig", moved, clusterIdentifier, "arn"), []string{"kubeconfig"}, nil},
		{"another cluster", texts("kubeconfig", here, clusterIdentifier, "arn"), texts("kubeconfig", here, clusterIdentifier, "other"), []string{"clusterIdentifier"}, []string{"clusterIdentifier"}},
		{"identifier added", texts("kubeconfig", here), texts("kubeconfig", here, clusterIdentifier, "arn"), []string{"clusterIdentifier"}, nil},
		{"unknown kubeconfig", texts("kubeconfig", here), resource.PropertyMap{"kubeconfig": unknown}, []string{"kubeconfig"}, []string{"kubeconfig"}},
		{"unknown kubeconfig, same cluster", texts("kubeconfig", here, clusterIdentifier, "arn"),
			resource.PropertyMap{"kubeconfig": unknown, clusterIdentifier: resource.NewProperty("arn")}, []string{"kubeconfig"}, nil},
		{"now secret", texts("kubeconfig", here), resource.PropertyMap{"kubeconfig": resource.MakeSecret(resource.NewProperty(here))}, nil, nil},
		{"namespace", texts("namespace", "a"), texts("namespace", "b"), []string{"namespace"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			olds, err := plugin.Marshal(c.olds)
			require.NoError(t, err)
			news, err := plugin.Marshal(c.news)
			require.NoError(t, err)
			d, err := New().DiffConfig(t.Context(), &pulumirpc.DiffRequest{OldInputs: olds, News: news})
			require.NoError(t, err)
			require.ElementsMatch(t, c.diffs, d.GetDiffs())
			require.ElementsMatch(t, c.replaces, d.GetReplaces())
		})
	}
}

func texts(pairs ...string) resource.PropertyMap {
	result := resource.PropertyMap{}
	for i := 0; i < len(pairs); i += 2 {
		result[resource.PropertyKey(pairs[i])] = resource.NewProperty(pairs[i+1])
	}
	return result
}

func TestKubeconfig(t *testing.T) {
	contents := kubeconfigFor("https://a.invalid", "t")
	path := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(path, []byte(contents), 0o600))
	t.Run("contents and path", func(t *testing.T) {
		for _, given := range []string{contents, path} {
			c, err := newCluster(settings{kubeconfig: given}, nil)
			require.NoError(t, err)
			require.Equal(t, "https://a.invalid", c.config.Host)
			require.Equal(t, "from-context", defaultNamespace(settings{kubeconfig: given}))
		}
	})
	t.Run("context, cluster and namespace of the settings", func(t *testing.T) {
		c, err := newCluster(settings{kubeconfig: contents, context: "there"}, nil)
		require.NoError(t, err)
		require.Equal(t, "https://other.invalid", c.config.Host)
		c, err = newCluster(settings{kubeconfig: contents, cluster: "other"}, nil)
		require.NoError(t, err)
		require.Equal(t, "https://other.invalid", c.config.Host)
		require.Equal(t, "mine", defaultNamespace(settings{kubeconfig: contents, namespace: "mine"}))
		require.Equal(t, "default", defaultNamespace(settings{}))
	})
	for _, c := range []struct{ name, kubeconfig, want string }{
		{"none", "", "set the provider's kubeconfig"},
		{"no file", filepath.Join(t.TempDir(), "missing"), "no file"},
		{"broken", "{secret-token", "expected YAML or JSON of kind Config"},
		{"empty", "apiVersion: v1\nkind: Config\n", "names no cluster"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := newCluster(settings{kubeconfig: c.kubeconfig}, nil)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "secret-token")
		})
	}
	t.Run("the person's own kubeconfig is not used", func(t *testing.T) {
		t.Setenv("KUBECONFIG", path)
		_, err := newCluster(settings{}, nil)
		require.ErrorIs(t, err, errNoKubeconfig)
	})
}

func TestSettingsFromTheEnvironment(t *testing.T) {
	t.Setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
	require.True(t, settingsOf(nil).deleteUnreachable)
	require.False(t, settingsOf(texts("deleteUnreachable", "false")).deleteUnreachable)
}
