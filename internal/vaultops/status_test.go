package vaultops

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serverThat is a server of Vault that answers sys/health in one way.
func serverThat(t *testing.T, status int, health string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		if r.URL.Path == "/v1/sys/health" {
			_, _ = io.WriteString(w, health)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		code   int
		health string
		want   ServerStatus
		says   string
	}{
		"active": {200, `{"initialized":true,"version":"2.0.4"}`,
			ServerStatus{Initialized: true, Active: true, Version: "2.0.4"}, "is active"},
		"standby": {200, `{"initialized":true,"standby":true,"ha_connection_healthy":true,"removed_from_cluster":false}`,
			ServerStatus{Initialized: true}, "is a standby"},
		"cut off": {200, `{"initialized":true,"standby":true,"ha_connection_healthy":false}`,
			ServerStatus{Initialized: true, Unhealthy: "has no connection to the active server"}, "has no connection to the active server"},
		"removed": {200, `{"initialized":true,"standby":true,"removed_from_cluster":true}`,
			ServerStatus{Initialized: true, Unhealthy: "was removed from the raft cluster"}, "was removed from the raft cluster"},
		"sealed": {200, `{"initialized":true,"sealed":true,"standby":true}`, ServerStatus{Initialized: true, Sealed: true}, "is sealed"},
		"new":    {200, `{"sealed":true,"standby":true}`, ServerStatus{Sealed: true}, "is not initialised"},
	} {
		t.Run(name, func(t *testing.T) {
			v := &Vault{Client: http.DefaultClient, Servers: []string{serverThat(t, tt.code, tt.health)}}
			tt.want.Address = v.Servers[0]
			found := v.Status(t.Context())
			require.Equal(t, []ServerStatus{tt.want}, found)
			require.Equal(t, v.Servers[0]+" "+tt.says, found[0].describe())
		})
	}
}

// A server that does not answer, or not for all, is no proof that nothing is there.
func TestUnusedRefusesToGuess(t *testing.T) {
	empty := Secret{State: Empty}
	unsealed := `{"initialized":true}`
	for want, servers := range map[string][]string{
		"every server has to answer": {serverThat(t, 200, unsealed), serverThat(t, 503, "")},
		"is sealed":                  {serverThat(t, 200, unsealed), serverThat(t, 200, `{"initialized":true,"sealed":true}`)},
		"no server of Vault is active": {
			serverThat(t, 200, `{"initialized":true,"standby":true}`), serverThat(t, 200, `{"initialized":true,"standby":true}`),
		},
		// Whatever the login answers, if it is not a refusal, something is there.
		"auth/provisioner is there": {serverThat(t, 200, unsealed)},
	} {
		v := &Vault{Client: http.DefaultClient, Servers: servers, election: time.Millisecond}
		require.ErrorContains(t, v.Unused(t.Context(), empty, empty), want)
	}
}

// An election takes a moment, in which all are standbys: that is waited for.
func TestActiveWaitsForAnElection(t *testing.T) {
	const standby, leader = `{"initialized":true,"standby":true,"ha_connection_healthy":false}`, `{"initialized":true}`
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			_, _ = io.WriteString(w, standby)
			return
		}
		_, _ = io.WriteString(w, leader)
	}))
	t.Cleanup(server.Close)
	var said []string
	v := &Vault{
		Client: http.DefaultClient, Progress: func(s string) { said = append(said, s) },
		Servers: []string{server.URL, serverThat(t, 200, standby), serverThat(t, 503, "")},
	}
	active, err := v.Active(t.Context())
	require.NoError(t, err)
	require.Equal(t, server.URL, active)
	require.Len(t, said, 1)
	require.Contains(t, said[0], "waiting until a new leader is elected: no server of Vault is active")
}

// One of three cannot elect anybody: waiting would only hide it.
func TestActiveDoesNotWaitWithoutAMajority(t *testing.T) {
	v := &Vault{
		Client: http.DefaultClient, Progress: func(s string) { t.Error("it waited: " + s) },
		Servers: []string{
			serverThat(t, 200, `{"initialized":true,"standby":true}`),
			serverThat(t, 200, `{"initialized":true,"sealed":true,"standby":true}`),
			serverThat(t, 503, ""),
		},
	}
	_, err := v.Active(t.Context())
	require.ErrorContains(t, err, "no server of Vault is active")
	require.ErrorContains(t, err, "is sealed")
}
