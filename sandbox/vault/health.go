package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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
