package vpnca

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func revoke(t *testing.T, a *Authority, name string) {
	t.Helper()
	issue(t, a, name)
	require.NoError(t, a.Revoke(t.Context(), name, ""))
}

func TestPublish(t *testing.T) {
	a, _ := newAuthority(t)
	endpoint := &fakeEndpoint{}
	crl, imported, err := a.Publish(t.Context(), endpoint)
	require.NoError(t, err)
	require.Nil(t, crl, "nothing was ever revoked")
	require.False(t, imported)

	revoke(t, a, "alice")
	crl, imported, err = a.Publish(t.Context(), endpoint)
	require.NoError(t, err)
	require.EqualValues(t, 1, crl.Number)
	require.True(t, imported)
	require.Equal(t, []string{crl.PEM}, endpoint.lists)
	crl, imported, err = a.Publish(t.Context(), endpoint)
	require.NoError(t, err)
	require.EqualValues(t, 1, crl.Number)
	require.False(t, imported, "it resets sessions, so not without need")
	require.Equal(t, &Import{Number: 1, At: start}, index(t, a).Imports[endpoint.ID()])

	another := &fakeEndpoint{id: "cvpn-endpoint-2"}
	_, imported, err = a.Publish(t.Context(), another)
	require.NoError(t, err)
	require.True(t, imported)
}

// Proves that a failure is said with what it means, and that the next run does it.
func TestPublishFails(t *testing.T) {
	a, _ := newAuthority(t)
	revoke(t, a, "alice")
	endpoint := &fakeEndpoint{before: func(n int) error {
		if n == 1 {
			return errors.New("UnauthorizedOperation: not allowed")
		}
		return nil
	}}
	_, imported, err := a.Publish(t.Context(), endpoint)
	require.ErrorContains(t, err, "whoever was revoked since its last list can still connect: UnauthorizedOperation")
	require.ErrorContains(t, err, "strongroom vpn crl --import")
	require.False(t, imported)
	i := index(t, a)
	require.False(t, a.Published(i, endpoint.ID()))
	require.Nil(t, i.Imports[endpoint.ID()].Lease, "nobody has to wait")
	_, imported, err = a.Publish(t.Context(), endpoint)
	require.NoError(t, err)
	require.True(t, imported)
}

// Proves that of two runs that publish at once the newest list is the last that the
// endpoint gets, although the run with the older one is slower.
func TestPublishInOrder(t *testing.T) {
	a, _ := newAuthority(t)
	revoke(t, a, "alice")
	slow, release := make(chan struct{}), make(chan struct{})
	endpoint := &fakeEndpoint{}
	endpoint.before = func(n int) error {
		if n == 1 {
			close(slow)
			<-release
		}
		return nil
	}
	first := make(chan error)
	go func() {
		_, _, err := a.Publish(t.Context(), endpoint)
		first <- err
	}()
	<-slow
	second, _ := newAuthority(t)
	second.Certificate, second.Store = a.Certificate, a.Store
	revoke(t, second, "bob")
	var told []string
	second.Tell = func(message string) {
		told = append(told, message)
		close(release)
	}
	// Its clock must not pass while it waits for the other goroutine.
	second.Now = func() time.Time { return start }
	second.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	_, _, err := second.Publish(t.Context(), endpoint)
	require.NoError(t, err)
	require.NoError(t, <-first)
	require.Len(t, told, 1)
	require.Contains(t, told[0], "waiting for somebody@somewhere")
	i := index(t, a)
	require.EqualValues(t, 2, i.CRL.Number)
	require.Equal(t, i.CRL.PEM, endpoint.lists[len(endpoint.lists)-1])
	require.True(t, a.Published(i, endpoint.ID()))
}

// Proves that a run that was killed while it imported holds up others no longer
// than its lease, and that nobody believes what it may have done.
func TestPublishAfterAKilledRun(t *testing.T) {
	a, c := newAuthority(t)
	revoke(t, a, "alice")
	endpoint := &fakeEndpoint{}
	a.kill = func(point string) {
		if point == "after the import" {
			panic("killed")
		}
	}
	require.Panics(t, func() { _, _, _ = a.Publish(t.Context(), endpoint) })
	a.kill = nil
	require.False(t, a.Published(index(t, a), endpoint.ID()))
	_, imported, err := a.Publish(t.Context(), endpoint)
	require.NoError(t, err)
	require.True(t, imported)
	require.Len(t, endpoint.lists, 2)
	require.WithinDuration(t, start.Add(lease), c.Now(), 2*time.Second)
}
