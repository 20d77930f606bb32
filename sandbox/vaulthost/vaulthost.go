// Package vaulthost gives the clusters of the simulated account the Vault that
// their stack declares: once the Secrets vault-helm-values and vault-tls are in a
// cluster's namespace "vault", three real servers run with the configuration out
// of the first and the certificates out of the second, and the scripts of the Job
// vault-init initialise them. Both get their AWS credentials as pods do, by the
// tokens of their service accounts, for the roles that the stack associates.
//
// It is in the place of the chart, the kubelet and the Job controller. What it
// makes in the cluster (nodes, pods, service accounts) is labelled
// strongroom.io/simulated.
package vaulthost

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/postgres"
	"github.com/strongroom-platform/strongroom/sandbox/vault"
)

// look is how often clusters, Secrets and servers are looked at.
const look = time.Second

// Clusters are the control planes of the account.
type Clusters interface {
	AdminConfig(cluster string) (*rest.Config, error)
	Kubelet(cluster string, handler http.Handler) (*http.Server, error)
}

// Options of a Host.
type Options struct {
	// Dir holds one folder for each cluster that has a Vault.
	Dir string
	// PortDir remembers the ports of their databases.
	PortDir string
	// BinDir holds the programs vault and, where the machine has none, aws.
	BinDir string
	// Scripts is a copy of gitops/infrastructure/configs/vault-init.
	Scripts string
	// LogDir takes what the scripts say.
	LogDir string
	// Endpoint is the simulated AWS, Credentials its Pod Identity agent.
	Endpoint, Credentials string
	Account               *account.Account
	Clusters              Clusters
	Log                   *slog.Logger
}

// Host runs the Vaults of all clusters.
type Host struct {
	options Options

	mu     sync.Mutex
	vaults map[string]*hosted
}

// New starts nothing: see Run.
func New(options Options) *Host {
	return &Host{options: options, vaults: map[string]*hosted{}}
}

// Run follows the account's clusters until ctx ends, and then stops every server.
// The data stays.
func (h *Host) Run(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for ctx.Err() == nil {
		h.follow(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return h.stop()
}

// follow begins with new clusters and ends with those that are gone.
func (h *Host) follow(ctx context.Context) {
	clusters := h.options.Account.Clusters()
	for _, cluster := range clusters {
		if h.of(cluster.Name) != nil {
			continue
		}
		v, err := begin(ctx, &h.options, cluster)
		if err != nil {
			h.options.Log.Error("Vault", "cluster", cluster.Name, "error", err)
			continue
		}
		h.set(cluster.Name, v)
	}
	left, err := h.onDisk()
	if err != nil {
		h.options.Log.Error("Vaults of clusters that are gone", "error", err)
	}
	for _, name := range append(left, h.names()...) {
		if slices.ContainsFunc(clusters, func(c account.Cluster) bool { return c.Name == name }) {
			continue
		}
		if err := h.remove(ctx, name); err != nil {
			h.options.Log.Error("Vault of a cluster that is gone", "cluster", name, "error", err)
			continue
		}
		h.set(name, nil)
	}
}

func (h *Host) of(cluster string) *hosted {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.vaults[cluster]
}

func (h *Host) set(cluster string, v *hosted) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if v == nil {
		delete(h.vaults, cluster)
		return
	}
	h.vaults[cluster] = v
}

func (h *Host) names() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.vaults))
}

// onDisk are the clusters that had a Vault in this life or an earlier one.
func (h *Host) onDisk() ([]string, error) {
	entries, err := os.ReadDir(h.options.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // none was ever there
	}
	if err != nil {
		return nil, fmt.Errorf("folder of the sandbox's Vaults: %w", err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}

// remove ends the Vault of a cluster, also what an earlier life may have left of
// it, and removes its data.
func (h *Host) remove(ctx context.Context, cluster string) error {
	if v := h.of(cluster); v != nil {
		v.end()
		return v.removeAll(ctx)
	}
	servers, err := newServers(&h.options, cluster, nil)
	if err != nil {
		return err
	}
	if err := Database(h.options.Dir, h.options.PortDir, cluster).Remove(ctx); err != nil {
		return err
	}
	return servers.Remove()
}

func newServers(options *Options, cluster string, logf func(string, ...any)) (*vault.Servers, error) {
	return vault.New(vault.Options{Dir: filepath.Join(options.Dir, cluster), Binary: filepath.Join(options.BinDir, "vault"), Logf: logf})
}

func (h *Host) stop() error {
	names := h.names()
	errs := make([]error, len(names))
	var ending sync.WaitGroup
	for i, name := range names {
		ending.Go(func() {
			v := h.of(name)
			v.end()
			// Vault first: PostgreSQL waits for its clients.
			if err := errors.Join(v.servers.Stop(), v.database.Stop(context.Background())); err != nil {
				errs[i] = fmt.Errorf("stop Vault of cluster %q: %w", name, err)
			}
		})
	}
	ending.Wait()
	return errors.Join(errs...)
}

// Status describes one Vault.
type Status struct {
	Cluster string   `json:"cluster"`
	Servers []Server `json:"servers"`
	// CAFile is the CA of their certificates, ServerName the name in them.
	CAFile     string `json:"caFile"`
	ServerName string `json:"serverName"`
	// FirstStart says how far the Job's scripts are.
	FirstStart FirstStart `json:"firstStart"`
	// Database is the server that Vault can make users in, DatabaseNote why there is
	// none.
	Database     *postgres.Status `json:"database,omitempty"`
	DatabaseNote string           `json:"databaseNote,omitempty"`
	// Failure is why something is not as it should be.
	Failure string `json:"failure,omitempty"`
}

// Server is one server.
type Server struct {
	vault.Server
	vault.Health
}

// Status lists the Vaults that there are, by cluster.
func (h *Host) Status() []Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Status
	for _, v := range h.vaults {
		if status, wanted := v.status(); wanted {
			all = append(all, status)
		}
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Cluster, b.Cluster) })
	return all
}
