package vaultaccess

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOpenAndLogin(t *testing.T) {
	w := newWorld(t, "vault-0", "vault-1", "vault-2")
	w.set("vault-0", unsealed)
	w.set("vault-1", leading)
	w.set("vault-2", unsealed)
	a, err := Open(t.Context(), w.args())
	require.NoError(t, err)
	client, err := a.Login(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"vault"}, w.audience)
	answer, err := client.Logical().ReadWithContext(t.Context(), "whoami")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"pod": "vault-1", "token": "a token of Vault"}, answer.Data, "the active one")
	host, _, err := net.SplitHostPort(strings.TrimPrefix(a.Address, "https://"))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
	require.NoError(t, a.Close())
	_, err = net.Dial("tcp", strings.TrimPrefix(a.Address, "https://"))
	require.Error(t, err, "nothing listens any more")
}

// What a person sees while Vault comes up, and in which order.
func TestProgress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &pod{}
	w.serve(p, "vault-0")
	w.mu.Lock()
	w.refuse = true
	w.mu.Unlock()
	args := w.args()
	var seen []string
	stages := []struct {
		says string
		then func()
	}{
		{`there is no pod of Vault in namespace "vault" yet`, func() {
			w.api.Add("vault-0", p.server.Listener.Addr().String())
		}},
		{"vault-0 is not initialised", func() { w.set("vault-0", initialised) }},
		{"vault-0 is sealed", func() { w.set("vault-0", unsealed) }},
		{"vault-0 is a standby", func() { w.set("vault-0", leading) }},
		{"vault answered 403: [permission denied]", func() {
			w.mu.Lock()
			w.refuse = false
			w.mu.Unlock()
		}},
	}
	args.Progress = func(line string) {
		if next := len(seen); next < len(stages) && strings.HasSuffix(line, stages[next].says) {
			seen = append(seen, line)
			stages[next].then()
		}
	}
	a, err := Open(t.Context(), args)
	require.NoError(t, err)
	_, err = a.Login(t.Context())
	require.NoError(t, err)
	require.Len(t, seen, len(stages), "%q", seen)
	require.Regexp(t, `^waiting until Vault is initialised and unsealed \(\d+s of 2m0s\): `, seen[1])
	require.Contains(t, seen[4], `waiting until the role "provisioner" can log in`)
	require.NoError(t, a.Close())
}

func TestLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "vault-0")
	w.set("vault-0", initialised)
	args := w.args()
	args.Limit = 300 * time.Millisecond
	_, err := Open(t.Context(), args)
	require.ErrorContains(t, err, "waited 300ms until Vault is initialised and unsealed: vault-0 is sealed: docs/vault-operations.md says what to do; "+
		"the limit is strongroom:vault.access.waitMinutes")

	ctx, cancel := context.WithCancel(t.Context())
	args.Limit = time.Hour
	args.Progress = func(string) { cancel() }
	_, err = Open(ctx, args)
	require.ErrorIs(t, err, context.Canceled, "^C ends the wait")
}

// Many connections at once share one link, and none waits for another.
func TestManyConnections(t *testing.T) {
	w := newWorld(t, "vault-0")
	w.set("vault-0", leading)
	a, err := Open(t.Context(), w.args())
	require.NoError(t, err)
	before := w.api.Links()
	large := strings.Repeat("x", 300_000)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			client, err := a.Client() // a transport, and so a connection, of its own
			if err != nil {
				t.Error(err)
				return
			}
			answer, err := client.Logical().WriteWithContext(t.Context(), "echo", map[string]any{"large": large})
			if err != nil || answer.Data["large"] != large {
				t.Error("not what was sent", err)
			}
		})
	}
	all.Wait()
	require.Equal(t, before, w.api.Links())
	require.NoError(t, a.Close())
}

// The active pod is killed: the next connection finds the new one.
func TestAnotherLeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "vault-0", "vault-1")
	w.set("vault-0", leading)
	w.set("vault-1", unsealed)
	a, err := Open(t.Context(), w.args())
	require.NoError(t, err)
	client, err := a.Login(t.Context())
	require.NoError(t, err)
	w.api.Kill("vault-0")
	w.set("vault-1", leading)
	client.SetMaxRetries(3) // as the provider's, for what was under way
	answer, err := client.Logical().ReadWithContext(t.Context(), "whoami")
	require.NoError(t, err)
	require.Equal(t, "vault-1", answer.Data["pod"])
	require.NoError(t, a.Close())
}

func TestVerified(t *testing.T) {
	w := newWorld(t, "vault-0")
	w.set("vault-0", leading)
	args := w.args()
	args.Limit = 200 * time.Millisecond
	args.ServerName = "vault.elsewhere.internal"
	_, err := Open(t.Context(), args)
	require.ErrorContains(t, err, "certificate is valid for vault.tooling.internal, not vault.elsewhere.internal")

	args = w.args()
	args.Limit = 200 * time.Millisecond
	_, args.CA = authority(t)
	_, err = Open(t.Context(), args)
	require.ErrorContains(t, err, "certificate signed by unknown authority")

	t.Setenv("VAULT_SKIP_VERIFY", "true")
	t.Setenv("VAULT_ADDR", "https://elsewhere.example.com")
	t.Setenv("VAULT_TOKEN", "of somebody")
	args = w.args()
	a, err := Open(t.Context(), args)
	require.NoError(t, err)
	client, err := a.Client()
	require.NoError(t, err)
	require.Equal(t, a.Address, client.Address())
	require.Empty(t, client.Token())
	transport, ok := client.CloneConfig().HttpClient.Transport.(*http.Transport)
	require.True(t, ok)
	require.False(t, transport.TLSClientConfig.InsecureSkipVerify)
	require.NoError(t, a.Close())
}

// What is lent is for its owner's eyes, and is gone when the way is closed.
func TestLend(t *testing.T) {
	w := newWorld(t, "vault-0")
	w.set("vault-0", leading)
	a, err := Open(t.Context(), w.args())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "folder", "token")
	require.NoError(t, a.Lend(t.Context(), file))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "a token of Vault", string(data))
	require.NoError(t, a.Close())
	require.NoFileExists(t, file)
	require.Equal(t, 1, w.pods["vault-0"].revoked)
}

// A Vault that went away in between holds nobody up for long.
func TestCloseWithoutVault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "vault-0")
	w.set("vault-0", leading)
	a, err := Open(t.Context(), w.args())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, a.Lend(t.Context(), file))
	w.api.Kill("vault-0")
	begun := time.Now()
	require.NoError(t, a.Close())
	require.Less(t, time.Since(begun), time.Minute)
	require.NoFileExists(t, file)
}

func TestDirect(t *testing.T) {
	w := newWorld(t, "vault-0")
	w.set("vault-0", leading)
	args := w.args()
	args.Mode, args.Address = Direct, w.pods["vault-0"].server.URL
	a, err := Open(t.Context(), args)
	require.NoError(t, err)
	client, err := a.Login(t.Context())
	require.NoError(t, err)
	require.Equal(t, "a token of Vault", client.Token())
	require.Zero(t, w.api.Links())
	require.NoError(t, a.Close())

	w.set("vault-0", initialised)
	args.Limit = 100 * time.Millisecond
	_, err = Open(t.Context(), args)
	require.ErrorContains(t, err, " is sealed")
}

func TestForwardToOneServer(t *testing.T) {
	w := newWorld(t, "vault-0", "vault-1")
	w.set("vault-1", initialised) // a sealed one can be looked at
	f, err := w.cluster.ForwardTo(t.Context(), "vault-1")
	require.NoError(t, err)
	a, err := prepare(w.args())
	require.NoError(t, err)
	health, err := a.health(t.Context(), a.transport(nil), "https://"+f.Address())
	require.NoError(t, err)
	require.True(t, health.Sealed)
	require.NoError(t, f.Close())
}

func TestPortTaken(t *testing.T) {
	w := newWorld(t, "vault-0")
	taken, err := listen(t.Context(), 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	args := w.args()
	args.LocalPort = taken.Addr().(*net.TCPAddr).Port
	_, err = Open(t.Context(), args)
	require.ErrorContains(t, err, "another run may have it, or choose another in strongroom:vault.access.port")
}

func TestArgs(t *testing.T) {
	w := newWorld(t)
	for want, change := range map[string]func(*Args){
		"the cluster that it runs in is not given":     func(a *Args) { a.Cluster = nil },
		"the name in its certificate is not given":     func(a *Args) { a.ServerName = "" },
		`"vpn" is none: expected "tunnel" or "direct"`: func(a *Args) { a.Mode = "vpn" },
		"its address is not given":                     func(a *Args) { a.Mode = Direct },
		"the platform's CA is no certificate in PEM":   func(a *Args) { a.CA = "ca" },
	} {
		args := w.args()
		change(&args)
		_, err := Open(t.Context(), args)
		require.ErrorContains(t, err, want)
	}
}

// The command of a kubeconfig is found where the environment says, and gets it.
func TestConnectByCommand(t *testing.T) {
	w := newWorld(t, "vault-0")
	folder := t.TempDir()
	credential, err := json.Marshal(map[string]any{
		"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
		"status": map[string]any{"token": "a token of a person"},
	})
	require.NoError(t, err)
	script := "#!/bin/sh\n[ \"$WHO\" = somebody ] && echo '" + string(credential) + "'\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "credentials-of-nobody-else"), []byte(script), 0o700))
	config, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "c",
		"contexts": []any{map[string]any{"name": "c", "context": map[string]any{"cluster": "c", "user": "u"}}},
		"clusters": []any{map[string]any{"name": "c", "cluster": map[string]any{
			"server": w.cluster.config.Host, "certificate-authority-data": w.cluster.config.CAData,
		}}},
		"users": []any{map[string]any{"name": "u", "user": map[string]any{"exec": map[string]any{
			"apiVersion": "client.authentication.k8s.io/v1", "command": "credentials-of-nobody-else", "interactiveMode": "Never",
		}}}},
	})
	require.NoError(t, err)
	cluster, err := Connect(string(config), map[string]string{"PATH": folder + ":/usr/bin:/bin", "WHO": "somebody"})
	require.NoError(t, err)
	servers, err := cluster.Servers(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Server{{Name: "vault-0", Phase: "Running"}}, servers)
}
