package vaultaccess

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Forwarder carries what arrives at a port on loopback to a pod, and finds the next pod
// when that one is gone.
type Forwarder struct {
	listener net.Listener
	// find opens a link to the pod that is to be used.
	find func(context.Context) (*link, error)

	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu   sync.Mutex
	link *link
	open map[net.Conn]bool
}

// ForwardTo opens a way to one server, in whatever state it is, at a free port on
// loopback. Verify its certificate by the platform's CA and name.
func (c *Cluster) ForwardTo(ctx context.Context, server string) (*Forwarder, error) {
	first, err := c.link(server)
	if err != nil {
		return nil, err
	}
	listener, err := listen(ctx, 0)
	if err != nil {
		return nil, errors.Join(err, first.close())
	}
	return forward(listener, first, func(context.Context) (*link, error) { return c.link(server) }), nil
}

// forward takes the listener and the first link over, and closes them.
func forward(listener net.Listener, first *link, find func(context.Context) (*link, error)) *Forwarder {
	f := &Forwarder{listener: listener, find: find, link: first, open: map[net.Conn]bool{}}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.done.Add(1)
	go f.accept()
	return f
}

// Address is host:port on loopback.
func (f *Forwarder) Address() string { return f.listener.Addr().String() }

// Close ends all connections.
func (f *Forwarder) Close() error {
	f.cancel()
	err := f.listener.Close()
	f.mu.Lock()
	for conn := range f.open {
		_ = conn.Close() // its other end is told, or is gone
	}
	if f.link != nil {
		_ = f.link.close()
	}
	f.mu.Unlock()
	f.done.Wait()
	return err
}

func (f *Forwarder) accept() {
	defer f.done.Done()
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.done.Add(1)
		go f.carry(conn)
	}
}

// findLimit is how long a connection waits while there is no leader; a new one is
// elected in seconds.
const findLimit = 30 * time.Second

// carry copies both ways until either end is done.
func (f *Forwarder) carry(local net.Conn) {
	defer f.done.Done()
	if !f.hold(local) {
		return
	}
	defer f.release(local)
	ctx, cancel := context.WithTimeout(f.ctx, findLimit)
	defer cancel()
	remote, err := f.dial(ctx)
	if err != nil {
		return // closed without an answer, which is what a client makes of no Vault
	}
	ended := make(chan struct{}, 2)
	go func() {
		_, _ = io.Copy(remote, local)
		_ = remote.closeWrite()
		ended <- struct{}{}
	}()
	go func() {
		_, _ = io.Copy(local, remote)
		// The answer is complete; what the client still sends goes nowhere.
		_ = local.Close()
		ended <- struct{}{}
	}()
	<-ended
	<-ended
	_ = remote.Close()
}

// dial uses the link that is there, or, when it is broken, finds another.
func (f *Forwarder) dial(ctx context.Context) (*podConn, error) {
	for {
		l, err := f.current(ctx)
		if err == nil {
			var conn *podConn
			if conn, err = l.dial(); err == nil {
				return conn, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (f *Forwarder) current(ctx context.Context) (*link, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.link != nil && !f.link.broken() {
		return f.link, nil
	}
	l, err := f.find(ctx)
	if err != nil {
		return nil, err
	}
	f.link = l
	return l, nil
}

func (f *Forwarder) hold(conn net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		_ = conn.Close()
		return false
	}
	f.open[conn] = true
	return true
}

func (f *Forwarder) release(conn net.Conn) {
	f.mu.Lock()
	delete(f.open, conn)
	f.mu.Unlock()
	_ = conn.Close()
}
