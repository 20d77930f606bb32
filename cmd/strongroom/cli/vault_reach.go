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

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"

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

// vaultTokenSeconds is the shortest life that Kubernetes gives a service account's
// token, which is used once.
const vaultTokenSeconds = 600

// reachVault opens a stack's Vault: each server on its own, through the API of its
// cluster, because what a load balancer answers is any server's answer.
func (a *app) reachVault(ctx context.Context, f vaultFlags) (_ *vaultSite, err error) {
	p, err := a.goTo(ctx, f.placeFlags, false, a.silent())
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.leave()
		}
	}()
	outputs, err := p.engine.Outputs(ctx, f.stack)
	if err != nil {
		return nil, err
	}
	o := stackOutputs{f.stack, outputs}
	values, err := o.texts(outputRegion, outputKubeconfig, outputVaultAddress, outputVaultCA, outputVaultRecovery, outputVaultSnapshots)
	if err != nil {
		return nil, err
	}
	session, err := a.vpnSession(ctx, p, o)
	if err != nil {
		return nil, err
	}
	site := &vaultSite{
		secret:    awsSecret{session, values[outputVaultRecovery]},
		snapshots: awsBucket{session, values[outputVaultSnapshots]},
		what:      p.what, sandbox: p.sandbox, leave: p.leave,
	}
	return site, a.reachServers(ctx, p, site, values)
}

// texts are several outputs at once.
func (o stackOutputs) texts(names ...string) (map[string]string, error) {
	values := map[string]string{}
	for _, name := range names {
		value, ok := o.values[name].Value.(string)
		if !ok || value == "" {
			return nil, fmt.Errorf("stack %q has no output %q: bring it up first (docs/vault.md)", o.stack, name)
		}
		values[name] = value
	}
	return values, nil
}

// reachServers opens the way to every server.
func (a *app) reachServers(ctx context.Context, p *place, site *vaultSite, values map[string]string) error {
	var env map[string]string
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(values[outputKubeconfig]))
	if p.sandbox {
		if env, err = a.sandboxEnvironment(); err != nil {
			return err
		}
		config, err = restConfig(values[outputKubeconfig], env)
	}
	if err != nil {
		return fmt.Errorf("output %q: %w", outputKubeconfig, err)
	}
	cluster, err := vaultaccess.Connect(values[outputKubeconfig], env)
	if err != nil {
		return err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("output %q: %w", outputKubeconfig, err)
	}
	core, err := typedcorev1.NewForConfig(config)
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
		jwt, err := serviceAccountToken(ctx, core, account)
		if err != nil {
			return "", err
		}
		return site.ops.Login(ctx, vaultaccess.Mount, role, jwt)
	}
	return nil
}

// sandboxEnvironment is where the sandbox's kubeconfigs find their programs and
// credentials.
func (a *app) sandboxEnvironment() (map[string]string, error) {
	b, err := a.open("")
	if err != nil {
		return nil, err
	}
	return b.Env()
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

// serviceAccountToken asks for a token of a service account, for Vault alone.
func serviceAccountToken(ctx context.Context, core typedcorev1.CoreV1Interface, account string) (string, error) {
	seconds := int64(vaultTokenSeconds)
	answer, err := core.ServiceAccounts(vaultNamespace).CreateToken(ctx, account, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{Audiences: []string{vaultaccess.Audience}, ExpirationSeconds: &seconds},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of the service account %s/%s: %w", vaultNamespace, account, err)
	}
	return answer.Status.Token, nil
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
	way, err := t.to(name)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, network, way.Address())
}

func (t *tunnels) to(name string) (*vaultaccess.Forwarder, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		return nil, errors.New("the way to Vault is closed")
	}
	if way := t.open[name]; way != nil {
		return way, nil
	}
	way, err := t.cluster.ForwardTo(name, 0)
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
