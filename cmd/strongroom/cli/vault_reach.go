package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/strongroom-platform/strongroom/internal/vaultaccess"
	"github.com/strongroom-platform/strongroom/internal/vaultops"
)

// The outputs of the stack with Vault.
const (
	outputKubeconfig     = "kubeconfig"
	outputVaultAddress   = "vaultAddress"
	outputVaultCA        = "vaultCaCertificates"
	outputVaultRecovery  = "vaultRecoverySecretArn"
	outputVaultSnapshots = "vaultSnapshotBucket"
)

// reachVault opens a stack's Vault: each server on its own, through the API of its
// cluster, because what a load balancer answers is any server's answer.
func (a *app) reachVault(ctx context.Context, f vaultFlags) (_ *vaultSite, err error) {
	p, o, err := a.openStack(ctx, f.placeFlags, f.stack, "first (docs/vault.md)")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.leave()
		}
	}()
	values, err := o.texts(outputRegion, outputKubeconfig, outputVaultAddress, outputVaultCA, outputVaultRecovery, outputVaultSnapshots)
	if err != nil {
		return nil, err
	}
	session, err := awsSession(ctx, a.getenv, p, o)
	if err != nil {
		return nil, err
	}
	site := &vaultSite{
		secret:    awsSecret{session, values[outputVaultRecovery]},
		snapshots: awsBucket{session, values[outputVaultSnapshots]},
		what:      p.what, sandbox: p.sandbox, leave: p.leave,
	}
	return site, a.reachServers(ctx, p, o, site, values)
}

// reachServers opens the way to every server.
func (a *app) reachServers(ctx context.Context, p *place, o stackOutputs, site *vaultSite, values map[string]string) error {
	config, err := clusterConfig(p, o.values)
	if err != nil {
		return fmt.Errorf("output %q: %w", outputKubeconfig, err)
	}
	cluster, err := vaultaccess.Reach(config)
	if err != nil {
		return err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("output %q: %w", outputKubeconfig, err)
	}
	storage := &clusterStorage{objects, a.tell, storagePoll}
	site.storage = storage
	if p.sandbox {
		site.storage = sandboxStorage{storage}
	}
	names, err := serverNames(ctx, cluster, storage)
	if err != nil {
		return err
	}
	ways := &tunnels{cluster: cluster, open: map[string]*vaultaccess.Forwarder{}}
	leave := site.leave
	site.leave = func() { ways.close(); leave() }
	site.names = map[string]string{}
	site.ops = &vaultops.Vault{}
	for _, name := range names {
		address := fmt.Sprintf("https://%s:%d", name, vaultaccess.Port)
		site.names[address] = name
		site.ops.Servers = append(site.ops.Servers, address)
	}
	if site.ops.Client, err = vaultClient(values[outputVaultCA], values[outputVaultAddress], ways.dial); err != nil {
		return err
	}
	site.login = func(ctx context.Context, account, role string) (string, error) {
		jwt, err := cluster.Token(ctx, account)
		if err != nil {
			return "", err
		}
		return site.ops.Login(ctx, vaultaccess.Mount, role, jwt)
	}
	return nil
}

// serverNames are the servers that there are to be, and any others that there are.
func serverNames(ctx context.Context, cluster *vaultaccess.Cluster, storage *clusterStorage) ([]string, error) {
	names := map[string]bool{}
	pods, err := cluster.Servers(ctx)
	if err != nil {
		return nil, err
	}
	for _, pod := range pods {
		names[pod.Name] = true
	}
	set, err := storage.statefulSet(ctx)
	switch {
	case ignoreGone(err) != nil:
		return nil, err
	case err == nil:
		replicas, _, _ := unstructured.NestedInt64(set.Object, "spec", "replicas") // 0 where there are none
		for i := range replicas {
			names[fmt.Sprintf("%s-%d", vaultName, i)] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// vaultClient trusts the platform's CA alone, and the name of Vault. It has no
// timeout: snapshots take as long as they take, and vaultops bounds the rest.
func vaultClient(ca, address string, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*http.Client, error) {
	at, err := url.Parse(address)
	if err != nil || at.Hostname() == "" {
		return nil, fmt.Errorf("output %q is %q: a URL is expected", outputVaultAddress, address)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(ca)) {
		return nil, fmt.Errorf("output %q holds no certificate in PEM form", outputVaultCA)
	}
	return &http.Client{Transport: &http.Transport{
		DialContext:     dial,
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: at.Hostname(), MinVersion: tls.VersionTLS12},
		// A standby forwards what is for the active server.
		MaxIdleConnsPerHost: 4,
	}}, nil
}

// tunnels are the ways to the servers, opened when they are needed.
type tunnels struct {
	cluster *vaultaccess.Cluster

	mu   sync.Mutex
	open map[string]*vaultaccess.Forwarder
}

// dial connects to a server by its name.
func (t *tunnels) dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, _, _ := strings.Cut(address, ":")
	way, err := t.to(ctx, name)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, network, way.Address())
}

func (t *tunnels) to(ctx context.Context, name string) (*vaultaccess.Forwarder, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		return nil, errors.New("the way to Vault is closed")
	}
	if way := t.open[name]; way != nil {
		return way, nil
	}
	way, err := t.cluster.ForwardTo(ctx, name)
	if err != nil {
		return nil, err
	}
	t.open[name] = way
	return way, nil
}

func (t *tunnels) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, way := range t.open {
		_ = way.Close() // there is nobody to be told
	}
	t.open = nil
}
