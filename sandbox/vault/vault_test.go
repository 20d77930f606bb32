package vault_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/vaultops"
	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/vault"
	"github.com/strongroom-platform/strongroom/sandbox/vault/vaulttest"
)

func httpClient(t *testing.T, ca []byte, name string) *http.Client {
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(ca))
	return &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12},
	}}
}

// TestVault is one Vault through its life: three real servers, the first start by
// the scripts of the Job as they stand, a lost leader, a restart of all, a KMS that
// refuses, a snapshot, a wipe and a restore. Not proven: EKS, the chart, the images.
func TestVault(t *testing.T) {
	t.Parallel() // much of it is waiting
	p := newPlatform(t)
	p.startServers()
	p.startCluster()
	ctx := context.Background()

	out := &bytes.Buffer{}
	begun := time.Now()
	outcome, err := p.firstStart(out).Pod(ctx)
	require.NoError(t, err)
	require.Equal(t, vault.Finished, outcome, out.String())
	t.Logf("first start: %s", time.Since(begun).Round(time.Millisecond))
	await(t, 2*time.Minute, "all servers are unsealed", p.allUnsealed)

	t.Run("again changes nothing", func(t *testing.T) {
		_, before, err := p.recovery("AWSCURRENT")
		require.NoError(t, err)
		out.Reset()
		outcome, err := p.firstStart(out).Pod(ctx)
		require.NoError(t, err)
		require.Equal(t, vault.Finished, outcome, out.String())
		require.Contains(t, out.String(), "nothing to do")
		_, after, err := p.recovery("AWSCURRENT")
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
	t.Run("no root token is left", p.noRootTokenLeft)
	t.Run("two audit devices", func(t *testing.T) {
		require.Len(t, p.auditDevices(), 2)
	})
	t.Run("TLS only", p.tlsOnly)
	t.Run("a new certificate is taken up without a restart", p.newCertificate)
	t.Run("a lost leader", p.lostLeader)
	t.Run("all servers restarted", func(t *testing.T) {
		begun := time.Now()
		require.NoError(t, p.servers.Restart(ctx))
		await(t, 2*time.Minute, "unsealed by KMS", p.allUnsealed)
		t.Logf("all three restarted and unsealed by KMS: %s", time.Since(begun).Round(time.Millisecond))
	})
	t.Run("KMS refuses for a while", p.kmsRefuses)
	t.Run("snapshot, wipe, restore", p.snapshotAndRestore)
}

// A server that hangs answers nothing, and does not end: here its process is stopped.
func TestServerThatHangsIsStartedAgain(t *testing.T) {
	t.Parallel() // all of it is waiting
	p := newPlatform(t)
	p.replicas, p.hangLimit = 1, 3*time.Second
	p.startServers()
	hung := p.servers.List()[0].PID
	require.NoError(t, syscall.Kill(hung, syscall.SIGSTOP))
	await(t, time.Minute, "it is ended", func() error {
		if err := syscall.Kill(hung, 0); !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("%d is still there: %w", hung, err)
		}
		return nil
	})
	await(t, time.Minute, "another one answers", func() error { _, err := p.health(0); return err })
	require.NotEqual(t, hung, p.servers.List()[0].PID)
}

func (p *platform) allUnsealed() error {
	for i, server := range p.servers.List() {
		h, err := p.health(i)
		if err != nil {
			return err
		}
		if !h.Initialized || h.Sealed {
			return fmt.Errorf("%s: initialised %t, sealed %t", server.Name, h.Initialized, h.Sealed)
		}
	}
	_, err := p.leader()
	return err
}

// auditDevices reads the devices as they are in the audit log of the active
// server: the provisioner may not list them, and there is no root token.
func (p *platform) auditDevices() []string {
	p.t.Helper()
	leader, err := p.leader()
	require.NoError(p.t, err)
	server := p.servers.List()[leader]
	p.login() // something to be logged
	var found []string
	for name, path := range map[string]string{
		"file": filepath.Join(filepath.Dir(server.Log), "audit", "audit.log"), "stdout": server.Log,
	} {
		data, err := os.ReadFile(path)
		require.NoError(p.t, err)
		if bytes.Contains(data, []byte(`"path":"auth/provisioner/login"`)) {
			found = append(found, name)
		}
	}
	return found
}

// rootToken finds tokens of the kind that init returns, anywhere in the folder.
func (p *platform) noRootTokenLeft(t *testing.T) {
	for _, label := range []string{"AWSCURRENT", "AWSPREVIOUS"} {
		document, text, err := p.recovery(label)
		require.NoError(t, err, text)
		require.NotContains(t, document, "root_token", label)
		require.NotContains(t, text, "hvs.", label)
		if label == "AWSCURRENT" {
			require.Equal(t, "finished", document["state"])
			require.Len(t, document["recovery_keys_b64"], 5)
		}
	}
	files := 0
	require.NoError(t, filepath.WalkDir(p.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		require.NoError(t, err)
		files++
		require.NotContains(t, string(data), "hvs.", path)
		return nil
	}))
	left, err := os.ReadDir(p.memory())
	require.NoError(t, err)
	require.Empty(t, left, "what passed between the scripts")
	t.Logf("no token in %d files", files)
}

func (p *platform) tlsOnly(t *testing.T) {
	for i, server := range p.servers.List() {
		config, err := os.ReadFile(filepath.Join(filepath.Dir(server.Log), "vault.hcl"))
		require.NoError(t, err)
		require.NotContains(t, string(config), "tls_disable")
		response, err := httpClient(t, p.config.CA, fmt.Sprintf("vault-%d.vault-internal", i)).Get(server.URL + "/v1/sys/health?standbyok=true")
		require.NoError(t, err, "the certificate of %s is good for its own name", server.Name)
		require.NoError(t, response.Body.Close())
		_, err = httpClient(t, p.config.CA, "vault-9.vault-internal").Get(server.URL + "/v1/sys/health") //nolint:bodyclose // it is refused
		require.ErrorContains(t, err, "vault-9.vault-internal")
		response, err = http.Get(strings.Replace(server.URL, "https://", "http://", 1) + "/v1/sys/health")
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusBadRequest, response.StatusCode, "plain http is refused")
	}
}

func (p *platform) newCertificate(t *testing.T) {
	before := p.servers.List()
	p.config.CA, p.config.Certificate, p.config.Key = vaulttest.Certificates(t)
	clients.Delete(p)
	require.NoError(t, p.servers.Start(context.Background(), p.config))
	await(t, 2*time.Minute, "all servers show it", p.allUnsealed)
	require.Equal(t, before, p.servers.List(), "the same processes")
}

// lostLeader kills the active server under a steady write load.
func (p *platform) lostLeader(t *testing.T) {
	token := p.login()
	out, err := p.vaultCLI(token, 0, "secrets", "enable", "-path=load", "-version=1", "kv")
	require.NoError(t, err, out)
	token = p.loader(token)
	acknowledged := map[string]bool{}
	var mu sync.Mutex
	var killed, firstNew time.Time
	ctx, stop := context.WithCancel(context.Background())
	var writers sync.WaitGroup
	for w := range 3 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				name := fmt.Sprintf("w%d-%d", w, i)
				if p.write(ctx, token, (w+i)%3, name) {
					mu.Lock()
					acknowledged[name] = true
					if !killed.IsZero() && firstNew.IsZero() {
						firstNew = time.Now()
					}
					mu.Unlock()
				}
			}
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acknowledged) }
	await(t, 2*time.Minute, "writes before the kill", func() error {
		if count() < 100 {
			return fmt.Errorf("%d writes", count())
		}
		return nil
	})
	leader, err := p.leader()
	require.NoError(t, err)
	require.NoError(t, p.servers.Kill(p.servers.List()[leader].Name))
	mu.Lock()
	killed = time.Now()
	mu.Unlock()
	before := count()
	await(t, 2*time.Minute, "writes after the kill", func() error {
		mu.Lock()
		defer mu.Unlock()
		if len(acknowledged) < before+100 || firstNew.IsZero() {
			return fmt.Errorf("%d writes", len(acknowledged))
		}
		return nil
	})
	stop()
	writers.Wait()
	await(t, 2*time.Minute, "the killed server is back", p.allUnsealed)
	for name := range acknowledged {
		require.Equal(t, name, p.read(t, token, name), "an acknowledged write")
	}
	t.Logf("leader killed: %d acknowledged writes, all read back; first write %s after the kill", len(acknowledged), firstNew.Sub(killed).Round(time.Millisecond))
}

func (p *platform) ops() *vaultops.Vault {
	ops := &vaultops.Vault{Client: httpClient(p.t, p.config.CA, vault.ServerName)}
	ops.Client.Timeout = time.Minute
	for _, server := range p.servers.List() {
		ops.Servers = append(ops.Servers, server.URL)
	}
	return ops
}

// loader makes a token that may write below load/, by the provisioner's rights.
func (p *platform) loader(provisioner string) string {
	p.t.Helper()
	policy := p.file("load.hcl", `path "load/*" { capabilities = ["create","update","read","list"] }`+"\n"+
		`path "sys/storage/raft/snapshot" { capabilities = ["read"] }`+"\n"+`path "sys/storage/raft/snapshot-force" { capabilities = ["update"] }`+"\n")
	for _, args := range [][]string{
		{"policy", "write", "load", policy},
		{"auth", "enable", "-path=load", "kubernetes"},
		{"write", "auth/load/config", "kubernetes_host=" + p.endpoint.URL, "kubernetes_ca_cert=@" + p.clusterCA, "disable_local_ca_jwt=true", "token_reviewer_jwt=@" + p.reviewer},
		{"write", "auth/load/role/load", "bound_service_account_names=vault-provisioner", "bound_service_account_namespaces=vault", "audience=vault", "token_policies=load", "token_ttl=1h"},
	} {
		out, err := p.vaultCLI(provisioner, 0, args...)
		require.NoError(p.t, err, out)
	}
	return p.loadToken()
}

func (p *platform) loadToken() string {
	p.t.Helper()
	out, err := p.vaultCLI("", 0, "write", "-field=token", "auth/load/login", "role=load", "jwt=@"+p.provisioner)
	require.NoError(p.t, err, out)
	return strings.Trim(strings.TrimSpace(out), `"`)
}

func (p *platform) write(ctx context.Context, token string, server int, name string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, p.servers.List()[server].URL+"/v1/load/"+name, strings.NewReader(`{"value":"`+name+`"}`))
	if err != nil {
		return false
	}
	request.Header.Set("X-Vault-Token", token)
	response, err := p.client().Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode == http.StatusNoContent
}

func (p *platform) read(t *testing.T, token, name string) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, p.servers.List()[0].URL+"/v1/load/"+name, nil)
	require.NoError(t, err)
	request.Header.Set("X-Vault-Token", token)
	response, err := p.client().Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var answer struct{ Data struct{ Value string } }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return answer.Data.Value
}

func (p *platform) kmsRefuses(t *testing.T) {
	require.NoError(t, p.account.Faults().Set(account.Fault{Type: "kms:Decrypt", Op: account.OpInvoke, Mode: account.FailAlways}))
	require.NoError(t, p.servers.Restart(context.Background()))
	for i, server := range p.servers.List() {
		await(t, 2*time.Minute, server.Name+" says why it is sealed", func() error {
			log, err := os.ReadFile(server.Log)
			require.NoError(t, err)
			at := bytes.LastIndex(log, []byte("Vault server started"))
			if at < 0 || !bytes.Contains(log[at:], []byte("KMSInternalException")) {
				return fmt.Errorf("the log of %s does not name KMS", server.Name)
			}
			return nil
		})
		h, err := p.health(i)
		require.NoError(t, err)
		require.True(t, h.Sealed, server.Name)
	}
	p.account.Faults().Clear()
	took := await(t, 2*time.Minute, "unsealed once KMS answers", p.allUnsealed)
	t.Logf("KMS refused: sealed and said so; unsealed %s after KMS answered again", took.Round(time.Millisecond))
}

// snapshotAndRestore loses all three disks, and puts a snapshot into a new Vault.
func (p *platform) snapshotAndRestore(t *testing.T) {
	token := p.loadToken()
	require.True(t, p.write(context.Background(), token, 0, "kept"))
	snapshot := filepath.Join(p.dir, "vault.snap")
	saved, err := os.Create(snapshot)
	require.NoError(t, err)
	size, err := p.ops().Snapshot(context.Background(), token, saved)
	require.NoError(t, err)
	require.NoError(t, saved.Close())
	begun := time.Now()
	require.NoError(t, p.servers.Wipe(context.Background()))
	h, err := p.health(0)
	require.NoError(t, err)
	require.False(t, h.Initialized)
	file, err := os.Open(snapshot)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	require.NoError(t, p.ops().Restore(context.Background(), file))
	await(t, 2*time.Minute, "all servers are unsealed", p.allUnsealed)
	await(t, 2*time.Minute, "reads back", func() error {
		if got := p.read(t, token, "kept"); got != "kept" {
			return fmt.Errorf("read %q", got)
		}
		return nil
	})
	t.Logf("snapshot of %d bytes, all disks lost, restored and read back: %s", size, time.Since(begun).Round(time.Millisecond))
	p.login()
}
