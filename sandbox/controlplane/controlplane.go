// Package controlplane runs the control planes of the simulated account's EKS
// clusters: for each a real etcd, kube-apiserver and kube-controller-manager,
// on loopback, as children of the calling process. There are no nodes and no
// scheduler.
//
// What a cluster is lies in its own folder, <Dir>/<name>/: etcd's data, the
// certificate authority, the service-account key, logs, and the port, which
// never changes because kubeconfigs and the OIDC issuer contain it. Processes
// stop with their parent; Resume starts them again on the same data.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

// Options says where control planes live and whom they ask.
type Options struct {
	// Dir holds one folder per cluster.
	Dir string
	// BinDir holds etcd, kube-apiserver and kube-controller-manager, and
	// optionally further minors of the last two with the suffix "-1.NN".
	BinDir string
	// Webhook reviews the tokens that `aws eks get-token` makes.
	Webhook Webhook
	// Logf receives what happens between calls: a process that ended by
	// itself and its new start. Default: discarded.
	Logf func(format string, args ...any)
}

// ControlPlanes holds the control planes of one sandbox. Its methods may be
// called concurrently, also for different clusters at the same time.
type ControlPlanes struct {
	options Options

	mu     sync.Mutex
	planes map[string]*plane
	ports  map[int]bool // given to clusters in this life
	closed bool
}

var _ account.ControlPlanes = (*ControlPlanes)(nil)

// namePattern is that of EKS, which also makes a safe folder name.
var namePattern = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$`)

// New returns the control planes of a folder. It starts nothing: see Resume.
func New(options Options) (*ControlPlanes, error) {
	for name, path := range map[string]*string{"Dir": &options.Dir, "BinDir": &options.BinDir} {
		if *path == "" {
			return nil, fmt.Errorf("control planes: %s is not set", name)
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return nil, fmt.Errorf("control planes: %s: %w", name, err)
		}
		*path = absolute
	}
	if options.Logf == nil {
		options.Logf = func(string, ...any) {}
	}
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("control planes: %w", err)
	}
	return &ControlPlanes{options: options, planes: map[string]*plane{}, ports: map[int]bool{}}, nil
}

// Start makes sure that a cluster has a running control plane and returns once
// it is ready, which takes seconds: a new one, or the one that lies on disk,
// with its data and its address. Starting one that runs does nothing.
func (c *ControlPlanes) Start(ctx context.Context, cluster account.Cluster) (account.Endpoint, error) {
	p, err := c.acquire(cluster.Name)
	if err != nil {
		return account.Endpoint{}, err
	}
	defer p.mu.Unlock()
	chosen, note, err := c.choose(ctx, cluster.Version)
	if err != nil {
		if !p.record.Complete {
			c.forget(p)
		}
		return account.Endpoint{}, fmt.Errorf("cluster %q: %w", cluster.Name, err)
	}
	if p.record.Complete && p.record.ARN != cluster.ARN {
		return account.Endpoint{}, fmt.Errorf("cluster %q: its control plane belongs to %s, not to %s: the simulated account has one cluster of a name in all its regions",
			cluster.Name, p.record.ARN, cluster.ARN)
	}
	if p.record.Complete {
		if err := c.run(ctx, p, chosen, note); err != nil {
			return account.Endpoint{}, err
		}
		p.record.Version = cluster.Version
		return p.endpoint(), p.save()
	}
	p.binary, p.note = chosen, note
	p.record = record{Name: cluster.Name, ARN: cluster.ARN, Region: cluster.Region, Version: cluster.Version, Created: time.Now().UTC()}
	if err := c.create(ctx, p); err != nil {
		c.forget(p)
		return account.Endpoint{}, err
	}
	return p.endpoint(), nil
}

// run brings a plane that exists to the chosen binary: it starts it where it
// is down, and starts it again where another binary runs. The caller holds
// p.mu. Where the new binary does not come up, the former one is started, as
// a failed upgrade of EKS leaves the old version running.
func (c *ControlPlanes) run(ctx context.Context, p *plane, chosen binary, note string) error {
	if p.running() && p.binary == chosen {
		p.note = note
		return nil
	}
	former, formerNote, wasRunning := p.binary, p.note, p.running()
	p.unsupervise()
	if err := p.halt(ctx); err != nil {
		return err
	}
	p.binary, p.note = chosen, note
	err := p.launch(ctx)
	if err != nil && wasRunning {
		p.binary, p.note = former, formerNote
		if back := p.launch(context.WithoutCancel(ctx)); back != nil {
			p.failure = back
			return errors.Join(err, back)
		}
	} else if err != nil {
		p.failure = err
		return err
	}
	p.supervise()
	return err
}

// create makes a new control plane in an empty folder. The caller holds p.mu.
func (c *ControlPlanes) create(ctx context.Context, p *plane) error {
	if err := p.discard(ctx); err != nil {
		return err
	}
	if err := c.assignPort(p); err != nil {
		return err
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return fmt.Errorf("folder of cluster %q: %w", p.record.Name, err)
	}
	if err := p.save(); err != nil {
		return err
	}
	if err := p.launch(ctx); err != nil {
		return errors.Join(err, p.keepLogs())
	}
	p.record.Complete = true
	if err := p.save(); err != nil {
		return errors.Join(err, p.discard(context.WithoutCancel(ctx)))
	}
	p.supervise()
	return nil
}

// Upgrade runs the cluster with the binary for version where there is one;
// the data and the address stay. Where there is none the running binary
// stays, and the endpoint's Note says so. A control plane that is down is
// started.
func (c *ControlPlanes) Upgrade(ctx context.Context, name, version string) (account.Endpoint, error) {
	chosen, note, err := c.choose(ctx, version)
	if err != nil {
		return account.Endpoint{}, fmt.Errorf("cluster %q: %w", name, err)
	}
	p, err := c.acquire(name)
	if err != nil {
		return account.Endpoint{}, err
	}
	defer p.mu.Unlock()
	if !p.record.Complete {
		c.forget(p)
		return account.Endpoint{}, fmt.Errorf("cluster %q has no control plane", name)
	}
	if err := c.run(ctx, p, chosen, note); err != nil {
		return account.Endpoint{}, err
	}
	p.record.Version = version
	return p.endpoint(), p.save()
}

// Stop deletes a cluster's control plane: its processes and its data, also
// what an earlier life left of it. A cluster that has none is not an error, so
// that a deletion can be repeated.
func (c *ControlPlanes) Stop(ctx context.Context, name string) error {
	c.giveUp(name)
	p, err := c.acquire(name)
	if err != nil {
		return err
	}
	defer p.mu.Unlock()
	p.unsupervise()
	if err := p.discard(ctx); err != nil {
		return err
	}
	c.forget(p)
	return nil
}

// Prune removes every control plane on disk whose cluster is not in keep: the
// remains of starts that were killed.
func (c *ControlPlanes) Prune(ctx context.Context, keep []account.Cluster) error {
	names, err := c.onDisk()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if !slices.ContainsFunc(keep, func(k account.Cluster) bool { return k.Name == name }) {
			errs = append(errs, c.Stop(ctx, name))
		}
	}
	return errors.Join(errs...)
}

// Resume starts every control plane that lies on disk, at the same time, and
// removes the remains of interrupted starts. The error joins what failed;
// those that failed are kept and shown as down by Status.
func (c *ControlPlanes) Resume(ctx context.Context) error {
	names, err := c.onDisk()
	if err != nil {
		return err
	}
	errs := make([]error, len(names))
	var starting sync.WaitGroup
	for i, name := range names {
		starting.Go(func() { errs[i] = c.resume(ctx, name) })
	}
	starting.Wait()
	return errors.Join(errs...)
}

func (c *ControlPlanes) resume(ctx context.Context, name string) error {
	p, err := c.acquire(name)
	if err != nil {
		return err
	}
	defer p.mu.Unlock()
	if !p.record.Complete {
		err := p.discard(ctx)
		c.forget(p)
		return err
	}
	chosen, note, err := c.choose(ctx, p.record.Version)
	if err != nil {
		p.failure = err
		return fmt.Errorf("cluster %q: %w", name, err)
	}
	return c.run(ctx, p, chosen, note)
}

// Close stops every process and keeps the data. Nothing can be started after.
func (c *ControlPlanes) Close(ctx context.Context) error {
	c.mu.Lock()
	c.closed = true
	planes := slices.Collect(maps.Values(c.planes))
	c.mu.Unlock()
	errs := make([]error, len(planes))
	var stopping sync.WaitGroup
	for i, p := range planes {
		stopping.Go(func() {
			p.unsupervise()
			p.mu.Lock()
			defer p.mu.Unlock()
			p.unsupervise() // a Start may have begun it while we waited
			errs[i] = p.halt(ctx)
		})
	}
	stopping.Wait()
	return errors.Join(errs...)
}

// Status describes one control plane for people.
type Status struct {
	Name    string `json:"name"`
	ARN     string `json:"arn"`
	URL     string `json:"url"`
	Version string `json:"version"`
	// ActualVersion is that of the running binary, Note says where it
	// differs from Version.
	ActualVersion string `json:"actualVersion"`
	Note          string `json:"note,omitempty"`
	// Processes maps a program's name to its PID.
	Processes map[string]int `json:"processes"`
	// Changing is true while it is being started, stopped or upgraded; then
	// only Name is known.
	Changing bool `json:"changing,omitempty"`
	// Failure is why the control plane is down though it should be up.
	Failure string `json:"failure,omitempty"`
}

// Status lists the control planes by name.
func (c *ControlPlanes) Status() []Status {
	c.mu.Lock()
	planes := slices.Collect(maps.Values(c.planes))
	c.mu.Unlock()
	all := make([]Status, 0, len(planes))
	for _, p := range planes {
		all = append(all, p.status())
	}
	slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// AdminConfig is a client configuration with every right in a running
// cluster, for the sandbox's own checks. Its key is made for the call and
// never stored.
func (c *ControlPlanes) AdminConfig(name string) (*rest.Config, error) {
	p, err := c.up(name)
	if err != nil {
		return nil, err
	}
	defer p.mu.Unlock()
	return p.adminConfig()
}

// up returns the plane of a name, locked, if it runs.
func (c *ControlPlanes) up(name string) (*plane, error) {
	c.mu.Lock()
	p := c.planes[name]
	c.mu.Unlock()
	if p == nil {
		return nil, fmt.Errorf("cluster %q has no control plane", name)
	}
	p.mu.Lock()
	if !p.running() {
		p.mu.Unlock()
		return nil, fmt.Errorf("cluster %q: its control plane is down", name)
	}
	return p, nil
}

// acquire returns the plane of a name, locked, with what lies on disk of it.
func (c *ControlPlanes) acquire(name string) (*plane, error) {
	if !namePattern.MatchString(name) {
		return nil, fmt.Errorf("cluster name %q: expected letters, digits, - and _, beginning with a letter or digit, at most 100", name)
	}
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return nil, errors.New("the control planes are being stopped")
		}
		p := c.planes[name]
		if p == nil {
			p = &plane{dir: filepath.Join(c.options.Dir, name), options: &c.options, record: record{Name: name}}
			c.planes[name] = p
		}
		c.mu.Unlock()
		p.mu.Lock()
		if p.gone { // removed while we waited for it
			p.mu.Unlock()
			continue
		}
		if err := p.load(); err != nil {
			p.mu.Unlock()
			return nil, err
		}
		c.mu.Lock()
		c.ports[p.record.Port] = true
		c.mu.Unlock()
		return p, nil
	}
}

// giveUp makes a restart under way end, so that nobody waits for it only to
// stop what it started.
func (c *ControlPlanes) giveUp(name string) {
	c.mu.Lock()
	p := c.planes[name]
	c.mu.Unlock()
	if p != nil {
		p.unsupervise()
	}
}

// assignPort gives p a port that neither another cluster nor another process
// has. The caller holds p.mu.
func (c *ControlPlanes) assignPort(p *plane) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	port, err := choosePort(c.ports)
	if err != nil {
		return fmt.Errorf("cluster %q: %w", p.record.Name, err)
	}
	c.ports[port] = true
	p.record.Port = port
	return nil
}

// onDisk lists the clusters' folders.
func (c *ControlPlanes) onDisk() ([]string, error) {
	entries, err := os.ReadDir(c.options.Dir)
	if err != nil {
		return nil, fmt.Errorf("control planes: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

func (c *ControlPlanes) choose(ctx context.Context, version string) (binary, string, error) {
	found, err := binaries(ctx, c.options.BinDir)
	if err != nil {
		return binary{}, "", err
	}
	return pick(found, version)
}

// forget drops a plane that is no more. The caller holds p.mu.
func (c *ControlPlanes) forget(p *plane) {
	p.gone = true
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.planes, p.record.Name)
	delete(c.ports, p.record.Port)
}
