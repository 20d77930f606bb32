package kubernetes

import (
	"context"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

const (
	namespaceType  = "kubernetes:core/v1:Namespace"
	secretType     = "kubernetes:core/v1:Secret"
	configMapType  = "kubernetes:core/v1:ConfigMap"
	serviceType    = "kubernetes:core/v1:Service"
	deploymentType = "kubernetes:apps/v1:Deployment"
	definitionType = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
	widgetType     = "kubernetes:example.com/v1:Widget"
	gadgetType     = "kubernetes:example.com/v1:Gadget"
)

// m and l keep literals of objects short.
type (
	m = map[string]any
	l = []any
)

var unknown = resource.MakeComputed(resource.NewProperty(""))

func urnOf(token, name string) string { return "urn:pulumi:dev::project::" + token + "::" + name }

func properties(t *testing.T, inputs m) *structpb.Struct {
	t.Helper()
	s, err := plugin.Marshal(resource.NewPropertyMapFromMap(inputs))
	require.NoError(t, err)
	return s
}

func unmarshal(t *testing.T, s *structpb.Struct) resource.PropertyMap {
	t.Helper()
	properties, err := plugin.Unmarshal(s)
	require.NoError(t, err)
	return properties
}

func plain(t *testing.T, s *structpb.Struct) m {
	t.Helper()
	result, _ := plugin.PlainMap(unmarshal(t, s))
	return result
}

// at follows keys through objects.
func at(v any, keys ...string) any {
	for _, key := range keys {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

// object is a resource as the engine keeps it.
type object struct {
	urn, id       string
	inputs, state *structpb.Struct
}

func configured(t *testing.T, config m) *Provider {
	t.Helper()
	p := New()
	_, err := p.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: properties(t, config)})
	require.NoError(t, err)
	return p
}

func check(t *testing.T, p *Provider, urn string, olds *structpb.Struct, inputs m) *structpb.Struct {
	t.Helper()
	checked, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, Olds: olds, News: properties(t, inputs)})
	require.NoError(t, err)
	require.Empty(t, checked.GetFailures())
	return checked.GetInputs()
}

// create checks and creates a resource, as an up does.
func create(t *testing.T, p *Provider, token, name string, inputs m) *object {
	t.Helper()
	o, err := tryCreate(t, p, token, name, inputs)
	require.NoError(t, err)
	return o
}

func tryCreate(t *testing.T, p *Provider, token, name string, inputs m) (*object, error) {
	t.Helper()
	urn := urnOf(token, name)
	checked := check(t, p, urn, nil, inputs)
	created, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: checked})
	return &object{urn: urn, id: created.GetId(), inputs: checked, state: created.GetProperties()}, err
}

func diff(t *testing.T, p *Provider, o *object, inputs m) *pulumirpc.DiffResponse {
	t.Helper()
	d, err := p.Diff(t.Context(), &pulumirpc.DiffRequest{
		Id: o.id, Urn: o.urn, Olds: o.state, OldInputs: o.inputs, News: check(t, p, o.urn, o.inputs, inputs),
	})
	require.NoError(t, err)
	return d
}

func update(t *testing.T, p *Provider, o *object, inputs m) (*object, error) {
	t.Helper()
	news := check(t, p, o.urn, o.inputs, inputs)
	updated, err := p.Update(t.Context(), &pulumirpc.UpdateRequest{
		Id: o.id, Urn: o.urn, Olds: o.state, OldInputs: o.inputs, News: news,
	})
	return &object{urn: o.urn, id: o.id, inputs: news, state: updated.GetProperties()}, err
}

// refresh reads a resource; nil when it is gone.
func refresh(t *testing.T, p *Provider, o *object) *object {
	t.Helper()
	read, err := p.Read(t.Context(), &pulumirpc.ReadRequest{Id: o.id, Urn: o.urn, Properties: o.state, Inputs: o.inputs})
	require.NoError(t, err)
	if read.GetId() == "" {
		return nil
	}
	return &object{urn: o.urn, id: read.GetId(), inputs: read.GetInputs(), state: read.GetProperties()}
}

func remove(ctx context.Context, p *Provider, o *object) error {
	_, err := p.Delete(ctx, &pulumirpc.DeleteRequest{Id: o.id, Urn: o.urn, Properties: o.state, OldInputs: o.inputs})
	return err
}

// with returns the inputs with some changed; nil removes one.
func with(inputs, changes m) m {
	result := maps.Clone(inputs)
	for k, v := range changes {
		if v == nil {
			delete(result, k)
			continue
		}
		result[k] = v
	}
	return result
}

// engine hears what a provider logs.
type engine struct {
	pulumirpc.UnimplementedEngineServer
	mu       sync.Mutex
	messages []string
}

func (e *engine) Log(_ context.Context, req *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.messages = append(e.messages, req.GetSeverity().String()+" "+req.GetMessage())
	return &emptypb.Empty{}, nil
}

func (e *engine) heard() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.messages, "\n")
}

// listen attaches a provider to an engine that hears it.
func listen(t *testing.T, p *Provider) *engine {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e, server := &engine{}, grpc.NewServer()
	pulumirpc.RegisterEngineServer(server, e)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	_, err = p.Attach(t.Context(), &pulumirpc.PluginAttach{Address: listener.Addr().String()})
	require.NoError(t, err)
	return e
}
