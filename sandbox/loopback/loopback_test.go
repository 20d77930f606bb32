package loopback_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/loopback"
)

// A port is chosen once, among those that are free.
func TestReserve(t *testing.T) {
	file := filepath.Join(t.TempDir(), "port")
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	port := taken.Addr().(*net.TCPAddr).Port
	reserve := func(first, last int) (int, error) {
		return loopback.Reserve(t.Context(), file, first, last, "a server")
	}

	_, err = reserve(port, port)
	require.ErrorContains(t, err, "no free port on 127.0.0.1 in "+strconv.Itoa(port)+"-"+strconv.Itoa(port)+" for a server")
	require.NoFileExists(t, file)

	chosen, err := reserve(1024, 65535)
	require.NoError(t, err)
	again, err := reserve(port, port)
	require.NoError(t, err)
	require.Equal(t, chosen, again, "it is remembered, because others were told")

	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	_, err = reserve(1024, 65535)
	require.ErrorContains(t, err, file+" is damaged")
}
