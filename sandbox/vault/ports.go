package vault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Servers get ports below those that Linux and macOS hand out to outgoing
// connections, and above those of the control planes.
const (
	firstPort = 32000
	lastPort  = 32700
)

// ports are those that are kept for these servers. A server opens its cluster port
// only when it joins, and between two lives it has none open: meanwhile another Vault
// on this machine would take it for free. A server that then cannot open it joins all
// the same, and stays sealed for ever. So whoever runs the servers holds the UDP sides
// of their ports, which Vault does not use; the system gives them back when it ends.
type ports map[int]net.PacketConn

// hold keeps a port. One that is held already stays so.
func (p ports) hold(port int) error {
	if p[port] != nil {
		return nil
	}
	conn, err := (&net.ListenConfig{}).ListenPacket(context.Background(), "udp4", loopbackPort(port))
	if err != nil {
		return fmt.Errorf("another process of this machine keeps it, end that one: %w", err)
	}
	p[port] = conn
	return nil
}

// take finds free ports and holds them.
func (p ports) take(count int) ([]int, error) {
	return p.takeFrom(int(time.Now().UnixNano()/1000%(lastPort-firstPort+1)), count)
}

func (p ports) takeFrom(start, count int) ([]int, error) {
	const span = lastPort - firstPort + 1
	var taken []int
	for i := 0; i < span && len(taken) < count; i++ {
		port := firstPort + (start+i)%span
		if p[port] != nil || p.hold(port) != nil {
			continue
		}
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", loopbackPort(port))
		if err == nil {
			err = l.Close()
		}
		if err != nil { // somebody uses it who holds nothing
			if err := p.give(port); err != nil {
				return nil, err
			}
			continue
		}
		taken = append(taken, port)
	}
	if len(taken) < count {
		return nil, fmt.Errorf("no free port on 127.0.0.1 in %d-%d for Vault", firstPort, lastPort)
	}
	return taken, nil
}

func (p ports) give(port int) error {
	conn := p[port]
	delete(p, port)
	return conn.Close()
}

// release gives all of them back.
func (p ports) release() error {
	var failed error
	for port := range p {
		failed = errors.Join(failed, p.give(port))
	}
	return failed
}

func loopbackPort(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
