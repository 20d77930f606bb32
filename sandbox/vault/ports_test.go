package vault

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// A port is nobody else's from when it is taken, although nothing listens on it: a
// server opens its cluster port late.
func TestPortsAreHeld(t *testing.T) {
	ours, others := ports{}, ports{}
	t.Cleanup(func() { require.NoError(t, ours.release()); require.NoError(t, others.release()) })
	mine, err := ours.take(2)
	require.NoError(t, err)
	require.NoError(t, ours.hold(mine[0]), "again")
	for _, port := range mine {
		require.ErrorContains(t, others.hold(port), "another process of this machine keeps it")
		l, err := net.Listen("tcp4", loopbackPort(port))
		require.NoError(t, err, "the server itself can open it")
		require.NoError(t, l.Close())
	}
	require.NoError(t, ours.release())
	require.NoError(t, others.hold(mine[0]), "given back")
}

// What somebody listens on who holds nothing is not taken.
func TestPortsInUseAreNotTaken(t *testing.T) {
	held := ports{}
	t.Cleanup(func() { require.NoError(t, held.release()) })
	free, err := held.take(1)
	require.NoError(t, err)
	l, err := net.Listen("tcp4", loopbackPort(free[0]))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	require.NoError(t, held.release())
	next, err := held.takeFrom(free[0]-firstPort, 1)
	require.NoError(t, err)
	require.NotEqual(t, free, next)
	require.NotContains(t, held, free[0], "and it is not held")
}
