package vaultops

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// lost is a Vault of three servers that lost their storage. The first is the leader.
type lost struct {
	initialized, restored bool
	sent                  []string // the snapshots that came
	// hangs are the servers that take every question and never answer.
	hangs map[string]bool
	// sealed are those that stay sealed.
	sealed map[string]bool
	// take is what happens to a snapshot.
	take func(l *lost)
}

func (l *lost) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := func(status int, body string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
	if l.hangs[r.URL.Host] {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
	switch strings.TrimPrefix(r.URL.Path, "/v1/") {
	case "sys/health":
		switch {
		case !l.initialized:
			return answer(200, `{"sealed":true,"standby":true}`)
		case l.sealed[r.URL.Host]:
			return answer(200, `{"initialized":true,"sealed":true,"standby":true}`)
		case r.URL.Host == "vault-0":
			return answer(200, `{"initialized":true}`)
		}
		return answer(200, `{"initialized":true,"standby":true,"ha_connection_healthy":true}`)
	case "sys/init":
		l.initialized = true
		return answer(200, `{"root_token":"temporary"}`)
	case "sys/storage/raft/snapshot-force":
		snapshot, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Host != "vault-0" {
			return answer(500, "")
		}
		l.sent = append(l.sent, string(snapshot))
		l.take(l)
		return answer(204, "")
	case "auth/token/lookup-self":
		if l.restored {
			return answer(403, `{"errors":["permission denied"]}`)
		}
		return answer(200, "{}")
	}
	return nil, errors.New("unexpected: " + r.URL.Path)
}

func (l *lost) restore(t *testing.T) (said []string, err error) {
	l.hangs = map[string]bool{}
	v := &Vault{
		Client: &http.Client{Transport: l}, Servers: []string{"https://vault-0", "https://vault-1", "https://vault-2"},
		Progress: func(text string) { said = append(said, text) },
	}
	err = v.Restore(t.Context(), bytes.NewReader([]byte("snapshot")))
	return said, err
}

// Vault answers that it has a snapshot before it has done anything with it.
func TestRestoreWaitsUntilTheSnapshotIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		l := &lost{take: func(l *lost) { time.AfterFunc(5*time.Second, func() { l.restored = true }) }}
		_, err := l.restore(t)
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(begun), 5*time.Second)
		require.Equal(t, []string{"snapshot"}, l.sent)
	})
}

// The leader hangs while it takes the snapshot, until it is started again.
func TestRestoreOutlivesAServerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lost{take: func(l *lost) {
			if len(l.sent) == 2 {
				l.restored = true
				return
			}
			time.AfterFunc(time.Second, func() { l.hangs["vault-0"] = true })
			time.AfterFunc(10*time.Minute, func() { l.hangs["vault-0"] = false })
		}}
		said, err := l.restore(t)
		require.NoError(t, err)
		require.Equal(t, []string{"snapshot", "snapshot"}, l.sent)
		require.Contains(t, said, "waiting until all servers have the snapshot and are unsealed: ask https://vault-0: no answer within 10s")
	})
}

// The question under way when the time is over does not hide what the others answered.
func TestRestoreTellsWhatWasMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lost{sealed: map[string]bool{"vault-1": true, "vault-2": true}}
		time.AfterFunc(restoreLimit-time.Second, func() { l.hangs["vault-0"] = true })
		_, err := l.restore(t)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "(last: https://vault-1 is sealed; https://vault-2 is sealed)")
		require.ErrorContains(t, err, `"A restore did not end"`)
		require.Empty(t, l.sent)
	})
}
