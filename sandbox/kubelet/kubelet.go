// Package kubelet plays the kubelets of a cluster's simulated nodes, as far as
// `kubectl port-forward` goes: the API server asks for a port of a pod, and is
// joined to the process on this machine that plays the pod.
package kubelet

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
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

const dialLimit = 10 * time.Second

// Find finds the address on this machine of a port of a pod.
type Find func(namespace, pod string, port int) (address string, err error)

// Handler answers the API server. What a kubelet can do besides is refused, as
// simulated.
func Handler(find Find, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	// By POST with SPDY, by GET where the API server carries a WebSocket on.
	mux.HandleFunc("/portForward/{namespace}/{pod}", func(w http.ResponseWriter, r *http.Request) {
		portForward(w, r, find, log)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "the node is simulated: its pods take port-forwards and nothing else, not "+r.URL.Path, http.StatusNotImplemented)
	})
	return mux
}

// portForward takes one upgraded connection, which carries any number of TCP
// connections to one pod, and returns when it ends.
func portForward(w http.ResponseWriter, r *http.Request, find Find, log *slog.Logger) {
	if _, err := httpstream.Handshake(r, w, []string{protocol}); err != nil {
		log.Info("simulated kubelet: port-forward refused", "error", err)
		return // Handshake has answered
	}
	f := &forward{
		open:   make(chan struct{}),
		errors: map[string]httpstream.Stream{},
		dial: func(port int) (net.Conn, error) {
			address, err := find(r.PathValue("namespace"), r.PathValue("pod"), port)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{Timeout: dialLimit}).DialContext(r.Context(), "tcp", address)
		},
	}
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, f.accept)
	if conn == nil {
		return // UpgradeResponse has answered
	}
	f.conn = conn
	close(f.open)
	<-conn.CloseChan()
	_ = conn.Close() // it has ended; this resets the streams
}

// forward is one upgraded connection. For each TCP connection, the client opens
// a stream for errors and then one for data, with the same request ID.
type forward struct {
	// conn is set when open is closed; the first streams may come before that.
	conn httpstream.Connection
	open chan struct{}
	dial func(port int) (net.Conn, error)

	mu     sync.Mutex
	errors map[string]httpstream.Stream
}

func (f *forward) accept(stream httpstream.Stream, replied <-chan struct{}) error {
	headers := stream.Headers()
	port, err := strconv.ParseUint(headers.Get(portHeader), 10, 16)
	if err != nil || port == 0 {
		return fmt.Errorf("%q is no port", headers.Get(portHeader))
	}
	id := headers.Get(requestIDHeader)
	if id == "" {
		return errors.New("the stream has no request ID")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch headers.Get(streamType) {
	case streamTypeError:
		f.errors[id] = stream
		return nil
	case streamTypeData:
	default:
		return fmt.Errorf("%q is no type of stream", headers.Get(streamType))
	}
	refusals, found := f.errors[id]
	if !found {
		return fmt.Errorf("request %s has no stream for errors", id)
	}
	delete(f.errors, id)
	go func() {
		<-replied
		<-f.open
		f.join(int(port), stream, refusals)
	}()
	return nil
}

// join carries bytes both ways until both have ended.
func (f *forward) join(port int, data, refusals httpstream.Stream) {
	defer f.forget(data, refusals)
	target, err := f.dial(port)
	if err != nil {
		_, _ = fmt.Fprintf(refusals, "port %d: %v", port, err) // nobody may be there to read it
		return
	}
	defer func() { _ = target.Close() }()
	var sending sync.WaitGroup
	sending.Go(func() {
		_, _ = io.Copy(target, data)
		if half, ok := target.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		}
	})
	_, _ = io.Copy(data, target)
	_ = data.Close()
	// The client closes its side when it has read all. To reset the stream here
	// would throw away what is on its way to it.
	sending.Wait()
}

func (f *forward) forget(data, refusals httpstream.Stream) {
	_ = refusals.Close()
	_ = data.Close()
	f.conn.RemoveStreams(data, refusals)
}
