package vaulthost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/kubelet"
	"github.com/strongroom-platform/strongroom/sandbox/postgres"
	"github.com/strongroom-platform/strongroom/sandbox/vault"
)

// hosted is the Vault of one cluster, or the place where it would be.
type hosted struct {
	options *Options
	cluster account.Cluster
	dir     string
	servers *vault.Servers
	// database is for Vault to make users in.
	database *postgres.Server
	cancel   context.CancelFunc
	running  sync.WaitGroup

	// The rest but for what mu holds belongs to run.
	config      *rest.Config
	client      kubernetes.Interface
	kubelet     *http.Server
	kubeletPort int
	projected   time.Time
	endJob      context.CancelFunc
	job         sync.WaitGroup

	mu         sync.Mutex
	wanted     bool
	release    release
	health     map[string]vault.Health
	firstStart FirstStart
	failure    error
	// databaseNote is why there is no database.
	databaseNote string
}

// begin follows one cluster until ctx ends or end is called.
func begin(ctx context.Context, options *Options, cluster account.Cluster) (*hosted, error) {
	v := &hosted{options: options, cluster: cluster, dir: filepath.Join(options.Dir, cluster.Name), firstStart: NotBegun}
	v.database = Database(options.Dir, options.PortDir, cluster.Name)
	var err error
	v.servers, err = newServers(options, cluster.Name, func(format string, args ...any) { v.say(fmt.Sprintf(format, args...)) })
	if err != nil {
		return nil, err
	}
	ctx, v.cancel = context.WithCancel(ctx)
	v.running.Go(func() { v.run(ctx) })
	return v, nil
}

// end stops following. The servers go on.
func (v *hosted) end() {
	v.cancel()
	v.running.Wait()
}

func (v *hosted) say(what string, args ...any) {
	v.options.Log.Info("Vault: "+what, append([]any{"cluster", v.cluster.Name}, args...)...)
}

// fail notes why something is not as it should be, nil where it is.
func (v *hosted) fail(err error) {
	v.mu.Lock()
	former := v.failure
	v.failure = err
	v.mu.Unlock()
	if err != nil && (former == nil || former.Error() != err.Error()) {
		v.options.Log.Warn("Vault", "cluster", v.cluster.Name, "error", err)
	}
}

func (v *hosted) run(ctx context.Context) {
	defer func() {
		v.stopJob()
		v.stopKubelet()
	}()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if err := v.reconcile(ctx); ctx.Err() == nil {
			v.fail(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// reconcile brings what runs to what the cluster says.
func (v *hosted) reconcile(ctx context.Context) error {
	if err := v.connect(); err != nil {
		return nil //nolint:nilerr // the control plane is down, which its own status says
	}
	home, err := v.client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && home.DeletionTimestamp != nil {
		return v.remove(ctx)
	}
	if err != nil {
		return fmt.Errorf("namespace %q: %w", namespace, err)
	}
	wanted, err := v.lookup(ctx)
	if err != nil || !wanted {
		return err
	}
	if _, err := os.Stat(filepath.Join(v.options.BinDir, "vault")); err != nil {
		return errors.New("the servers are not started, because vault is not built: run `make tools`")
	}
	if err := v.surroundings(ctx); err != nil {
		return err
	}
	if err := v.start(ctx); err != nil {
		return err
	}
	if err := v.show(ctx); err != nil {
		return err
	}
	v.startJob(ctx)
	v.startDatabase(ctx)
	return nil
}

// connect makes the client once: a cluster's CA never changes.
func (v *hosted) connect() error {
	if v.client != nil {
		return nil
	}
	config, err := v.options.Clusters.AdminConfig(v.cluster.Name)
	if err != nil {
		return err
	}
	config.QPS = -1 // three servers are shown at once, and nobody else waits
	v.config = config
	v.client, err = kubernetes.NewForConfig(config)
	return err
}

// lookup reads the two Secrets. Where one is missing, what runs goes on, as pods
// that have mounted it do.
func (v *hosted) lookup(ctx context.Context) (bool, error) {
	var found [2]*corev1.Secret
	for i, name := range []string{valuesSecret, tlsSecret} {
		secret, err := v.client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			v.mu.Lock()
			defer v.mu.Unlock()
			return v.wanted, nil
		}
		if err != nil {
			return false, fmt.Errorf("Secret %s/%s: %w", namespace, name, err) //nolint:staticcheck // the kind's name
		}
		found[i] = secret
	}
	r, err := read(found[0], found[1])
	if err != nil {
		return false, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wanted, v.release = true, r
	return true, nil
}

// surroundings are the service accounts, their tokens and the kubelet.
func (v *hosted) surroundings(ctx context.Context) error {
	if time.Since(v.projected) > refresh {
		if err := makeAccounts(ctx, v.client); err != nil {
			return err
		}
		if err := project(ctx, v.client, v.tokenDir(), v.config.CAData); err != nil {
			return err
		}
		v.projected = time.Now()
	}
	if v.kubelet != nil {
		return nil
	}
	server, err := v.options.Clusters.Kubelet(v.cluster.Name, kubelet.Handler(v.address, v.options.Log))
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", loopback+":0")
	if err != nil {
		return fmt.Errorf("simulated kubelet of cluster %q: %w", v.cluster.Name, err)
	}
	v.kubelet, v.kubeletPort = server, listener.Addr().(*net.TCPAddr).Port
	go func() {
		if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			v.options.Log.Error("simulated kubelet", "cluster", v.cluster.Name, "error", err)
		}
	}()
	return nil
}

func (v *hosted) tokenDir() string { return filepath.Join(v.dir, "tokens") }

// identity is what a pod with a token for Pod Identity has in its environment.
func (v *hosted) identity(tokenFile string) []string {
	return []string{
		"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + v.options.Credentials,
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + filepath.Join(v.tokenDir(), tokenFile),
	}
}

// address is where a port of a pod is on this machine.
func (v *hosted) address(namespaceOf, pod string, port int) (string, error) {
	for _, server := range v.servers.List() {
		if namespaceOf == namespace && server.Name == pod && port == apiPort {
			return strings.TrimPrefix(server.URL, "https://"), nil
		}
	}
	return "", fmt.Errorf("the simulated pod %s/%s has no such port: only %d of Vault's servers", namespaceOf, pod, apiPort)
}

func (v *hosted) start(ctx context.Context) error {
	v.mu.Lock()
	r := v.release
	v.mu.Unlock()
	fresh := len(v.servers.List()) == 0
	if fresh {
		// The pods come first, for the servers to label them.
		for i := range r.replicas {
			if err := v.showServer(ctx, i, r.image, vault.Server{Name: "vault-" + strconv.Itoa(i)}, vault.Health{Sealed: true}); err != nil {
				return err
			}
		}
	}
	err := v.servers.Start(ctx, vault.Config{
		HCL: r.config, Replicas: r.replicas, CA: r.ca, Certificate: r.certificate, Key: r.key, ServerName: r.serverName,
		Region: v.cluster.Region, Endpoint: v.options.Endpoint, Environment: v.identity(serverIdentityFile),
		Pods: &vault.Pods{
			Namespace: namespace, APIServer: strings.TrimPrefix(v.config.Host, "https://"),
			ServiceAccount: filepath.Join(v.tokenDir(), filepath.Dir(serverTokenFile)),
		},
	})
	if err != nil {
		return err
	}
	if fresh {
		v.say(strconv.Itoa(r.replicas) + " servers run")
	}
	return nil
}

// show tells the cluster of the servers, as their nodes and pods.
func (v *hosted) show(ctx context.Context) error {
	health, err := v.servers.Healths(ctx)
	if err != nil {
		return err
	}
	v.mu.Lock()
	v.health = health
	image := v.release.image
	v.mu.Unlock()
	for i, server := range v.servers.List() {
		if err := v.showServer(ctx, i, image, server, health[server.Name]); err != nil {
			return err
		}
	}
	return nil
}

func (v *hosted) showServer(ctx context.Context, ordinal int, image string, server vault.Server, health vault.Health) error {
	if err := showNode(ctx, v.client, nodeOf(ordinal), v.kubeletPort); err != nil {
		return err
	}
	return showPod(ctx, v.client, ordinal, image, server, health)
}

// remove ends the servers with their namespace, whose volumes go with it.
func (v *hosted) remove(ctx context.Context) error {
	v.mu.Lock()
	wanted := v.wanted
	v.wanted, v.health, v.firstStart, v.databaseNote = false, nil, NotBegun, ""
	v.mu.Unlock()
	v.stopJob()
	if _, err := os.Stat(v.dir); err != nil && !wanted {
		return nil //nolint:nilerr // there is none
	}
	v.projected = time.Time{}
	v.say("its namespace goes: the servers and their data are removed")
	return v.removeAll(ctx)
}

// removeAll ends what runs and removes its data.
func (v *hosted) removeAll(ctx context.Context) error {
	if err := v.servers.Stop(); err != nil {
		return err
	}
	// Before the folder that says where the rest of it is.
	if err := v.database.Remove(ctx); err != nil {
		return err
	}
	return v.servers.Remove()
}

func (v *hosted) stopKubelet() {
	if v.kubelet != nil {
		_ = v.kubelet.Close() // what is forwarded ends with it
	}
}

func (v *hosted) status() (Status, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	status := Status{
		Cluster: v.cluster.Name, Servers: []Server{}, CAFile: v.servers.CAFile(), ServerName: v.release.serverName, FirstStart: v.firstStart,
	}
	for _, server := range v.servers.List() {
		status.Servers = append(status.Servers, Server{server, v.health[server.Name]})
	}
	status.Database, status.DatabaseNote = v.database.Status(), v.databaseNote
	if v.failure != nil {
		status.Failure = v.failure.Error()
	}
	return status, v.wanted || v.failure != nil
}
