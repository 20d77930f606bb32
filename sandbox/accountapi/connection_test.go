package accountapi

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConnectionIsKeptForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), ConnectionFile)
	saved := Connection{URL: "http://127.0.0.1:41234", Token: "a-token", PID: 42, Version: "1.2.3"}
	require.NoError(t, Connection{URL: "http://127.0.0.1:1", Token: "older"}.Save(path))
	require.NoError(t, saved.Save(path))

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	loaded, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, saved, loaded)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", saved, saved, saved), "a-token")
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"no JSON":        {"{", "is damaged"},
		"no address":     {`{"token":"x"}`, "url: expected something like"},
		"not loopback":   {`{"url":"http://192.0.2.1:80","token":"x"}`, "expected an address on loopback"},
		"a name":         {`{"url":"http://localhost:80","token":"x"}`, "expected an address on loopback"},
		"no token":       {`{"url":"http://127.0.0.1:80"}`, "token: is empty"},
		"no HTTP scheme": {`{"url":"https://127.0.0.1:80","token":"x"}`, "url: expected something like"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), ConnectionFile)
			require.NoError(t, os.WriteFile(path, []byte(c.content), 0o600))
			_, err := Load(path)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, "strongroom sandbox up")
		})
	}
}

func TestSandboxThatIsDown(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), ConnectionFile))
	require.ErrorIs(t, err, ErrDown)
	require.ErrorContains(t, err, "strongroom sandbox up")

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	client, err := NewClient(Connection{URL: "http://" + address, Token: "x"})
	require.NoError(t, err)
	err = client.Ping(t.Context())
	require.ErrorIs(t, err, ErrDown)
	require.ErrorContains(t, err, address)
}
