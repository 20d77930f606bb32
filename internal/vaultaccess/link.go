package vaultaccess

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	apistream "k8s.io/apimachinery/pkg/util/httpstream" //nolint:staticcheck // dialers of client-go give its errors still
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// protocol and the headers of a stream are those of `kubectl port-forward`, see
// https://pkg.go.dev/k8s.io/api/core/v1#pkg-constants.
const (
	protocol        = "portforward.k8s.io"
	streamType      = "streamType"
	streamTypeData  = "data"
	streamTypeError = "error"
	portHeader      = "port"
	requestIDHeader = "requestID"
)

// link is one upgraded connection to a pod, which carries any number of TCP
// connections to its port. The forwarder of client-go does the same behind a listener
// of its own, and ends with its pod; here the next pod takes over.
type link struct {
	pod      string
	conn     httpstream.Connection
	requests atomic.Int64
}

// link opens the way to a pod: by WebSocket, and by SPDY where the API or what stands
// before it knows no other.
func (c *Cluster) link(pod string) (*link, error) {
	at := c.url(podsPath + "/" + pod + "/portforward")
	sockets, err := portforward.NewSPDYOverWebsocketDialerForStreaming(at, c.config)
	if err != nil {
		return nil, fmt.Errorf("port-forward to %s: %w", pod, err)
	}
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, fmt.Errorf("port-forward to %s: %w", pod, err)
	}
	plain := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, at)
	dialer := portforward.NewFallbackDialerForStreaming(sockets, plain, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err) ||
			apistream.IsUpgradeFailure(err) || apistream.IsHTTPSProxyError(err)
	})
	conn, _, err := dialer.Dial(protocol)
	if err != nil {
		return nil, fmt.Errorf("port-forward to %s: %w", pod, err)
	}
	return &link{pod: pod, conn: conn}, nil
}

func (l *link) broken() bool {
	select {
	case <-l.conn.CloseChan():
		return true
	default:
		return false
	}
}

func (l *link) close() error { return l.conn.Close() }

// dial opens one TCP connection to Vault's port in the pod. A pod that refuses it ends
// the link, so that the next connection looks for another pod.
func (l *link) dial() (*podConn, error) {
	headers := http.Header{}
	headers.Set(streamType, streamTypeError)
	headers.Set(portHeader, strconv.Itoa(Port))
	headers.Set(requestIDHeader, strconv.FormatInt(l.requests.Add(1), 10))
	refusals, err := l.conn.CreateStream(headers)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("port-forward to %s: %w", l.pod, err), l.close())
	}
	// Nothing is written to it.
	_ = refusals.Close()
	headers.Set(streamType, streamTypeData)
	data, err := l.conn.CreateStream(headers)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("port-forward to %s: %w", l.pod, err), l.close())
	}
	c := &podConn{link: l, data: data, refusals: refusals, refused: make(chan struct{})}
	go c.watch()
	return c, nil
}

// podConn is a TCP connection in a pod.
type podConn struct {
	link           *link
	data, refusals httpstream.Stream
	// refused is closed when there is nothing more to be said about this connection;
	// refusal is what was said.
	refused chan struct{}
	refusal string
}

func (c *podConn) watch() {
	defer close(c.refused)
	message, err := io.ReadAll(c.refusals)
	if err != nil || len(message) == 0 {
		return
	}
	c.refusal = strings.TrimSpace(string(message))
	// It fails where it is closed already.
	_ = c.link.close()
}

func (c *podConn) Read(p []byte) (int, error) {
	n, err := c.data.Read(p)
	if err != nil && n == 0 {
		select {
		case <-c.refused:
			if c.refusal != "" {
				return 0, fmt.Errorf("port-forward to %s: %s", c.link.pod, c.refusal)
			}
		default:
		}
	}
	return n, err
}

func (c *podConn) Write(p []byte) (int, error) { return c.data.Write(p) }

// Close discards what is unsent; otherwise it would block the link for the others.
func (c *podConn) Close() error {
	err := c.data.Reset()
	c.link.conn.RemoveStreams(c.data, c.refusals)
	return err
}

// closeWrite says that nothing more is sent.
func (c *podConn) closeWrite() error { return c.data.Close() }

type podAddr string

func (a podAddr) Network() string { return "pod" }
func (a podAddr) String() string  { return string(a) }

func (c *podConn) LocalAddr() net.Addr  { return podAddr("port-forward") }
func (c *podConn) RemoteAddr() net.Addr { return podAddr(c.link.pod) }

// Streams have no deadlines; whoever waits closes the connection.
func (c *podConn) SetDeadline(time.Time) error      { return nil }
func (c *podConn) SetReadDeadline(time.Time) error  { return nil }
func (c *podConn) SetWriteDeadline(time.Time) error { return nil }
