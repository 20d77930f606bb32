package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/downloader"
	"helm.sh/helm/v3/pkg/getter"
	"helm.sh/helm/v3/pkg/registry"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientapi "k8s.io/client-go/tools/clientcmd/api"
)

// rendered is what a chart makes of its values.
type rendered struct {
	manifest string
	// hooks are the objects that Helm would run around an installation.
	hooks      []string
	deprecated bool
}

// render does what `helm template --dry-run=server` does: it renders the chart here, for
// the version and kinds of the cluster c, in which templates may look objects up. Without
// a cluster it takes Helm's own defaults.
func render(ctx context.Context, args chartArgs, c *cluster) (rendered, error) {
	settings := cli.New()
	config := &action.Configuration{Log: func(string, ...any) {}}
	install := action.NewInstall(config)
	install.ReleaseName, install.Namespace = args.name, args.namespace
	install.DryRun, install.DryRunOption = true, "client"
	install.ClientOnly, install.Replace = true, true
	install.DisableHooks, install.DisableOpenAPIValidation = true, true
	install.IncludeCRDs = !args.skipCRDs
	install.Version, install.Devel = args.version, args.devel
	if install.Version == "" && args.devel {
		install.Version = ">0.0.0-0"
	}
	install.PlainHTTP = args.plainHTTP
	install.RepoURL = args.repository.repo
	install.Username, install.Password = args.repository.username, args.repository.password
	install.CaFile, install.CertFile, install.KeyFile = args.repository.caFile, args.repository.certFile, args.repository.keyFile
	if c != nil {
		if err := c.describe(install); err != nil {
			return rendered{}, err
		}
		config.RESTClientGetter = restGetter{c}
		install.DryRunOption = "server"
	}

	client, err := registryClient(settings, args)
	if err != nil {
		return rendered{}, err
	}
	install.SetRegistryClient(client)
	path, err := install.LocateChart(args.chart, settings)
	if err != nil {
		return rendered{}, fmt.Errorf("chart %q cannot be found%s: %w. A path is taken from the folder of the program; "+
			"a chart of a repository needs a way to it, which a sandbox on loopback does not have", args.chart, args.repository.where(), err)
	}
	loaded, err := loadChart(path, args, settings, client)
	if err != nil {
		return rendered{}, fmt.Errorf("chart %q: %w", args.chart, err)
	}
	release, err := install.RunWithContext(ctx, loaded, args.values)
	if err != nil {
		return rendered{}, fmt.Errorf("chart %q cannot be rendered: %w", args.chart, err)
	}
	result := rendered{manifest: release.Manifest, deprecated: loaded.Metadata.Deprecated}
	for _, hook := range release.Hooks {
		result.hooks = append(result.hooks, hook.Kind+" "+hook.Name)
	}
	slices.Sort(result.hooks)
	return result, nil
}

func (r repositoryOpts) where() string {
	if r.repo == "" {
		return ""
	}
	return fmt.Sprintf(" in %q", r.repo)
}

// registryClient is the client for oci:// charts.
func registryClient(settings *cli.EnvSettings, args chartArgs) (*registry.Client, error) {
	options := []registry.ClientOption{
		registry.ClientOptCredentialsFile(settings.RegistryConfig),
		registry.ClientOptWriter(io.Discard),
	}
	if args.plainHTTP {
		options = append(options, registry.ClientOptPlainHTTP())
	}
	if r := args.repository; r.caFile != "" || r.certFile != "" {
		config, err := clientTLS(r)
		if err != nil {
			return nil, fmt.Errorf("repositoryOpts: %w", err)
		}
		options = append(options, registry.ClientOptHTTPClient(&http.Client{
			Transport: &http.Transport{TLSClientConfig: config, Proxy: http.ProxyFromEnvironment},
		}))
	}
	if r := args.repository; r.username != "" {
		options = append(options, registry.ClientOptBasicAuth(r.username, r.password))
	}
	return registry.NewClient(options...)
}

// loadChart reads a chart and makes sure that its dependencies are there.
func loadChart(path string, args chartArgs, settings *cli.EnvSettings, client *registry.Client) (*chart.Chart, error) {
	loaded, err := loader.Load(path)
	if err != nil {
		return nil, err
	}
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return nil, fmt.Errorf("is a %s chart: only application charts can be installed", kind)
	}
	if len(loaded.Metadata.Dependencies) == 0 {
		return loaded, nil
	}
	missing := action.CheckDependencies(loaded, loaded.Metadata.Dependencies)
	if missing == nil {
		return loaded, nil
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() || !args.dependencyUpdate && loaded.Lock == nil {
		return nil, fmt.Errorf("%w: run `helm dependency build` on it, or set dependencyUpdate", missing)
	}
	manager := &downloader.Manager{
		Out: io.Discard, ChartPath: path, Getters: getter.All(settings), RegistryClient: client,
		RepositoryConfig: settings.RepositoryConfig, RepositoryCache: settings.RepositoryCache,
	}
	get := manager.Build
	if args.dependencyUpdate {
		get = manager.Update
	}
	if err := get(); err != nil {
		return nil, fmt.Errorf("its dependencies cannot be fetched: %w", errors.Join(missing, err))
	}
	return loader.Load(path)
}

// describe tells Helm the cluster's version and kinds.
func (c *cluster) describe(install *action.Install) error {
	version, err := c.discovery.ServerVersion()
	if err != nil {
		return fmt.Errorf("the cluster does not say its version: %w", err)
	}
	install.KubeVersion = &chartutil.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor}
	kinds, err := action.GetVersionSet(c.discovery)
	// An aggregated API whose server is down does not hide the others.
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return fmt.Errorf("the cluster does not say its kinds: %w", err)
	}
	install.APIVersions = kinds
	return nil
}

// restGetter gives Helm the connection that this provider has.
type restGetter struct{ c *cluster }

func (g restGetter) ToRESTConfig() (*rest.Config, error) { return g.c.config, nil }

func (g restGetter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.c.discovery, nil
}

func (g restGetter) ToRESTMapper() (meta.RESTMapper, error) { return g.c.mapper, nil }

func (g restGetter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	return clientcmd.NewDefaultClientConfig(*clientapi.NewConfig(), nil)
}
