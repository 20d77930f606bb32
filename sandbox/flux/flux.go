// Package flux runs Flux in the sandbox's clusters: the real source, kustomize
// and helm controllers, as processes against a cluster's real API server, with
// the CRDs of their versions.
//
// What stands in:
//   - This package stands in for flux-operator. It follows the FluxInstance
//     that the stack made, and does what the operator does with it: Flux's CRDs
//     and accounts, the controllers, its status; when it is deleted, the
//     uninstallation.
//   - Charts that the mirror does not have are stubs (package charts): the sandbox
//     reaches no chart repository.
//   - Jobs are marked complete when nothing else completes them, Deployments,
//     StatefulSets and DaemonSets ready, and webhooks of charts are not called: there
//     is no kubelet.
//   - The image and notification controllers do not run. Their objects are
//     checked against their CRDs, and nothing more.
package flux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
)

const (
	// Namespace is where Flux lives in every cluster.
	Namespace = "flux-system"
	// manager owns the fields that this package writes.
	manager = "strongroom-sandbox"
)

// Identities are the Secrets with the keys for the repository: the one that
// everything is read with, and that of image automation.
var Identities = []string{"flux-system", "flux-image-automation"}

// Options says what Flux runs with.
type Options struct {
	// Cluster is the name of the cluster, for people.
	Cluster string
	// Config reaches the cluster with every right.
	Config *rest.Config
	// Dir holds what Flux keeps: artifacts, logs, kubeconfigs.
	Dir string
	// BinDir holds the controllers, CRDDir the CRDs: see toolchain.
	BinDir, CRDDir string
	// Charts is where charts are served, "127.0.0.1:5000". The sources
	// of charts are turned there by an admission policy of the cluster.
	Charts string
	// Key receives the public half of each key that the stack made for the
	// repository, with the name of its Secret, for the Git server. Default: nobody
	// is told.
	Key func(secret, line string) error
	// JobDone says whether a Job that Flux made may be marked complete.
	// Default: always.
	JobDone func(namespace, name string) bool
	// Logf receives what happens. Default: discarded.
	Logf func(format string, args ...any)
}

// Flux follows the FluxInstance of one cluster.
type Flux struct {
	options  Options
	dynamic  dynamic.Interface
	client   kubernetes.Interface
	cancel   context.CancelFunc
	done     chan struct{}
	observer *observer
	objects  *changes          // of the kinds that are simulated
	secrets  *changes          // beside the controllers
	keys     map[string]string // that were told, by Secret; of the following goroutine

	mu          sync.Mutex
	controllers *controllers
	failure     error
}

// interval is how often the FluxInstance is looked at, and what was changed.
const interval = 500 * time.Millisecond

// Follow starts to follow a cluster, until Close.
func Follow(options Options) (*Flux, error) {
	if options.Logf == nil {
		options.Logf = func(string, ...any) {}
	}
	if options.JobDone == nil {
		options.JobDone = func(string, string) bool { return true }
	}
	for _, dir := range []*string{&options.Dir, &options.BinDir, &options.CRDDir} {
		absolute, err := filepath.Abs(*dir)
		if err != nil {
			return nil, fmt.Errorf("flux of cluster %q: %w", options.Cluster, err)
		}
		*dir = absolute
	}
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("flux of cluster %q: %w", options.Cluster, err)
	}
	config := rest.CopyConfig(options.Config)
	config.QPS, config.Burst = 100, 200
	f := &Flux{options: options, done: make(chan struct{}), keys: map[string]string{}}
	var err error
	if f.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("flux of cluster %q: %w", options.Cluster, err)
	}
	if f.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("flux of cluster %q: %w", options.Cluster, err)
	}
	f.observer = newObserver(f.dynamic, filepath.Join(options.Dir, "times.json"))
	f.objects = &changes{dynamic: f.dynamic, kinds: simulated}
	f.secrets = &changes{dynamic: f.dynamic, kinds: []schema.GroupVersionResource{corev1.SchemeGroupVersion.WithResource("secrets")}, namespace: Namespace}
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go f.follow(ctx)
	return f, nil
}

// follow brings the cluster to what its FluxInstance says, again and again.
func (f *Flux) follow(ctx context.Context) {
	defer close(f.done)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := f.step(ctx); err != nil && ctx.Err() == nil {
			if f.note(err) {
				f.options.Logf("flux of cluster %q: %v", f.options.Cluster, err)
			}
		} else {
			f.note(nil)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// note keeps what went wrong last and says whether it is news.
func (f *Flux) note(err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	news := err != nil && (f.failure == nil || f.failure.Error() != err.Error())
	f.failure = err
	return news
}

// Close stops the controllers. What is in the cluster stays.
func (f *Flux) Close(ctx context.Context) error {
	f.cancel()
	<-f.done
	f.observer.stop()
	f.objects.stop()
	f.secrets.stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.controllers.stop(ctx)
}

// Status is what Flux of a cluster does, for people.
type Status struct {
	Cluster string `json:"cluster"`
	// Controllers are the processes, "source-controller v1.9.4" to PID. Empty
	// before the stack made a FluxInstance.
	Controllers map[string]int `json:"controllers,omitempty"`
	// Since is when Flux was started in this cluster for the first time.
	Since time.Time `json:"since,omitzero"`
	// Objects are sources, Kustomizations and HelmReleases, in the order in
	// which they became ready; those that are not come last.
	Objects []Object `json:"objects,omitempty"`
	// Failure is why Flux does not run as it should.
	Failure string `json:"failure,omitempty"`
}

// Status of the moment.
func (f *Flux) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := Status{Cluster: f.options.Cluster, Controllers: f.controllers.processes(), Since: f.observer.times.since(), Objects: f.observer.objects()}
	if err := errors.Join(f.failure, f.controllers.failure(), f.observer.times.problem()); err != nil {
		s.Failure = fluxstatus.OneLine(err.Error())
	}
	return s
}
