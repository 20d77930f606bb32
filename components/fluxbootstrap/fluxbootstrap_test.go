package fluxbootstrap_test

import (
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/fluxbootstrap"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

const (
	componentType = "strongroom:fluxbootstrap:FluxBootstrap"
	secretType    = "kubernetes:core/v1:Secret"
	configMapType = "kubernetes:core/v1:ConfigMap"
	chartType     = "kubernetes:helm.sh/v4:Chart"
	gitType       = "kubernetes:source.toolkit.fluxcd.io/v1:GitRepository"
	syncType      = "kubernetes:kustomize.toolkit.fluxcd.io/v1:Kustomization"
	keyType       = "tls:index/privateKey:PrivateKey"
)

// flux runs a program with a bootstrap of the tooling cluster, as a stack has it.
func flux(change func(*fluxbootstrap.Args)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		cluster, err := kubernetes.NewProvider(ctx, "kubernetes", &kubernetes.ProviderArgs{})
		if err != nil {
			return err
		}
		keys, err := tls.NewProvider(ctx, "tls", &tls.ProviderArgs{})
		if err != nil {
			return err
		}
		args := &fluxbootstrap.Args{
			Cluster: runtimeinfo.Tooling,
			Git: fluxbootstrap.Git{
				URL: "ssh://git@git.example.com/platform/strongroom.git", Branch: "main",
				KnownHosts: "git.example.com " + hostKey,
			},
			RuntimeInfo: map[string]pulumi.StringInput{},
		}
		for name, value := range runtimeinfo.Examples(runtimeinfo.Tooling) {
			args.RuntimeInfo[name] = pulumi.String(value)
		}
		if change != nil {
			change(args)
		}
		f, err := fluxbootstrap.New(ctx, "tooling-flux", args, pulumi.Providers(cluster, keys))
		if err != nil {
			return err
		}
		ctx.Export("deployKey", f.DeployKey)
		return nil
	}
}

func TestFlux(t *testing.T) {
	g := pulumitest.RunBoth(t, flux(nil), pulumitest.Options{})
	g.CheckParents(t)
	g.CheckNames(t)
	g.CheckOutputs(t)
	g.CheckProviders(t, "kubernetes", "tls")
	g.CheckNoPlaintext(t, "simulated private key of tooling-flux-read-key", "simulated private key of tooling-flux-write-key")
	require.Len(t, g.OfType(componentType), 1)
	require.ElementsMatch(t, []string{"tooling-flux-read-key", "tooling-flux-write-key"}, g.Names(keyType))

	// Two identities, each with the pinned host.
	for name, secret := range map[string]string{"tooling-flux-read-secret": "flux-system", "tooling-flux-write-secret": "flux-image-automation"} {
		s := g.Get(t, secretType, name)
		require.Equal(t, secret, object(t, s, "metadata")["name"])
		data := object(t, s, "stringData")
		require.Equal(t, "git.example.com "+hostKey, data["known_hosts"])
		require.Contains(t, data["identity"], "simulated private key")
		require.Contains(t, data["identity.pub"], "simulated public key")
	}
	require.Equal(t, "simulated public key of tooling-flux-read-key", g.Outputs["deployKey"].StringValue())

	// The values that the tree substitutes, all of them.
	info := g.Get(t, configMapType, "tooling-flux-runtime-info")
	require.Equal(t, runtimeinfo.ConfigMap, object(t, info, "metadata")["name"])
	want := map[string]any{}
	for name, value := range runtimeinfo.Examples(runtimeinfo.Tooling) {
		want[name] = value
	}
	require.Equal(t, want, object(t, info, "data"))
}

// Flux is pinned, locked down and pointed at the cluster's folder; a destroy takes
// the tree, then the repository, then Flux, then the operator.
func TestFluxIsPinnedAndGoesInOrder(t *testing.T) {
	g := pulumitest.Run(t, flux(nil), pulumitest.Options{})
	operator := g.Get(t, chartType, "tooling-flux-operator")
	instance := g.Get(t, chartType, "tooling-flux-instance")
	for _, chart := range []*pulumitest.Resource{operator, instance} {
		require.Equal(t, fluxbootstrap.ChartVersion, chart.Get("version"))
		require.Equal(t, "flux-system", chart.Get("namespace"))
	}
	require.Equal(t, fluxbootstrap.DefaultCharts+"/flux-operator", operator.Get("chart"))
	values, ok := object(t, instance, "values")["instance"].(map[string]any)
	require.True(t, ok)
	require.Equal(t, map[string]any{
		"type": "aws", "networkPolicy": true, "multitenant": true, "tenantDefaultServiceAccount": "default",
	}, values["cluster"])
	require.Contains(t, values["components"], "image-automation-controller")
	require.Contains(t, values["components"], "image-reflector-controller")
	distribution, ok := values["distribution"].(map[string]any)
	require.True(t, ok)
	require.Equal(t, fluxbootstrap.FluxVersion, distribution["version"])
	require.NotContains(t, values, "sync")

	repository := g.Get(t, gitType, "tooling-flux-repository")
	require.Equal(t, map[string]any{
		"interval": "1m", "timeout": "60s", "url": "ssh://git@git.example.com/platform/strongroom.git",
		"ref": map[string]any{"branch": "main"}, "secretRef": map[string]any{"name": "flux-system"},
	}, repository.Get("spec"))
	sync := g.Get(t, syncType, "tooling-flux-sync")
	spec := object(t, sync, "spec")
	require.Equal(t, "./gitops/clusters/tooling", spec["path"])
	require.Equal(t, "WaitForTermination", spec["deletionPolicy"])
	require.Equal(t, "kustomize-controller", spec["serviceAccountName"])

	require.True(t, g.DependsOn(sync, repository))
	require.True(t, g.DependsOn(repository, instance))
	require.True(t, g.DependsOn(instance, operator))
	for _, secret := range g.OfType(secretType) {
		require.True(t, g.DependsOn(repository, secret), "%s", secret)
	}
}

// A key that is given is used, stays secret, and its public half comes out.
func TestGivenKey(t *testing.T) {
	private := privateKey(t, "")
	program := flux(func(a *fluxbootstrap.Args) {
		a.Git.PrivateKey = pulumi.ToSecret(pulumi.String(private)).(pulumi.StringOutput)
	})
	g := pulumitest.Run(t, program, pulumitest.Options{})
	require.Equal(t, []string{"tooling-flux-write-key"}, g.Names(keyType))
	g.CheckNoPlaintext(t, private)
	require.Contains(t, g.Outputs["deployKey"].StringValue(), "ssh-ed25519 ")
	require.Equal(t, private, object(t, g.Get(t, secretType, "tooling-flux-read-secret"), "stringData")["identity"])
}

// A key from elsewhere that cannot be used stops the run before Flux would.
func TestGivenKeyWithPassphrase(t *testing.T) {
	for _, given := range []pulumi.StringInput{
		pulumi.String(privateKey(t, "hunter2")), pulumi.ToSecret(pulumi.String(privateKey(t, "hunter2"))).(pulumi.StringOutput),
	} {
		g, err := pulumitest.RunErr(flux(func(a *fluxbootstrap.Args) { a.Git.PrivateKey = given }), pulumitest.Options{})
		require.ErrorContains(t, err, "privateKey: has a passphrase")
		require.Empty(t, g.OfType(syncType))
	}
}

func TestChartsFromAFolder(t *testing.T) {
	g := pulumitest.Run(t, flux(func(a *fluxbootstrap.Args) { a.Charts = "/charts" }), pulumitest.Options{})
	operator := g.Get(t, chartType, "tooling-flux-operator")
	require.Equal(t, "/charts/flux-operator", operator.Get("chart"))
	require.Nil(t, operator.Get("version"))
}

func TestRefused(t *testing.T) {
	for want, change := range map[string]func(*fluxbootstrap.Args){
		"url: begins with https://":                                       func(a *fluxbootstrap.Args) { a.Git.URL = "https://git.example.com/s.git" },
		"url: has no user":                                                func(a *fluxbootstrap.Args) { a.Git.URL = "ssh://git.example.com/s.git" },
		`branch: "" is no name of a branch`:                               func(a *fluxbootstrap.Args) { a.Git.Branch = "" },
		`branch: "a..b" is no name of a branch`:                           func(a *fluxbootstrap.Args) { a.Git.Branch = "a..b" },
		`path: "../gitops" is no folder in the repository`:                func(a *fluxbootstrap.Args) { a.Git.Path = "../gitops" },
		`path: "/gitops" is no folder in the repository`:                  func(a *fluxbootstrap.Args) { a.Git.Path = "/gitops" },
		"knownHosts: is missing":                                          func(a *fluxbootstrap.Args) { a.Git.KnownHosts = " \n" },
		"knownHosts: does not know git.example.com":                       func(a *fluxbootstrap.Args) { a.Git.KnownHosts = "github.com " + hostKey },
		"privateKey: is no private key":                                   func(a *fluxbootstrap.Args) { a.Git.PrivateKey = pulumi.String("x") },
		`charts: "https://example.com" is no place for charts`:            func(a *fluxbootstrap.Args) { a.Charts = "https://example.com" },
		`charts: "/charts/" ends in a slash`:                              func(a *fluxbootstrap.Args) { a.Charts = "/charts/" },
		`runtime info: key "vpc_id" (VPC of the cluster) is missing`:      func(a *fluxbootstrap.Args) { delete(a.RuntimeInfo, "vpc_id") },
		`runtime info: there is no cluster "staging" in gitops/clusters`:  func(a *fluxbootstrap.Args) { a.Cluster = "staging" },
		`runtime info: key "vpc" is unknown to cluster "tooling": add it`: func(a *fluxbootstrap.Args) { a.RuntimeInfo["vpc"] = pulumi.String("x") },
	} {
		t.Run(want, func(t *testing.T) {
			g, err := pulumitest.RunErr(flux(change), pulumitest.Options{})
			require.ErrorContains(t, err, `flux "tooling-flux": `)
			require.ErrorContains(t, err, want)
			require.Empty(t, g.OfType(componentType), "something was made")
		})
	}
	_, err := fluxbootstrap.New(nil, "tooling-flux", nil)
	require.EqualError(t, err, `flux "tooling-flux": the arguments are nil`)
}

// A value that is only known late and that would break the YAML it is put into fails.
func TestLateValueIsChecked(t *testing.T) {
	_, err := pulumitest.RunErr(flux(func(a *fluxbootstrap.Args) {
		a.RuntimeInfo["vpc_id"] = pulumi.String("a: b").ToStringOutput()
	}), pulumitest.Options{})
	require.ErrorContains(t, err, `key "vpc_id" has the value "a: b"`)
}

func object(t *testing.T, r *pulumitest.Resource, input string) map[string]any {
	t.Helper()
	m, ok := r.Get(input).(map[string]any)
	require.True(t, ok, "%s: input %q is %v", r, input, r.Get(input))
	return m
}
