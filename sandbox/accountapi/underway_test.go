package accountapi

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

// killed starts a creation through a connection that the returned function breaks, which
// is what the daemon sees of a provider that was killed.
func (w *world) killed(req account.CreateRequest) (kill func(), done <-chan error) {
	w.t.Helper()
	c := w.another()
	ctx, cancel := withCancel(w.t)
	return cancel, background(func() error {
		return c.call(ctx, pathCreate, map[string][]string{queryURN: {req.URN}},
			createRequest{Type: req.Type, URN: req.URN, Region: req.Region, Inputs: req.Inputs}, nil)
	})
}

// begun waits until a creation has reached the account.
func (w *world) begun() {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := w.another().FindByURN(ctx, vpcURN)
		return err != nil // it waits for the creation
	}, 10*time.Second, time.Millisecond)
}

func TestFindWaitsForACreationUnderWay(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.client.SetFault(t.Context(), hang(account.OpCreate)))
	created := background(func() error { _, _, err := w.client.Create(t.Context(), vpc()); return err })
	w.begun()
	var found []account.Object
	finding := background(func() (err error) { found, err = w.another().FindByURN(t.Context(), vpcURN); return err })

	other, err := w.client.FindByURN(t.Context(), subnetURN)
	require.NoError(t, err, "another resource is not waited for")
	require.Empty(t, other)

	require.NoError(t, w.client.ClearFaults(t.Context()))
	require.NoError(t, ends(t, created))
	require.NoError(t, ends(t, finding))
	require.Len(t, found, 1)
}

func TestCreationOfAKilledClientThatHadNotHappened(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.client.SetFault(t.Context(), hang(account.OpCreate)))
	kill, done := w.killed(vpc())
	w.begun()
	kill()
	require.ErrorIs(t, ends(t, done), context.Canceled)
	found, err := w.client.FindByURN(t.Context(), vpcURN)
	require.NoError(t, err)
	require.Empty(t, found, "nothing was made, and nothing will be")
	require.NoError(t, w.client.ClearFaults(t.Context()))
	require.Empty(t, w.account.Objects())
}

// Whenever a client is killed, looking for what it made tells the truth: what is found
// stays, and what is not found does not come into being later.
func TestKilledClientLeavesNothingUndecided(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 50 {
		kill, done := w.killed(vpc())
		timer := time.AfterFunc(time.Duration(i)*50*time.Microsecond, kill)
		_ = ends(t, done)
		timer.Stop()
		kill()
		found, err := w.client.FindByURN(t.Context(), vpcURN)
		require.NoError(t, err)
		for _, o := range found {
			require.Empty(t, o.State)
			require.NoError(t, w.client.Delete(t.Context(), vpcURN, o.Type, o.ID))
		}
	}
	require.NoError(t, w.client.Ping(t.Context()))
	require.Empty(t, w.account.Objects())
}

func TestCancelledCreationSaysThatItDidNotHappen(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.client.SetFault(t.Context(), hang(account.OpCreate)))
	ctx, cancel := withCancel(t)
	created := background(func() error { _, _, err := w.client.Create(ctx, vpc()); return err })
	w.begun()
	cancel()
	require.ErrorIs(t, ends(t, created), context.Canceled)
	require.Empty(t, w.account.Objects())
}

// A creation that happened although it was told to stop is answered with its ID: a
// client that gave up at once would never know of the object.
func TestCancelledCreationSaysThatItHappened(t *testing.T) {
	ctx, cancel := withCancel(t)
	w := newWorld(t, nil)
	handler := w.server.Config.Handler
	w.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == pathCreate {
			rw = &late{ResponseWriter: rw, before: func() { cancel(); <-ctx.Done() }}
		}
		handler.ServeHTTP(rw, r)
	})
	id, outputs, err := w.client.Create(ctx, vpc())
	require.NoError(t, err)
	require.Error(t, ctx.Err())
	require.NotEmpty(t, outputs["arn"])
	_, err = w.account.Read(t.Context(), vpcType, id)
	require.NoError(t, err)
}

// late does something before the answer is written.
type late struct {
	http.ResponseWriter
	before func()
}

func (l *late) WriteHeader(status int) {
	l.before()
	l.ResponseWriter.WriteHeader(status)
}

// A change that does not stop is given up after a while, with an error that does not
// claim to know what became of it.
func TestChangeThatDoesNotStop(t *testing.T) {
	w := newWorld(t, nil)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	reached := make(chan struct{})
	w.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == pathCreate {
			close(reached)
			<-release
		}
	})
	w.client.grace = 10 * time.Millisecond
	ctx, cancel := withCancel(t)
	created := background(func() error { _, _, err := w.client.Create(ctx, vpc()); return err })
	<-reached
	cancel()
	err := ends(t, created)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "the next run finds what became of it")
}
