package account

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const testRegion = "eu-central-1"

// planes is a set of control planes that exist in memory only.
type planes struct {
	mu      sync.Mutex
	running map[string]string // name -> version
	fail    error
	block   chan struct{} // where set, Start, Upgrade and Stop wait for it or for their context
}

func newPlanes() *planes { return &planes{running: map[string]string{}} }

func (p *planes) wait(ctx context.Context) error {
	p.mu.Lock()
	block, fail := p.block, p.fail
	p.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fail
}

func (p *planes) Start(ctx context.Context, c Cluster) (Endpoint, error) {
	if err := p.wait(ctx); err != nil {
		return Endpoint{}, err
	}
	return p.set(c.Name, c.Version), nil
}

func (p *planes) Upgrade(ctx context.Context, name, version string) (Endpoint, error) {
	if err := p.wait(ctx); err != nil {
		return Endpoint{}, err
	}
	return p.set(name, version), nil
}

func (p *planes) Stop(_ context.Context, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, name)
	return nil
}

func (p *planes) set(name, version string) Endpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[name] = version
	return Endpoint{URL: "https://127.0.0.1:6443", CAData: "Q0E=", Issuer: "https://127.0.0.1:6443/oidc/" + name, ActualVersion: version + ".3"}
}

// world is an account under test with short ways to do things in it.
type world struct {
	t  *testing.T
	a  *Account
	cp *planes
	n  int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cp := newPlanes()
	a, err := Open(t.TempDir(), cp, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return &world{t: t, a: a, cp: cp}
}

type m = map[string]any

func l(items ...any) []any { return append([]any{}, items...) }

// try checks inputs as the provider does and creates the object.
func (w *world) try(typ string, inputs m) (*Object, error) {
	w.t.Helper()
	return w.tryIn(testRegion, typ, inputs)
}

func (w *world) tryIn(region, typ string, inputs m) (*Object, error) {
	w.t.Helper()
	t, err := Lookup(typ)
	require.NoError(w.t, err)
	w.n++
	checked, failures := t.Check(nil, inputs, fmt.Sprintf("thing%d", w.n), []byte("seed"))
	if len(failures) > 0 {
		return nil, fmt.Errorf("check: %s: %s", failures[0].Property, failures[0].Reason)
	}
	id, outputs, err := w.a.Create(context.Background(), CreateRequest{Type: typ, URN: fmt.Sprintf("urn:%d", w.n), Region: region, Inputs: checked})
	if err != nil {
		return nil, err
	}
	return &Object{Type: typ, ID: id, Region: region, Inputs: checked, Outputs: outputs}, nil
}

func (w *world) create(typ string, inputs m) *Object {
	w.t.Helper()
	o, err := w.try(typ, inputs)
	require.NoError(w.t, err)
	return o
}

// update changes some inputs; nil takes one away.
func (w *world) update(o *Object, changes m) error {
	w.t.Helper()
	t, err := Lookup(o.Type)
	require.NoError(w.t, err)
	inputs := cloneMap(o.Inputs)
	for k, v := range changes {
		inputs[k] = v
	}
	checked, failures := t.Check(o.Inputs, inputs, "thing", []byte("seed"))
	if len(failures) > 0 {
		return fmt.Errorf("check: %s: %s", failures[0].Property, failures[0].Reason)
	}
	if ignored := o.Inputs[defaultsKey]; ignored != nil {
		checked[defaultsKey] = ignored
	}
	outputs, err := w.a.Update(context.Background(), o.Type, o.ID, checked)
	if err != nil {
		return err
	}
	o.Inputs, o.Outputs = checked, outputs
	return nil
}

func (w *world) delete(o *Object) error {
	w.t.Helper()
	return w.a.Delete(context.Background(), o.Type, o.ID)
}

func (w *world) read(o *Object) *Object {
	w.t.Helper()
	current, err := w.a.Read(context.Background(), o.Type, o.ID)
	require.NoError(w.t, err)
	return current
}

// refused checks that an error is AWS's refusal with a code.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	var refusal *Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, code, refusal.Code, refusal.Message)
	require.False(t, refusal.NotFound, "a refusal must not look like an object that is gone")
}

func gone(t *testing.T, err error) {
	t.Helper()
	require.True(t, errors.Is(err, ErrNotFound), "expected ErrNotFound, got %v", err)
}

func (w *world) vpc(cidr string) *Object {
	w.t.Helper()
	return w.create(typeVPC, m{"cidrBlock": cidr, "enableDnsHostnames": true})
}

func (w *world) subnet(vpc *Object, cidr, zone string) *Object {
	w.t.Helper()
	return w.create(typeSubnet, m{"vpcId": vpc.ID, "cidrBlock": cidr, "availabilityZone": testRegion + zone})
}
