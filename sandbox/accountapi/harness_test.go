package accountapi

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

const (
	token     = "the-token"
	region    = "eu-central-1"
	vpcType   = "aws:ec2/vpc:Vpc"
	subnet    = "aws:ec2/subnet:Subnet"
	vpcURN    = "urn:pulumi:dev::project::aws:ec2/vpc:Vpc::main"
	subnetURN = "urn:pulumi:dev::project::aws:ec2/subnet:Subnet::a"
)

// world is an account that is served, with a client of it.
type world struct {
	t       *testing.T
	account *account.Account
	server  *httptest.Server
	client  *Client
}

func newWorld(t *testing.T, cp account.ControlPlanes) *world {
	t.Helper()
	a, err := account.Open(t.TempDir(), cp, account.Options{})
	require.NoError(t, err)
	server := httptest.NewServer(Handler(a, token))
	t.Cleanup(func() {
		a.Faults().Clear()
		server.Close()
		require.NoError(t, a.Close())
	})
	w := &world{t: t, account: a, server: server}
	w.client = w.another()
	return w
}

// another returns a client with connections of its own, as another process has.
func (w *world) another() *Client {
	w.t.Helper()
	c, err := NewClient(Connection{URL: w.server.URL, Token: token})
	require.NoError(w.t, err)
	return c
}

func (w *world) vpc() string {
	w.t.Helper()
	id, _, err := w.client.Create(w.t.Context(), vpc())
	require.NoError(w.t, err)
	return id
}

func vpc() account.CreateRequest {
	return account.CreateRequest{Type: vpcType, URN: vpcURN, Region: region, Inputs: map[string]any{"cidrBlock": "10.0.0.0/16"}}
}

func hang(op account.Op) account.Fault {
	return account.Fault{Type: vpcType, Op: op, Mode: account.Hang}
}

// background starts a call and returns the channel on which its error arrives.
func background(call func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	return done
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

func withCancel(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}
