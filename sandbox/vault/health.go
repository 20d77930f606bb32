package vault

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/process"
)

// Health is what a server says of itself.
type Health struct {
	Initialized bool `json:"initialized"`
	Sealed      bool `json:"sealed"`
	Standby     bool `json:"standby"`
}

// Active says whether it is the one that answers for all.
func (h Health) Active() bool { return h.Initialized && !h.Sealed && !h.Standby }

// Healths asks every server. One that does not answer counts as sealed.
func (s *Servers) Healths(ctx context.Context) (map[string]Health, error) {
	s.mu.Lock()
	nodes := s.nodes
	client, err := s.httpClient()
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	all := make(map[string]Health, len(nodes))
	for _, n := range nodes {
		health, err := ask(ctx, client, n)
		if err != nil {
			health = Health{Initialized: health.Initialized, Sealed: true}
		}
		all[n.Name] = health
	}
	return all, ctx.Err()
}

// probe ends a server that takes questions and answers none, as the liveness probe of
// its pod would. Sealed or new is an answer.
func (s *Servers) probe(ctx context.Context, n *node, child *process.Child) {
	const failures = 6
	period := s.options.HangLimit / failures
	client := &http.Client{Timeout: period, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a kubelet does not verify either
	}}
	tick := time.NewTicker(period)
	defer tick.Stop()
	failed := 0
	for failed < failures {
		select {
		case <-ctx.Done():
			return
		case <-child.Done():
			return
		case <-tick.C:
		}
		switch _, err := ask(ctx, client, n); {
		case err == nil, errors.Is(err, syscall.ECONNREFUSED): // the last one is starting
			failed = 0
		default:
			failed++
		}
	}
	s.options.Logf("%s answers nothing for %s: it is ended", n.Name, s.options.HangLimit)
	if err := syscall.Kill(child.Record().PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		s.options.Logf("end %s: %v", n.Name, err)
	}
}

func ask(ctx context.Context, client *http.Client, n *node) (Health, error) {
	// Whatever state it is in, the answer is the same kind of document.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.url()+"/v1/sys/health?standbyok=true&sealedcode=200&uninitcode=200", nil)
	if err != nil {
		return Health{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return Health{}, err
	}
	defer func() { _ = response.Body.Close() }() // only read from
	var health Health
	if err := json.NewDecoder(response.Body).Decode(&health); err != nil {
		return Health{}, fmt.Errorf("health of %s: %w", n.Name, err)
	}
	return health, nil
}
