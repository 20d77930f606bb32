package kubelet_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"

	"github.com/strongroom-platform/strongroom/sandbox/kubelet"
)

// echo answers each line with the same in capitals.
func echo(t *testing.T) string {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					_, _ = fmt.Fprintln(conn, strings.ToUpper(lines.Text()))
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// TestPortForward goes through client-go's own forwarder, as kubectl does.
func TestPortForward(t *testing.T) {
	pod := echo(t)
	server := httptest.NewServer(kubelet.Handler(func(namespace, name string, port int) (string, error) {
		if namespace != "vault" || name != "vault-0" || port != 8200 {
			return "", errors.New("no such port")
		}
		return pod, nil
	}, slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)

	transport, upgrader, err := spdy.RoundTripperFor(&rest.Config{Host: server.URL})
	require.NoError(t, err)
	at, err := url.Parse(server.URL + "/portForward/vault/vault-0")
	require.NoError(t, err)
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, at)
	stop, ready := make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{"0:8200", "0:9"}, stop, ready, io.Discard, io.Discard)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	<-ready
	ports, err := forwarder.GetPorts()
	require.NoError(t, err)

	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", ports[0].Local))
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = fmt.Fprintf(conn, "line %d\n", i)
			answer, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || answer != fmt.Sprintf("LINE %d\n", i) {
				t.Errorf("%q, %v", answer, err)
			}
		})
	}
	all.Wait()

	conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", ports[1].Local))
	require.NoError(t, err)
	rest, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Empty(t, rest)
	require.Error(t, <-ended, "a port that the pod does not have ends client-go's forwarder")
}

func TestOtherThanPortForwards(t *testing.T) {
	server := httptest.NewServer(kubelet.Handler(nil, slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	for path, want := range map[string]int{
		"/containerLogs/vault/vault-0/vault": http.StatusNotImplemented,
		"/portForward/vault/vault-0":         http.StatusBadRequest, // without an upgrade
	} {
		response, err := http.Get(server.URL + path) //nolint:noctx // a test on loopback
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, want, response.StatusCode, path)
	}
}
