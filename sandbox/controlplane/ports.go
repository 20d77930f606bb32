package controlplane

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"time"
)

// API servers get ports below the ranges that Linux (32768-60999) and macOS
// (49152-65535) hand out to outgoing connections, so that none of those takes
// a port while its cluster is down.
const (
	firstPort = 20000
	lastPort  = 31999
)

// choosePort picks a free loopback port that no cluster in taken has.
func choosePort(taken map[int]bool) (int, error) {
	const attempts = 200
	for range attempts {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if !taken[port] && checkPort(port) == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port on 127.0.0.1 in %d-%d after %d attempts", firstPort, lastPort, attempts)
}

// checkPort says whether something else holds the port.
func checkPort(port int) error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return listener.Close()
}

const (
	portGrace = 5 * time.Second
	portPoll  = 50 * time.Millisecond
)

// requirePort is checkPort for people: the port is in the cluster's
// kubeconfig and in its OIDC issuer, so it cannot simply be another one.
func requirePort(cluster string, port int) error {
	err := checkPort(port)
	// A killed API server has ended for the list of processes while its last threads
	// still hold the port.
	for begun := time.Now(); errors.Is(err, syscall.EADDRINUSE) && time.Since(begun) < portGrace; err = checkPort(port) {
		time.Sleep(portPoll)
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d on 127.0.0.1 is in use by another process, and cluster %q has its API server there: stop that process (`lsof -i :%d` names it), then try again",
			port, cluster, port)
	}
	if err != nil {
		return fmt.Errorf("port %d on 127.0.0.1, for the API server of cluster %q: %w", port, cluster, err)
	}
	return nil
}
