package vaultaccess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Health is what a server says of itself, to everybody.
type Health struct {
	Initialized bool   `json:"initialized"`
	Sealed      bool   `json:"sealed"`
	Standby     bool   `json:"standby"`
	Version     string `json:"version"`
}

// remind is how often a wait that goes on is reported again.
const remind = time.Minute

// await tries again until it works or the limit is over. A try that has begun is let to
// its end, so that what is said at the limit is what was found and not that time was up.
func (a *Access) await(ctx context.Context, what string, try func(context.Context) error) error {
	begun, said, reported := time.Now(), "", time.Time{}
	tick := time.NewTicker(a.args.pause)
	defer tick.Stop()
	for {
		last := try(ctx)
		switch {
		case last == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Since(begun) > a.args.Limit:
			return fmt.Errorf("waited %s until %s: %w: docs/vault-operations.md says what to do; "+
				"the limit is strongroom:vault.access.waitMinutes", a.args.Limit, what, last)
		case last.Error() != said || time.Since(reported) > remind:
			said, reported = last.Error(), time.Now()
			a.say(fmt.Sprintf("waiting until %s (%s of %s): %s", what, time.Since(begun).Round(time.Second), a.args.Limit, said))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (a *Access) say(message string) {
	if a.args.Progress != nil {
		a.args.Progress(message)
	}
}

// active opens a link to the active server, or says of each why it is not.
func (a *Access) active(ctx context.Context) (*link, error) {
	servers, err := a.args.Cluster.Servers(ctx)
	if err != nil {
		return nil, err
	}
	if len(servers) == 0 {
		return nil, fmt.Errorf("there is no pod of Vault in namespace %q yet", Namespace)
	}
	var states []string
	for _, server := range servers {
		if server.Phase != "Running" {
			states = append(states, server.Name+" is "+strings.ToLower(server.Phase))
			continue
		}
		l, err := a.args.Cluster.link(server.Name)
		if err != nil {
			states = append(states, err.Error())
			continue
		}
		health, err := a.healthThrough(ctx, l)
		if err == nil && health.Initialized && !health.Sealed && !health.Standby {
			return l, nil
		}
		_ = l.close() // of no use
		states = append(states, describe(server.Name, health, err))
	}
	return nil, errors.New(strings.Join(states, "; "))
}

func describe(name string, health *Health, err error) string {
	switch {
	case err != nil:
		return name + ": " + err.Error()
	case !health.Initialized:
		return name + " is not initialised"
	case health.Sealed:
		return name + " is sealed"
	case health.Standby:
		return name + " is a standby"
	}
	return name + " is active"
}

// answering asks the address, whichever server it leads to.
func (a *Access) answering(ctx context.Context) error {
	transport := a.transport(nil)
	defer transport.CloseIdleConnections()
	health, err := a.health(ctx, transport, a.Address)
	if err != nil || !health.Initialized || health.Sealed {
		return errors.New(describe(a.Address, health, err))
	}
	return nil
}

func (a *Access) healthThrough(ctx context.Context, l *link) (*Health, error) {
	transport := a.transport(func(context.Context, string, string) (net.Conn, error) { return l.dial() })
	defer transport.CloseIdleConnections()
	return a.health(ctx, transport, "https://"+a.args.ServerName)
}

func (a *Access) health(ctx context.Context, transport *http.Transport, address string) (*Health, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	// With these, every state answers 200: the state is in the body.
	at := address + "/v1/sys/health?standbyok=true&perfstandbyok=true&sealedcode=200&uninitcode=200"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // only read from
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("sys/health answered %s", response.Status)
	}
	health := &Health{}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(health); err != nil {
		return nil, fmt.Errorf("sys/health is not JSON: %w", err)
	}
	return health, nil
}
