// Package vaultops does to a running Vault what nothing declares: it looks at the
// servers, takes and restores snapshots, makes a root token from recovery keys,
// and replaces the recovery keys. It speaks Vault's HTTP API, and knows neither
// Kubernetes nor AWS: whoever calls it says where the servers are and keeps the
// recovery secret.
package vaultops

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// statusLimit is enough for a server that works on a loaded machine.
	statusLimit = 10 * time.Second
	// callLimit is that of the slowest call with a JSON answer, init, which asks KMS
	// several times and writes through raft. Snapshots have none.
	callLimit = 5 * time.Minute
	// electionLimit is that of a new leader. A healthy raft has one within a few seconds;
	// one whose machines are busy needs more turns.
	electionLimit = 30 * time.Second
)

// errNoAnswer is a server's that takes the question and hangs, or whose way is closed.
var errNoAnswer = fmt.Errorf("no answer within %s", statusLimit)

// Vault is a Vault and its servers.
type Vault struct {
	// Client trusts the platform's CA and knows the name in the certificates.
	Client *http.Client
	// Servers are their addresses, "https://127.0.0.1:8200". The first is the one
	// that is initialised.
	Servers []string
	// Progress receives what is waited for. Default: discarded.
	Progress func(string)
	// election is how long a new leader is waited for. Default: electionLimit.
	election time.Duration
}

// ServerStatus is one server's state.
type ServerStatus struct {
	Address     string `json:"address"`
	Initialized bool   `json:"initialized"`
	Sealed      bool   `json:"sealed"`
	// Active says that it is the leader.
	Active  bool   `json:"active"`
	Version string `json:"version,omitempty"`
	// Unhealthy says what is wrong with a server that is unsealed.
	Unhealthy string `json:"unhealthy,omitempty"`
	// Failure says why nothing is known of it.
	Failure string `json:"failure,omitempty"`
}

// Status asks every server, all at once: one that hangs keeps nobody waiting longer
// than statusLimit.
func (v *Vault) Status(ctx context.Context) []ServerStatus {
	ctx, cancel := context.WithTimeoutCause(ctx, statusLimit, errNoAnswer)
	defer cancel()
	all := make([]ServerStatus, len(v.Servers))
	var asked sync.WaitGroup
	for i, address := range v.Servers {
		asked.Go(func() { all[i] = v.status(ctx, address) })
	}
	asked.Wait()
	return all
}

func (v *Vault) status(ctx context.Context, address string) ServerStatus {
	var answer struct {
		Initialized bool   `json:"initialized"`
		Sealed      bool   `json:"sealed"`
		Standby     bool   `json:"standby"`
		Version     string `json:"version"`
		// Of a standby, from 1.19 on.
		Connected *bool `json:"ha_connection_healthy"`
		Removed   *bool `json:"removed_from_cluster"`
	}
	// With these, every state answers 200: the state is in the body.
	err := v.do(ctx, address, http.MethodGet, "sys/health?standbyok=true&sealedcode=200&uninitcode=200&haunhealthycode=200&removedcode=200", "", nil, &answer)
	if err != nil {
		return ServerStatus{Address: address, Failure: err.Error()}
	}
	s := ServerStatus{
		Address: address, Initialized: answer.Initialized, Sealed: answer.Sealed, Version: answer.Version,
		Active: answer.Initialized && !answer.Sealed && !answer.Standby,
	}
	switch {
	case answer.Removed != nil && *answer.Removed:
		s.Unhealthy = "was removed from the raft cluster"
	case answer.Connected != nil && !*answer.Connected && !answer.Sealed:
		s.Unhealthy = "has no connection to the active server"
	}
	return s
}

// Active is the address of the leader. While the servers elect one, which they can as long
// as a majority of them is unsealed, it waits for up to 30 s.
func (v *Vault) Active(ctx context.Context) (string, error) {
	address, electing, err := v.leader(ctx)
	if !electing {
		return address, err
	}
	limit := cmp.Or(v.election, electionLimit)
	waitErr := v.await(ctx, limit, "a new leader is elected", func(ctx context.Context) error {
		if address, electing, err = v.leader(ctx); electing {
			return err
		}
		return nil
	})
	if waitErr != nil {
		return "", waitErr
	}
	return address, err
}

// leader is the address of the leader; without one, electing says whether there are
// servers enough to elect it.
func (v *Vault) leader(ctx context.Context) (address string, electing bool, err error) {
	var seen []string
	unsealed := 0
	for _, s := range v.Status(ctx) {
		if s.Active {
			return s.Address, false, nil
		}
		if s.Failure == "" && s.Initialized && !s.Sealed {
			unsealed++
		}
		seen = append(seen, s.describe())
	}
	return "", unsealed > len(v.Servers)/2, fmt.Errorf("no server of Vault is active: %s", strings.Join(seen, "; "))
}

func (s ServerStatus) describe() string {
	switch {
	case s.Failure != "":
		return s.Failure
	case !s.Initialized:
		return s.Address + " is not initialised"
	case s.Sealed:
		return s.Address + " is sealed"
	case s.Unhealthy != "":
		return s.Address + " " + s.Unhealthy
	case s.Active:
		return s.Address + " is active"
	}
	return s.Address + " is a standby"
}

// await polls until ready returns nil.
func (v *Vault) await(ctx context.Context, limit time.Duration, what string, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		missing := ready(ctx)
		if missing == nil {
			return nil
		}
		// A question that the end of the wait cut off says nothing of Vault.
		if last == nil || ctx.Err() == nil {
			if last == nil || last.Error() != missing.Error() {
				v.progress("waiting until " + what + ": " + missing.Error())
			}
			last = missing
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w (last: %w)", what, ctx.Err(), last)
		case <-tick.C:
		}
	}
}

func (v *Vault) progress(text string) {
	if v.Progress != nil {
		v.Progress(text)
	}
}

// APIError is an error that Vault answered.
type APIError struct {
	Status int
	Errors []string
}

func (e *APIError) Error() string {
	return fmt.Sprintf("vault answered %d: %s", e.Status, strings.Join(e.Errors, "; "))
}

// Forbidden says whether Vault refused a token.
func Forbidden(err error) bool {
	var answered *APIError
	return errors.As(err, &answered) && answered.Status == http.StatusForbidden
}

// do makes one call, within callLimit. No secret is in its errors: they hold what
// Vault answered.
func (v *Vault) do(ctx context.Context, address, method, path, token string, input, output any) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	var body io.Reader
	if input != nil {
		text, err := json.Marshal(input)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	response, err := v.send(ctx, address, method, path, token, body)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // only read from
	if output == nil || response.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(output); err != nil {
		return fmt.Errorf("%s at %s: the answer is not JSON: %w", path, address, err)
	}
	return nil
}

// send makes one call whose bodies are not JSON. The caller closes the answer's.
func (v *Vault) send(ctx context.Context, address, method, path, token string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, address+"/v1/"+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Vault-Request", "true")
	if token != "" {
		request.Header.Set("X-Vault-Token", token)
	}
	response, err := v.Client.Do(request)
	var at *url.Error
	if errors.As(err, &at) { // which repeats where it asked
		err = at.Err
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", address, err)
	}
	if response.StatusCode < http.StatusBadRequest {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }() // only read from
	refused := &APIError{Status: response.StatusCode}
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %s: %w", address, response.Status, err)
	}
	var answer struct{ Errors []string }
	if json.Unmarshal(text, &answer) == nil {
		refused.Errors = answer.Errors
	}
	return nil, fmt.Errorf("%s at %s: %w", strings.SplitN(path, "?", 2)[0], address, refused)
}
