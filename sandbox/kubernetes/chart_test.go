package kubernetes

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// monitor is the engine's side of a component's construction: it makes the registered
// objects with a provider, or only notes them when it has none.
type monitor struct {
	pulumirpc.UnimplementedResourceMonitorServer
	provider *Provider

	mu         sync.Mutex
	registered []*pulumirpc.RegisterResourceRequest
	objects    map[string]*object
}

func (s *monitor) SupportsFeature(_ context.Context, req *pulumirpc.SupportsFeatureRequest) (*pulumirpc.SupportsFeatureResponse, error) {
	return &pulumirpc.SupportsFeatureResponse{HasSupport: slices.Contains([]string{"secrets", "resourceReferences", "outputValues"}, req.GetId())}, nil
}

func (s *monitor) RegisterResourceOutputs(context.Context, *pulumirpc.RegisterResourceOutputsRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (s *monitor) RegisterResource(ctx context.Context, req *pulumirpc.RegisterResourceRequest) (*pulumirpc.RegisterResourceResponse, error) {
	urn := urnOf(req.GetType(), req.GetName())
	s.mu.Lock()
	s.registered = append(s.registered, req)
	s.mu.Unlock()
	response := &pulumirpc.RegisterResourceResponse{Urn: urn, Object: req.GetObject()}
	if !req.GetCustom() || s.provider == nil {
		return response, nil
	}
	inputs, err := withoutOutputs(req.GetObject())
	if err != nil {
		return nil, err
	}
	checked, err := s.provider.Check(ctx, &pulumirpc.CheckRequest{Urn: urn, News: inputs})
	if err != nil {
		return nil, err
	}
	if len(checked.GetFailures()) > 0 {
		return nil, fmt.Errorf("%s: %v", urn, checked.GetFailures())
	}
	created, err := s.provider.Create(ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: checked.GetInputs()})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.objects[urn] = &object{urn: urn, id: created.GetId(), inputs: checked.GetInputs(), state: created.GetProperties()}
	s.mu.Unlock()
	response.Id, response.Object = created.GetId(), created.GetProperties()
	return response, nil
}

// withoutOutputs makes plain and secret values of output values, as the engine does.
func withoutOutputs(s *structpb.Struct) (*structpb.Struct, error) {
	properties, err := plugin.Unmarshal(s)
	if err != nil {
		return nil, err
	}
	return plugin.Marshal(properties)
}

// names are the registered resources in their order, without the component.
func (s *monitor) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, req := range s.registered {
		if req.GetCustom() {
			names = append(names, req.GetType()+" "+req.GetName())
		}
	}
	return names
}

func (s *monitor) named(t *testing.T, name string) *pulumirpc.RegisterResourceRequest {
	t.Helper()
	for _, req := range s.registered {
		if req.GetType()+" "+req.GetName() == name {
			return req
		}
	}
	require.Failf(t, "not registered", "%s is not among %v", name, s.names())
	return nil
}

// construct constructs a Chart under a monitor that makes its objects with maker.
func construct(t *testing.T, p, maker *Provider, inputs resource.PropertyMap, preview bool) (*monitor, *engine, error) {
	t.Helper()
	e := listen(t, p)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s, server := &monitor{provider: maker, objects: map[string]*object{}}, grpc.NewServer()
	pulumirpc.RegisterResourceMonitorServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	marshalled, err := plugin.Marshal(inputs)
	require.NoError(t, err)
	_, err = p.Construct(t.Context(), &pulumirpc.ConstructRequest{
		Project: "project", Stack: "dev", Type: chartType, Name: "release", Inputs: marshalled,
		MonitorEndpoint: listener.Addr().String(), DryRun: preview, Parallel: 4,
		InputDependencies: map[string]*pulumirpc.ConstructRequest_PropertyDependencies{
			"values": {Urns: []string{urnOf(secretType, "before")}},
		},
	})
	return s, e, err
}

func chartInputs(changes m) resource.PropertyMap {
	return resource.NewPropertyMapFromMap(with(m{"chart": "testdata/shop", "namespace": "shop", "values": m{"greeting": "hi"}}, changes))
}

const (
	widgetOfChart   = "kubernetes:shop.example.com/v1:Widget release:shop/release-widget"
	crdOfChart      = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition release:widgets.shop.example.com"
	configOfChart   = "kubernetes:core/v1:ConfigMap release:shop/release"
	secretOfChart   = "kubernetes:core/v1:Secret release:shop/release"
	extraOfChart    = "kubernetes:core/v1:Namespace release:release-extra"
	accountOfChart  = "kubernetes:core/v1:ServiceAccount release:release-extra/release"
	clusterRoleName = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole release:release"
)

func TestChartRegistersItsObjects(t *testing.T) {
	s, e, err := construct(t, offline(t), nil, chartInputs(nil), true)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{widgetOfChart, crdOfChart, configOfChart, secretOfChart, extraOfChart, accountOfChart, clusterRoleName}, s.names())
	for _, req := range s.registered[1:] {
		require.Equal(t, urnOf(chartType, "release"), req.GetParent())
		require.Equal(t, Version, req.GetVersion())
	}
	require.Contains(t, s.named(t, widgetOfChart).GetDependencies(), urnOf(definitionType, "release:widgets.shop.example.com"))
	require.Contains(t, s.named(t, accountOfChart).GetDependencies(), urnOf(namespaceType, "release:release-extra"))
	require.Contains(t, s.named(t, clusterRoleName).GetDependencies(), urnOf(secretType, "before"), "what the values depend on")
	require.True(t, s.named(t, secretOfChart).GetRetainOnDelete())
	config := plain(t, s.named(t, configOfChart).GetObject())
	require.Equal(t, "hi", at(config, "data", "greeting"))
	require.Equal(t, m{"name": "release", "namespace": "shop", "labels": m{}}, config["metadata"])
	require.True(t, unmarshal(t, s.named(t, secretOfChart).GetObject())["stringData"].ContainsSecrets())
	require.False(t, unmarshal(t, s.named(t, configOfChart).GetObject()).ContainsSecrets())
	require.Contains(t, e.heard(), "INFO the chart's hooks are not run, as the official plugin does not: Job release-migrate")
}

func TestChartNamesAreStable(t *testing.T) {
	var before []string
	for range 3 {
		s, _, err := construct(t, offline(t), nil, chartInputs(nil), true)
		require.NoError(t, err)
		names := s.names()
		slices.Sort(names)
		if before != nil {
			require.Equal(t, before, names)
		}
		before = names
	}
}

func TestChartOptions(t *testing.T) {
	text, err := asset.FromText("greeting: from a file\ncolor: red\n")
	require.NoError(t, err)
	for _, c := range []struct {
		name    string
		changes m
		names   []string
		data    m
	}{
		{name: "release name", changes: m{"name": "other"}, names: []string{"kubernetes:core/v1:ConfigMap release:shop/other"}},
		{name: "prefix", changes: m{"resourcePrefix": "p"}, names: []string{"kubernetes:core/v1:ConfigMap p:shop/release"}},
		{name: "no prefix", changes: m{"resourcePrefix": ""}, names: []string{"kubernetes:core/v1:ConfigMap shop/release"}},
		{name: "the provider's namespace", changes: m{"namespace": nil}, names: []string{"kubernetes:core/v1:ConfigMap release:from-context/release"}},
		{name: "values over files", changes: m{"valueYamlFiles": l{text}}, names: []string{configOfChart}, data: m{"greeting": "hi", "color": "red"}},
		{name: "a null takes a default away", changes: m{"values": m{"color": nil}}, names: []string{configOfChart}, data: m{"color": "none"}},
		{name: "an asset as a value", changes: m{"values": m{"greeting": text}}, names: []string{configOfChart}, data: m{"greeting": text.Text}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, err := construct(t, offline(t), nil, chartInputs(c.changes), true)
			require.NoError(t, err)
			require.Subset(t, s.names(), c.names)
			for key, want := range c.data {
				require.Equal(t, want, at(plain(t, s.named(t, c.names[0]).GetObject()), "data", key))
			}
		})
	}
	t.Run("skipCrds", func(t *testing.T) {
		s, _, err := construct(t, offline(t), nil, chartInputs(m{"skipCrds": true}), true)
		require.NoError(t, err)
		require.NotContains(t, s.names(), crdOfChart)
	})
	t.Run("skipAwait", func(t *testing.T) {
		s, _, err := construct(t, offline(t), nil, chartInputs(m{"skipAwait": true}), true)
		require.NoError(t, err)
		for _, req := range s.registered[1:] {
			require.Equal(t, "true", at(plain(t, req.GetObject()), "metadata", "annotations", annotationSkipAwait), req.GetName())
		}
	})
	t.Run("a secret value makes what is rendered secret", func(t *testing.T) {
		inputs := chartInputs(nil)
		inputs["values"] = resource.NewProperty(resource.PropertyMap{"greeting": resource.MakeSecret(resource.NewProperty("hunter2"))})
		s, _, err := construct(t, offline(t), nil, inputs, true)
		require.NoError(t, err)
		config := unmarshal(t, s.named(t, configOfChart).GetObject())
		require.True(t, config["data"].ContainsSecrets())
		metadata, ok := metadataOf(config)
		require.True(t, ok)
		require.False(t, metadata["name"].ContainsSecrets())
	})
	t.Run("unknown values", func(t *testing.T) {
		inputs := chartInputs(nil)
		inputs["values"] = resource.NewProperty(resource.PropertyMap{"greeting": unknown})
		s, e, err := construct(t, offline(t), nil, inputs, true)
		require.NoError(t, err)
		require.Empty(t, s.names())
		require.Contains(t, e.heard(), "WARNING the preview does not show the chart's objects, because these inputs are not known yet: values")
	})
}

func TestChartRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes m
		want    string
	}{
		{"no chart", m{"chart": nil}, "chart: is required"},
		{"no such path", m{"chart": "./testdata/missing"}, `chart "./testdata/missing" cannot be found`},
		{"no way to it", m{"chart": "shop", "repositoryOpts": m{"repo": "http://127.0.0.1:1"}}, `chart "shop" cannot be found in "http://127.0.0.1:1"`},
		{"no way to a registry", m{"chart": "oci://127.0.0.1:1/charts/shop", "plainHttp": true}, `chart "oci://127.0.0.1:1/charts/shop" cannot be found`},
		{"an unknown input", m{"set": "x"}, "set: unknown input: expected one of chart, dependencyUpdate"},
		{"a wrong type", m{"skipCrds": "yes"}, "skipCrds: expected true or false, got string"},
		{"a wrong text", m{"name": true}, "name: expected a text, got bool"},
		{"a post-renderer", m{"postRenderer": m{"command": "sh"}}, "is not modelled"},
		{"provenance", m{"verify": true}, "provenance is not checked"},
		{"a key of the repository", m{"repositoryOpts": m{"url": "x"}}, `repositoryOpts: unknown key "url"`},
		{"a values file", m{"valueYamlFiles": l{"values.yaml"}}, "valueYamlFiles[0]: expected an asset, got string"},
		{"a template that fails", m{"values": m{"extra": m{"fail": true}}}, `cannot be rendered`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, err := construct(t, offline(t), nil, chartInputs(c.changes), true)
			require.ErrorContains(t, err, "kubernetes:helm.sh/v4:Chart release: ")
			require.ErrorContains(t, err, c.want)
			require.Empty(t, s.names())
		})
	}
	t.Run("an unreachable cluster", func(t *testing.T) {
		_, _, err := construct(t, offline(t), nil, chartInputs(nil), false)
		require.ErrorContains(t, err, "the Kubernetes cluster is unreachable")
	})
	t.Run("another component", func(t *testing.T) {
		_, err := offline(t).Construct(t.Context(), &pulumirpc.ConstructRequest{Type: "kubernetes:yaml/v2:ConfigGroup", Name: "x"})
		require.ErrorContains(t, err, `has no component "kubernetes:yaml/v2:ConfigGroup"`)
	})
}

func TestManifestsThatAreRefused(t *testing.T) {
	for manifest, want := range map[string]string{
		"kind: ConfigMap\nmetadata: {name: x}\n": "without apiVersion or kind",
		"apiVersion: v1\nkind: ConfigMap\n":      "a ConfigMap without metadata.name",
		"a: [":                                   "no YAML",
		"apiVersion: v1\nkind: ConfigMapList\nitems: [x]\n":                                                               "an item that is no object",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {" + annotationDependsOn + ": v1/Secret/x}}\n": "does not follow",
	} {
		_, err := parseManifest(manifest)
		require.ErrorContains(t, err, want, manifest)
	}
	twice := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
	objects, err := parseManifest(twice + "---\n# only a comment\n---\n" + twice)
	require.NoError(t, err)
	require.ErrorContains(t, refuseTwins(objects), `renders ConfigMap "x" twice`)
}

// testChart makes a chart's objects in a real cluster.
func testChart(t *testing.T, c clusterCases) {
	p := c.provider(t, nil)
	c.namespace(t, p, "shop")
	s, _, err := construct(t, p, c.provider(t, nil), chartInputs(nil), false)
	require.NoError(t, err)
	require.Len(t, s.objects, 7)
	data := c.get(t, configMaps, "shop", "release").Object["data"]
	require.Equal(t, "true", at(data, "kind"), "the cluster's kinds")
	require.Equal(t, "1", at(data, "default-account"), "lookup in the cluster")
	for _, o := range s.objects {
		require.Empty(t, diff(t, p, o, plain(t, o.inputs)).GetDiffs(), o.urn)
		after := refresh(t, p, o)
		require.Empty(t, diff(t, p, after, plain(t, o.inputs)).GetDiffs(), "after a refresh: "+o.urn)
	}
	_, err = c.client.Resource(namespaces).Get(c.ctx, "release-extra", metav1.GetOptions{})
	require.NoError(t, err)
}
