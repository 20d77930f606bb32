package awsprovider

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/accountapi"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

const (
	vpc    = "aws:ec2/vpc:Vpc"
	subnet = "aws:ec2/subnet:Subnet"
	role   = "aws:iam/role:Role"
	region = "eu-central-1"

	trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

type m = map[string]any

func urnOf(token string) string { return "urn:pulumi:dev::project::" + token + "::thing" }

func unknown() resource.PropertyValue { return resource.MakeComputed(resource.NewProperty("")) }

func secret(v any) resource.PropertyValue { return resource.MakeSecret(resource.NewPropertyValue(v)) }

func properties(t *testing.T, values m) *structpb.Struct {
	t.Helper()
	s, err := plugin.Marshal(resource.NewPropertyMapFromMap(values))
	require.NoError(t, err)
	return s
}

func propertyMap(t *testing.T, s *structpb.Struct) resource.PropertyMap {
	t.Helper()
	properties, err := plugin.Unmarshal(s)
	require.NoError(t, err)
	return properties
}

// plain returns properties with secrets opened and unknown values as account.Unknown.
func plain(t *testing.T, s *structpb.Struct) m {
	t.Helper()
	return toAccount(propertyMap(t, s))
}

// world is an account with a provider for it.
type world struct {
	t       *testing.T
	account *account.Account
	client  *accountapi.Client
	*Provider
}

func newWorld(t *testing.T, cp account.ControlPlanes) *world {
	t.Helper()
	a, err := account.Open(t.TempDir(), cp, account.Options{})
	require.NoError(t, err)
	server := httptest.NewServer(accountapi.Handler(a, "token"))
	t.Cleanup(func() {
		a.Faults().Clear()
		server.Close()
		require.NoError(t, a.Close())
	})
	client, err := accountapi.NewClient(accountapi.Connection{URL: server.URL, Token: "token"})
	require.NoError(t, err)
	w := &world{t: t, account: a, client: client}
	w.Provider = w.provider(region)
	return w
}

// provider returns another provider instance for the account.
func (w *world) provider(region string) *Provider {
	w.t.Helper()
	p := New(func() (*accountapi.Client, error) { return w.client, nil })
	p.backoff = func(int) time.Duration { return time.Nanosecond }
	_, err := p.Configure(w.t.Context(), &pulumirpc.ConfigureRequest{Args: properties(w.t, m{"region": region})})
	require.NoError(w.t, err)
	return p
}

// object is a resource as the engine keeps it.
type object struct {
	token, id     string
	inputs, state *structpb.Struct
}

func (w *world) check(token string, inputs m) *structpb.Struct {
	w.t.Helper()
	checked, err := w.Check(w.t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(token), News: properties(w.t, inputs), RandomSeed: []byte("seed")})
	require.NoError(w.t, err)
	require.Empty(w.t, checked.GetFailures())
	return checked.GetInputs()
}

// create checks and creates a resource, as an up does.
func (w *world) create(token string, inputs m) *object {
	w.t.Helper()
	checked := w.check(token, inputs)
	created, err := w.Create(w.t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(token), Properties: checked})
	require.NoError(w.t, err)
	return &object{token: token, id: created.GetId(), inputs: checked, state: created.GetProperties()}
}

func (w *world) createAsync(ctx context.Context, token string, inputs m, timeout float64) <-chan error {
	w.t.Helper()
	checked := w.check(token, inputs)
	done := make(chan error, 1)
	go func() {
		_, err := w.Create(ctx, &pulumirpc.CreateRequest{Urn: urnOf(token), Properties: checked, Timeout: timeout})
		done <- err
	}()
	return done
}

// diff compares a resource with new inputs of the program.
func (w *world) diff(o *object, inputs m, ignore ...string) *pulumirpc.DiffResponse {
	w.t.Helper()
	d, err := w.Diff(w.t.Context(), &pulumirpc.DiffRequest{
		Id: o.id, Urn: urnOf(o.token), Olds: o.state, OldInputs: o.inputs, News: w.check(o.token, inputs), IgnoreChanges: ignore,
	})
	require.NoError(w.t, err)
	return d
}

func (w *world) update(o *object, inputs m) (*pulumirpc.UpdateResponse, error) {
	w.t.Helper()
	return w.Update(w.t.Context(), &pulumirpc.UpdateRequest{
		Id: o.id, Urn: urnOf(o.token), Olds: o.state, OldInputs: o.inputs, News: w.check(o.token, inputs),
	})
}

func (w *world) delete(o *object) error {
	w.t.Helper()
	_, err := w.Delete(w.t.Context(), &pulumirpc.DeleteRequest{Id: o.id, Urn: urnOf(o.token), Properties: o.state, OldInputs: o.inputs})
	return err
}

func (w *world) refresh(p *Provider, o *object) *pulumirpc.ReadResponse {
	w.t.Helper()
	read, err := p.Read(w.t.Context(), &pulumirpc.ReadRequest{Id: o.id, Urn: urnOf(o.token), Properties: o.state, Inputs: o.inputs})
	require.NoError(w.t, err)
	return read
}

func (w *world) fault(fault account.Fault) {
	w.t.Helper()
	require.NoError(w.t, w.account.Faults().Set(fault))
}

func ends(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the call did not end")
		return nil
	}
}
