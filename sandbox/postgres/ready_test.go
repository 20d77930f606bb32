package postgres

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// A server that begins has its port before it takes sessions, and says so.
func TestTakesSessions(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	codes := make(chan string, 1)
	go func() {
		for code := range codes {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			var start [512]byte
			if _, err := conn.Read(start[:]); err == nil {
				fields := fmt.Sprintf("SFATAL\x00C%s\x00Mno\x00\x00", code)
				_, _ = conn.Write(append([]byte{'E', 0, 0, 0, byte(len(fields) + 4)}, fields...))
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { close(codes) })
	db, err := Open(listener.Addr().String(), "postgres", admin, "none")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })

	codes <- "57P03" // the database system is starting up
	require.False(t, takesSessions(t.Context(), db))
	codes <- "28P01" // the password is wrong
	require.True(t, takesSessions(t.Context(), db))
	require.NoError(t, listener.Close())
	require.False(t, takesSessions(t.Context(), db))
}
