package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
	"github.com/strongroom-platform/strongroom/sandbox/flux"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
	"github.com/strongroom-platform/strongroom/sandbox/gitserver"
	"github.com/strongroom-platform/strongroom/sandbox/loopback"
)

// handover is what the daemon has for Flux: one Git server with the checkout's
// working tree and one registry of charts for all clusters, and for each
// cluster somebody who follows its FluxInstance. Where the stack makes none,
// nothing of Flux runs in the cluster.
type handover struct {
	sandbox  *Sandbox
	log      *slog.Logger
	planes   *controlplane.ControlPlanes
	git      *gitserver.Server
	registry *http.Server
	charts   string // address of the registry
	// jobDone says whether a Job that Flux made in a cluster may be marked
	// complete: there is no kubelet. None may before it is set.
	jobDone atomic.Pointer[func(cluster, namespace, name string) bool]

	mu       sync.Mutex
	clusters map[string]*flux.Flux
}

var _ account.ControlPlanes = (*handover)(nil)

// newHandover starts the Git server and the registry. planes are the control
// planes that are followed from then on.
func newHandover(ctx context.Context, s *Sandbox, log *slog.Logger, planes *controlplane.ControlPlanes) (*handover, error) {
	h := &handover{sandbox: s, log: log, planes: planes, clusters: map[string]*flux.Flux{}}
	if err := charts.Operator(s.operatorCharts(), s.mirror()); err != nil {
		return nil, fmt.Errorf("charts of flux-operator: %w", err)
	}
	logf := func(format string, args ...any) { log.Info(fmt.Sprintf(format, args...)) }
	var err error
	if h.git, err = gitserver.Start(gitserver.Options{Dir: s.path("flux", "git"), Source: s.checkout, Path: treePath, Logf: logf}); err != nil {
		return nil, err
	}
	listener, err := loopback.Listen(ctx, s.path("flux", "registry.port"), "the registry of charts")
	if err != nil {
		return nil, errors.Join(err, h.git.Close())
	}
	h.charts = listener.Addr().String()
	h.registry = &http.Server{Handler: &charts.Registry{CRDDir: s.CRDDir(), Mirror: s.mirror()}, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	go func() {
		if err := h.registry.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the registry of charts has ended", "error", err)
		}
	}()
	if err := s.saveRemote(remote{URL: h.git.URL(), KnownHosts: h.git.KnownHosts()}); err != nil {
		return nil, errors.Join(err, h.close(ctx))
	}
	return h, nil
}

// Start starts a control plane and follows it.
func (h *handover) Start(ctx context.Context, cluster account.Cluster) (account.Endpoint, error) {
	endpoint, err := h.planes.Start(ctx, cluster)
	if err != nil {
		return endpoint, err
	}
	return endpoint, h.follow(cluster.Name)
}

// Upgrade leaves Flux alone: the address stays, and its controllers try again.
func (h *handover) Upgrade(ctx context.Context, name, version string) (account.Endpoint, error) {
	return h.planes.Upgrade(ctx, name, version)
}

// Stop ends what is left of Flux in a cluster that is deleted, and then the
// control plane.
func (h *handover) Stop(ctx context.Context, name string) error {
	h.mu.Lock()
	f := h.clusters[name]
	delete(h.clusters, name)
	h.mu.Unlock()
	if f != nil {
		if err := f.Close(ctx); err != nil {
			return fmt.Errorf("stop Flux of cluster %q: %w", name, err)
		}
	}
	for _, secret := range flux.Identities {
		h.git.Revoke(name + "/" + secret)
	}
	if err := h.planes.Stop(ctx, name); err != nil {
		return err
	}
	if err := os.RemoveAll(h.sandbox.fluxDir(name)); err != nil {
		return fmt.Errorf("what Flux of cluster %q kept: %w", name, err)
	}
	return nil
}

// follow begins to follow a cluster whose control plane runs.
func (h *handover) follow(cluster string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.clusters[cluster] != nil {
		return nil
	}
	config, err := h.planes.AdminConfig(cluster)
	if err != nil {
		return err
	}
	f, err := flux.Follow(flux.Options{
		Cluster: cluster,
		Config:  config,
		Dir:     h.sandbox.fluxDir(cluster),
		BinDir:  h.sandbox.BinDir(),
		CRDDir:  h.sandbox.CRDDir(),
		Charts:  h.charts,
		Key:     func(secret, line string) error { return h.git.Authorize(cluster+"/"+secret, line) },
		JobDone: func(namespace, name string) bool {
			done := h.jobDone.Load()
			return done != nil && (*done)(cluster, namespace, name)
		},
		Logf: func(format string, args ...any) { h.log.Info(fmt.Sprintf(format, args...)) },
	})
	if err != nil {
		return err
	}
	h.clusters[cluster] = f
	return nil
}

// prune removes what Flux kept of clusters that are gone. What a killed daemon
// left running was ended before this one started.
func (h *handover) prune(keep []account.Cluster) error {
	entries, err := os.ReadDir(h.sandbox.path("flux", "clusters"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("what Flux kept: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		if !slices.ContainsFunc(keep, func(c account.Cluster) bool { return c.Name == entry.Name() }) {
			errs = append(errs, os.RemoveAll(h.sandbox.fluxDir(entry.Name())))
		}
	}
	return errors.Join(errs...)
}

// status of every cluster, by name.
func (h *handover) status() []flux.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []flux.Status
	for _, f := range h.clusters {
		all = append(all, f.Status())
	}
	slices.SortFunc(all, func(a, b flux.Status) int { return strings.Compare(a.Cluster, b.Cluster) })
	return all
}

// close stops the controllers, and then what they read from.
func (h *handover) close(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	errs := make([]error, 0, len(h.clusters)+2)
	var stopping sync.WaitGroup
	var mu sync.Mutex
	for _, f := range h.clusters {
		stopping.Go(func() {
			err := f.Close(ctx)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	stopping.Wait()
	clear(h.clusters)
	return errors.Join(append(errs, h.registry.Close(), h.git.Close())...)
}

// reconciled is the answer to a request to look at the working tree now.
type reconciled struct {
	Revision string `json:"revision"`
}

// serveReconcile makes Flux of every cluster look at the working tree now.
func (h *handover) serveReconcile(w http.ResponseWriter, r *http.Request) {
	revision, err := h.reconcile(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(reconciled{revision}); err != nil {
		h.log.Warn("the revision was not taken", "error", err)
	}
}

func (h *handover) reconcile(ctx context.Context) (string, error) {
	commit, err := h.git.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, f := range h.clusters {
		errs = append(errs, f.Reconcile(ctx))
	}
	// As the source controller writes it.
	return gitserver.Branch + "@sha1:" + commit, errors.Join(errs...)
}

func (s *Sandbox) operatorCharts() string { return s.path("flux", "charts") }
func (s *Sandbox) fluxDir(cluster string) string {
	return s.path("flux", "clusters", cluster)
}
