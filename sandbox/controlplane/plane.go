package controlplane

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/files"
	"github.com/strongroom-platform/strongroom/sandbox/process"
)

const (
	// stopGrace is how long a process may take to end after SIGTERM. etcd's
	// data is safe against SIGKILL, so waiting longer gains nothing.
	stopGrace = 5 * time.Second
	// readyLimit is how long an API server may take to be ready: 4 s on an
	// idle machine with 2 cores, many times that while it compiles.
	readyLimit = 3 * time.Minute
	// maxRestartDelay bounds the growing pause before a control plane whose
	// process ended by itself is started again.
	maxRestartDelay = 30 * time.Second
)

// record is what a cluster's folder remembers of it (cluster.json).
type record struct {
	Name    string    `json:"name"`
	ARN     string    `json:"arn"`
	Region  string    `json:"region"`
	Version string    `json:"version"` // as asked for, "1.35"
	Port    int       `json:"port"`    // of the API server, for life
	Created time.Time `json:"created"`
	// Complete is false until the first start has succeeded: what a killed
	// start leaves is not a cluster.
	Complete bool `json:"complete"`
}

const recordFile = "cluster.json"

// plane is one control plane: three processes, started and stopped together.
type plane struct {
	dir     string
	options *Options

	// mu serialises starting, stopping and upgrading.
	mu       sync.Mutex
	record   record // its Name never changes
	loaded   bool   // record has been read from disk
	gone     bool   // stopped and removed: ask for another plane
	binary   binary
	note     string
	ca       *authority
	children []*process.Child // in the order they were started
	front    *tokenFront
	failure  error // why it is down though it should be up

	// watch ends supervision. It has a lock of its own, for it must work
	// while a restart under way holds mu.
	watchMu sync.Mutex
	watch   context.CancelFunc
}

// launch starts the processes and returns once the API server is ready and
// the access policies are bound. On failure nothing keeps running.
func (p *plane) launch(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, readyLimit, fmt.Errorf("not ready after %s", readyLimit))
	defer cancel()
	if err := p.prepare(); err != nil {
		return err
	}
	if err := p.stopStale(ctx); err != nil {
		return err
	}
	if err := requirePort(p.record.Name, p.record.Port); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.halt(context.WithoutCancel(ctx)))
		}
	}()
	if p.front, err = startTokenFront(p.record.Name, p.ca, p.options.Webhook, p.options.Logf); err != nil {
		return err
	}
	if err := p.front.writeConfig(p.dir); err != nil {
		return err
	}
	etcd := filepath.Join(p.options.BinDir, "etcd")
	if err := p.spawn("etcd", etcd, etcdArguments()); err != nil {
		return err
	}
	if err := p.spawn("kube-apiserver", p.binary.apiServer, apiServerArguments(p.record.Port)); err != nil {
		return err
	}
	client, err := p.admin()
	if err != nil {
		return err
	}
	if err := p.await(ctx, "the API server", apiServerReady(client)); err != nil {
		return err
	}
	if err := p.spawn("kube-controller-manager", p.binary.controllerManager, controllerManagerArguments()); err != nil {
		return err
	}
	if err := grantAccess(ctx, client); err != nil {
		return fmt.Errorf("cluster %q: %w", p.record.Name, err)
	}
	if err := p.await(ctx, "the controllers", controllersReady(client)); err != nil {
		return err
	}
	p.failure = nil
	return nil
}

// prepare makes the folder, the keys and the certificates.
func (p *plane) prepare() error {
	for _, dir := range []string{p.dir, p.path(pkiDir), p.path(runDir), p.path(logDir), p.path(etcdDir)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("folder of cluster %q: %w", p.record.Name, err)
		}
	}
	var err error
	if p.ca, err = loadAuthority(p.path(pkiDir), p.record.Name); err != nil {
		return err
	}
	if err := ensureServiceAccountKey(p.path(pki(serviceAccount + ".key"))); err != nil {
		return err
	}
	leaves := map[string]leaf{
		serving: {
			name:  "kube-apiserver",
			usage: x509.ExtKeyUsageServerAuth,
			dns:   []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
			ips:   []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(172, 20, 0, 1)},
		},
		controllerClient: {name: "system:kube-controller-manager", usage: x509.ExtKeyUsageClientAuth},
		webhookClient:    {name: webhookClient, usage: x509.ExtKeyUsageClientAuth},
		kubeletClient:    {name: kubeletClient, usage: x509.ExtKeyUsageClientAuth},
	}
	for file, l := range leaves {
		if err := p.ca.issue(p.path(pkiDir), file, l); err != nil {
			return err
		}
	}
	config, err := kubeconfig(endpointURL(p.record.Port), controllerClient)
	if err != nil {
		return err
	}
	return files.Replace(p.path(controllerConfig), config, files.Private)
}

// stopStale ends what an earlier life of the daemon left running in this
// folder: it holds the port and the data.
func (p *plane) stopStale(ctx context.Context) error {
	records, err := process.LoadAll(p.path(runDir))
	if err != nil {
		return fmt.Errorf("cluster %q: %w", p.record.Name, err)
	}
	for _, r := range records {
		if err := r.Stop(ctx, stopGrace); err != nil {
			return fmt.Errorf("cluster %q: left by an earlier run: %w", p.record.Name, err)
		}
	}
	return nil
}

func (p *plane) spawn(name, path string, args []string) error {
	child, err := process.Start(process.Spec{
		Name:   name,
		Path:   path,
		Args:   args,
		Dir:    p.dir,
		Env:    environment(),
		Log:    p.path(logDir + "/" + name + ".log"),
		Record: p.path(runDir + "/" + name + process.RecordSuffix),
	})
	if err != nil {
		return fmt.Errorf("cluster %q: %w", p.record.Name, err)
	}
	p.children = append(p.children, child)
	return nil
}

// admin is a client with every right, whose certificate exists in memory only.
func (p *plane) admin() (kubernetes.Interface, error) {
	config, err := p.adminConfig()
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("client of cluster %q: %w", p.record.Name, err)
	}
	return client, nil
}

func (p *plane) adminConfig() (*rest.Config, error) {
	pair, key, err := p.ca.sign(leaf{name: "strongroom-sandbox", groups: []string{"system:masters"}, usage: x509.ExtKeyUsageClientAuth})
	if err != nil {
		return nil, err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		Host:    endpointURL(p.record.Port),
		Timeout: 30 * time.Second,
		TLSClientConfig: rest.TLSClientConfig{
			CAData:   p.ca.pem,
			CertData: encodeCert(pair.Certificate[0]),
			KeyData:  keyPEM,
		},
	}, nil
}

// await polls ready until it succeeds, a process of the plane ends or ctx does.
func (p *plane) await(ctx context.Context, what string, ready func(context.Context) error) error {
	const (
		interval = 100 * time.Millisecond
		// An API server that waits for etcd accepts requests and is silent.
		attempt = 2 * time.Second
	)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		once, cancel := context.WithTimeout(ctx, attempt)
		last := ready(once)
		cancel()
		if last == nil {
			return nil
		}
		for _, child := range p.children {
			select {
			case <-child.Done():
				return fmt.Errorf("cluster %q: %w", p.record.Name, child.Failure())
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cluster %q: waiting for %s: %w (last: %w)", p.record.Name, what, context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

// halt stops the processes, last started first, and keeps the data.
func (p *plane) halt(ctx context.Context) error {
	var errs []error
	for _, child := range slices.Backward(p.children) {
		errs = append(errs, child.Stop(ctx, stopGrace))
	}
	p.children = nil
	if p.front != nil {
		errs = append(errs, p.front.stop(ctx))
		p.front = nil
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop cluster %q: %w", p.record.Name, err)
	}
	return nil
}

// running says whether the plane is up, as far as is known.
func (p *plane) running() bool { return len(p.children) > 0 && p.failure == nil }

// supervise starts the plane again when one of its processes ends by itself,
// as EKS does, until unsupervise. The caller holds p.mu.
func (p *plane) supervise() {
	ctx, cancel := context.WithCancel(context.Background())
	p.watchMu.Lock()
	p.watch = cancel
	p.watchMu.Unlock()
	children := slices.Clone(p.children)
	go func() {
		for {
			ended := firstEnded(ctx, children)
			if ended == nil {
				return
			}
			for delay := time.Second; ; delay = min(2*delay, maxRestartDelay) {
				var ok bool
				if children, ok = p.relaunch(ctx, ended); ok {
					break
				}
				select {
				case <-ctx.Done():
					return
				case <-time.After(delay):
				}
			}
		}
	}()
}

// relaunch is one attempt to bring a plane back whose child has ended.
func (p *plane) relaunch(ctx context.Context, ended *process.Child) ([]*process.Child, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return nil, false
	}
	if p.failure == nil { // the first attempt
		p.failure = ended.Failure()
		p.options.Logf("cluster %q: %v", p.record.Name, p.failure)
	}
	err := p.halt(ctx)
	if err == nil {
		err = p.launch(ctx)
	}
	if err != nil {
		p.failure = err
		p.options.Logf("start again: %v", err)
		return nil, false
	}
	p.options.Logf("cluster %q: running again", p.record.Name)
	return slices.Clone(p.children), true
}

// unsupervise ends supervision. A restart that waits for p.mu will not happen
// any more, one under way gives up.
func (p *plane) unsupervise() {
	p.watchMu.Lock()
	defer p.watchMu.Unlock()
	if p.watch != nil {
		p.watch()
		p.watch = nil
	}
}

// firstEnded waits for a child to end; nil when ctx is done first.
func firstEnded(ctx context.Context, children []*process.Child) *process.Child {
	ended := make(chan *process.Child, len(children))
	stop := make(chan struct{})
	defer close(stop)
	for _, child := range children {
		go func() {
			select {
			case <-child.Done():
				ended <- child
			case <-stop:
			}
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case child := <-ended:
		return child
	}
}

// endpoint is what the account reports of the cluster.
func (p *plane) endpoint() account.Endpoint {
	url := endpointURL(p.record.Port)
	return account.Endpoint{
		URL:           url,
		CAData:        base64.StdEncoding.EncodeToString(p.ca.pem),
		Issuer:        url,
		ActualVersion: p.binary.version,
		Note:          p.note,
	}
}

func (p *plane) path(relative string) string {
	return filepath.Join(p.dir, filepath.FromSlash(relative))
}

// load reads cluster.json, once. What is there without it, or with one that is
// not complete, is no cluster.
func (p *plane) load() error {
	if p.loaded {
		return nil
	}
	data, err := os.ReadFile(p.path(recordFile))
	if err == nil {
		var r record
		if err := json.Unmarshal(data, &r); err != nil {
			return fmt.Errorf("cluster %q: %s is damaged: %w; `strongroom sandbox down` and `up` begin anew", p.record.Name, p.path(recordFile), err)
		}
		if r.Complete {
			p.record = r
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cluster %q: %w", p.record.Name, err)
	}
	p.loaded = true
	return nil
}

// save writes cluster.json.
func (p *plane) save() error {
	data, err := json.MarshalIndent(p.record, "", "  ")
	if err != nil {
		return fmt.Errorf("record of cluster %q: %w", p.record.Name, err)
	}
	return files.Replace(p.path(recordFile), append(data, '\n'), files.Private)
}

// remove deletes the cluster's folder.
func (p *plane) remove() error {
	if err := os.RemoveAll(p.dir); err != nil {
		return fmt.Errorf("remove the data of cluster %q: %w", p.record.Name, err)
	}
	return nil
}

// discard stops the plane, also what an earlier run left of it, and removes
// its data.
func (p *plane) discard(ctx context.Context) error {
	if err := p.halt(ctx); err != nil {
		return err
	}
	if err := p.stopStale(ctx); err != nil {
		return err
	}
	return p.remove()
}

// keepLogs removes what a failed start left except its logs, which say why.
func (p *plane) keepLogs() error {
	for _, dir := range []string{etcdDir, pkiDir, runDir} {
		if err := os.RemoveAll(p.path(dir)); err != nil {
			return fmt.Errorf("clean up after cluster %q: %w", p.record.Name, err)
		}
	}
	return nil
}

func (p *plane) status() Status {
	if !p.mu.TryLock() {
		return Status{Name: filepath.Base(p.dir), Changing: true}
	}
	defer p.mu.Unlock()
	s := Status{
		Name:          p.record.Name,
		ARN:           p.record.ARN,
		URL:           endpointURL(p.record.Port),
		Version:       p.record.Version,
		ActualVersion: p.binary.version,
		Note:          p.note,
		Processes:     map[string]int{},
	}
	for _, child := range p.children {
		r := child.Record()
		s.Processes[r.Name] = r.PID
	}
	if p.failure != nil {
		s.Failure = p.failure.Error()
	}
	return s
}
