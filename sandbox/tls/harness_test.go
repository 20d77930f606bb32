package tls

import (
	"maps"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

const (
	privateKey        = "tls:index/privateKey:PrivateKey"
	certRequest       = "tls:index/certRequest:CertRequest"
	selfSignedCert    = "tls:index/selfSignedCert:SelfSignedCert"
	locallySignedCert = "tls:index/locallySignedCert:LocallySignedCert"
)

func urnOf(token string) string { return "urn:pulumi:dev::project::" + token + "::thing" }

func properties(t *testing.T, m map[string]any) *structpb.Struct {
	t.Helper()
	s, err := plugin.Marshal(resource.NewPropertyMapFromMap(m))
	require.NoError(t, err)
	return s
}

// object is a resource as the engine keeps it.
type object struct {
	token, id string
	inputs    *structpb.Struct
	state     *structpb.Struct
}

// text returns an output, with secrets opened.
func (o *object) text(t *testing.T, name string) string {
	t.Helper()
	s, _ := o.plain(t)[name].(string)
	return s
}

func (o *object) plain(t *testing.T) map[string]any {
	t.Helper()
	m, err := plugin.Unmarshal(o.state)
	require.NoError(t, err)
	plain, known := plugin.PlainMap(m)
	require.True(t, known)
	return plain
}

// create checks and creates a resource, as an up does.
func create(t *testing.T, p *Provider, token string, inputs map[string]any) *object {
	t.Helper()
	checked, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(token), News: properties(t, inputs)})
	require.NoError(t, err)
	require.Empty(t, checked.GetFailures())
	created, err := p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(token), Properties: checked.GetInputs()})
	require.NoError(t, err)
	return &object{token: token, id: created.GetId(), inputs: checked.GetInputs(), state: created.GetProperties()}
}

// diff compares a resource with new inputs.
func diff(t *testing.T, p *Provider, o *object, inputs map[string]any) *pulumirpc.DiffResponse {
	t.Helper()
	d, err := p.Diff(t.Context(), &pulumirpc.DiffRequest{
		Id: o.id, Urn: urnOf(o.token), Olds: o.state, OldInputs: o.inputs, News: properties(t, inputs),
	})
	require.NoError(t, err)
	return d
}

// at returns a provider whose clock stands still.
func at(now time.Time) *Provider {
	p := New()
	p.now = func() time.Time { return now }
	return p
}

func key(t *testing.T, p *Provider, algorithm string) string {
	t.Helper()
	return create(t, p, privateKey, map[string]any{"algorithm": algorithm, "ecdsaCurve": "P256"}).text(t, "privateKeyPem")
}

// with returns the inputs with some changed; nil removes one.
func with(inputs map[string]any, changes map[string]any) map[string]any {
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
