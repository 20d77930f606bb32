// Package vault runs the platform's Vault in the sandbox: real servers on
// 127.0.0.1 with the configuration and the certificates that VaultHA rendered,
// sealed by the simulated KMS, one process for each pod of the StatefulSet.
//
// The servers are supervised as a kubelet would: one that ends is started again, and
// one that hangs is ended.
// They end with the process that started them. Their ports never change, because
// clients and raft peers remember them.
package vault

import (
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
	"reflect"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/files"
	"github.com/strongroom-platform/strongroom/sandbox/process"
)

const (
	// startLimit is how long a server may take until it answers, sealed or not.
	startLimit = time.Minute
	// stopGrace is how long a server may take to step down and to end.
	stopGrace = 10 * time.Second
	// hangLimit is how long a server may answer nothing. Its pod's liveness probe
	// waits longer: in a sandbox nothing that a server does takes this long.
	hangLimit = 30 * time.Second
	// longestPause is the longest time before a server that ended is started
	// again.
	longestPause = 10 * time.Second
	// ServerName is the name by which clients know Vault, if no other is given.
	ServerName = "vault.tooling.internal"
)

// Options says where the servers live.
type Options struct {
	// Dir holds one folder for each server, and the certificates.
	Dir string
	// Binary is the vault program.
	Binary string
	// HangLimit is how long a server may answer nothing before it is started again.
	// Default: 30 s.
	HangLimit time.Duration
	// Logf receives what happens between calls. Default: discarded.
	Logf func(format string, args ...any)
}

// Config is what the servers are started with.
type Config struct {
	// HCL is the configuration as VaultHA rendered it for the pods.
	HCL string
	// Replicas is how many servers there are.
	Replicas int
	// CA, Certificate and Key are the files of the Secret vault-tls.
	CA, Certificate, Key []byte
	// ServerName is what clients know the certificate by. Default: ServerName.
	ServerName string
	// Region is that of the KMS key, Endpoint the address of the simulated AWS.
	Region, Endpoint string
	// Pods says where the servers' pods are shown, nil where they are not.
	Pods *Pods
	// Environment is added to that of the servers: where they get their AWS
	// credentials.
	Environment []string
}

// Pods are what the servers know of being pods.
type Pods struct {
	Namespace string
	// APIServer is host:port of the cluster's API.
	APIServer string
	// ServiceAccount is the folder with their service account's token and ca.crt.
	ServiceAccount string
}

// Servers are the servers of one Vault. Their methods may be called concurrently.
type Servers struct {
	options Options

	mu      sync.Mutex
	config  Config
	nodes   []*node
	ports   ports
	stopAll context.CancelFunc // nil where nothing runs
	running sync.WaitGroup

	// childMu is held for moments only. nodes are written with both held.
	childMu  sync.Mutex
	children map[string]*process.Child
}

// New returns the servers of a folder. It starts nothing.
func New(options Options) (*Servers, error) {
	for name, path := range map[string]*string{"Dir": &options.Dir, "Binary": &options.Binary} {
		if *path == "" {
			return nil, fmt.Errorf("servers of Vault: %s is not set", name)
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return nil, fmt.Errorf("servers of Vault: %s: %w", name, err)
		}
		*path = absolute
	}
	if options.HangLimit == 0 {
		options.HangLimit = hangLimit
	}
	if options.Logf == nil {
		options.Logf = func(string, ...any) {}
	}
	return &Servers{options: options, ports: ports{}, children: map[string]*process.Child{}}, nil
}

// Start makes sure that the servers run with config, and returns once each of
// them answers, sealed or not. Servers that run with the same one are left alone;
// new certificates they are told to read.
func (s *Servers) Start(ctx context.Context, config Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if config.ServerName == "" {
		config.ServerName = ServerName
	}
	if s.stopAll != nil && reflect.DeepEqual(s.config, config) {
		return nil
	}
	if s.stopAll != nil && reflect.DeepEqual(s.config.withCertificates(config), config) {
		return s.renew(config)
	}
	if err := s.halt(); err != nil {
		return err
	}
	if err := s.prepare(ctx, config); err != nil {
		return err
	}
	return s.launch(ctx)
}

func (c Config) withCertificates(from Config) Config {
	c.CA, c.Certificate, c.Key, c.ServerName = from.CA, from.Certificate, from.Key, from.ServerName
	return c
}

// renew gives running servers new certificates. The caller holds s.mu.
func (s *Servers) renew(config Config) error {
	if err := s.writeCertificates(config); err != nil {
		return err
	}
	s.config = config
	s.childMu.Lock()
	defer s.childMu.Unlock()
	for name, child := range s.children {
		if err := syscall.Kill(child.Record().PID, syscall.SIGHUP); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("tell %s of its new certificate: %w", name, err)
		}
	}
	return nil
}

func (s *Servers) writeCertificates(config Config) error {
	for name, data := range map[string][]byte{"ca.crt": config.CA, "tls.crt": config.Certificate, "tls.key": config.Key} {
		if err := files.Replace(filepath.Join(s.options.Dir, "tls", name), data, files.Private); err != nil {
			return err
		}
	}
	return nil
}

// launch starts what prepare wrote. The caller holds s.mu.
func (s *Servers) launch(ctx context.Context) error {
	for _, n := range s.nodes {
		for _, port := range []int{n.Port, n.ClusterPort} {
			if err := s.ports.hold(port); err != nil {
				return fmt.Errorf("port %d of %s: %w", port, n.Name, err)
			}
		}
	}
	watch, stop := context.WithCancel(context.Background())
	s.stopAll = stop
	for _, n := range s.nodes {
		s.running.Go(func() { s.supervise(watch, n) })
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, n := range s.nodes {
		if err := s.awaitAnswer(ctx, n); err != nil {
			return errors.Join(err, s.halt())
		}
	}
	return nil
}

// Stop ends the servers and keeps their data.
func (s *Servers) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.halt(), s.ports.release())
}

// Remove ends the servers and removes their data.
func (s *Servers) Remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(s.halt(), s.ports.release()); err != nil {
		return err
	}
	s.setNodes(nil)
	s.config = Config{}
	if err := os.RemoveAll(s.options.Dir); err != nil {
		return fmt.Errorf("remove the data of Vault: %w", err)
	}
	return nil
}

// Wipe empties the storage of all servers, as deleting the volumes and the pods
// would, and starts them again.
func (s *Servers) Wipe(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.nodes) == 0 {
		return errors.New("there is no Vault to be wiped")
	}
	if err := s.halt(); err != nil {
		return err
	}
	for _, n := range s.nodes {
		if err := n.wipe(); err != nil {
			return err
		}
	}
	return s.launch(ctx)
}

// Restart ends every server and starts it again on its data.
func (s *Servers) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.nodes) == 0 {
		return errors.New("there is no Vault to be started again")
	}
	if err := s.halt(); err != nil {
		return err
	}
	return s.launch(ctx)
}

// Kill ends one server as a lost node would, with SIGKILL. It is started again.
func (s *Servers) Kill(name string) error {
	s.childMu.Lock()
	child := s.children[name]
	s.childMu.Unlock()
	if child == nil {
		return fmt.Errorf("there is no server %q", name)
	}
	if err := syscall.Kill(child.Record().PID, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	<-child.Done()
	return nil
}

// Server is one server as a client sees it.
type Server struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	PID  int    `json:"pid,omitempty"`
	// Log is the file with its log, which holds the audit device "stdout" too.
	Log string `json:"log"`
}

// List lists the servers in the order of their names. It never waits for a start
// that is under way.
func (s *Servers) List() []Server {
	s.childMu.Lock()
	defer s.childMu.Unlock()
	var all []Server
	for _, n := range s.nodes {
		server := Server{Name: n.Name, URL: n.url(), Log: n.log()}
		if child := s.children[n.Name]; child != nil {
			server.PID = child.Record().PID
		}
		all = append(all, server)
	}
	return all
}

// CAFile is the file with the CA of the servers' certificates.
func (s *Servers) CAFile() string { return filepath.Join(s.options.Dir, "tls", "ca.crt") }

// halt ends the servers. The caller holds s.mu.
func (s *Servers) halt() error {
	if s.stopAll != nil {
		s.stopAll()
		s.running.Wait()
		s.stopAll = nil
	}
	return s.stopStale()
}

// stopStale ends what an earlier life left: its records are still there.
func (s *Servers) stopStale() error {
	records, err := process.LoadAll(s.options.Dir)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := r.Stop(context.Background(), stopGrace); err != nil {
			return err
		}
	}
	return nil
}

// supervise runs one server until ctx ends.
func (s *Servers) supervise(ctx context.Context, n *node) {
	pause := 500 * time.Millisecond
	for ctx.Err() == nil {
		begun := time.Now()
		child, err := process.Start(process.Spec{
			Name: n.Name, Path: s.options.Binary, Args: []string{"server", "-config=" + n.config()},
			Dir: n.dir, Env: n.environment(s.config), Log: n.log(),
			Record: filepath.Join(s.options.Dir, n.Name+process.RecordSuffix),
		})
		if err != nil {
			s.options.Logf("%v", err)
		} else {
			s.put(n.Name, child)
			s.running.Go(func() { s.probe(ctx, n, child) })
			select {
			case <-ctx.Done():
				if err := child.Stop(context.Background(), stopGrace); err != nil {
					s.options.Logf("%v", err)
				}
				s.put(n.Name, nil)
				return
			case <-child.Done():
				s.options.Logf("%s ended: it is started again", n.Name)
				s.put(n.Name, nil)
			}
		}
		if time.Since(begun) > time.Minute {
			pause = 500 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

func (s *Servers) setNodes(nodes []*node) {
	s.childMu.Lock()
	defer s.childMu.Unlock()
	s.nodes = nodes
}

func (s *Servers) put(name string, child *process.Child) {
	s.childMu.Lock()
	defer s.childMu.Unlock()
	if child == nil {
		delete(s.children, name)
		return
	}
	s.children[name] = child
}

// awaitAnswer polls a server until it answers.
func (s *Servers) awaitAnswer(ctx context.Context, n *node) error {
	client, err := s.httpClient()
	if err != nil {
		return err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.url()+"/v1/sys/seal-status", nil)
		if err != nil {
			return err
		}
		response, last := client.Do(request)
		if last == nil {
			return response.Body.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer (%w); last lines of %s:\n%s", n.Name, last, n.log(), process.Tail(n.log(), 8))
		case <-tick.C:
		}
	}
}

func (s *Servers) httpClient() (*http.Client, error) {
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		return nil, fmt.Errorf("CA of Vault: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("CA of Vault: there is no certificate in %s", s.CAFile())
	}
	return &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: s.config.ServerName, MinVersion: tls.VersionTLS12}},
	}, nil
}

// prepare writes what the servers read. The caller holds s.mu.
func (s *Servers) prepare(_ context.Context, config Config) error {
	if config.Replicas < 1 || config.Replicas%2 == 0 {
		return fmt.Errorf("vault needs an odd number of servers for a majority, not %d", config.Replicas)
	}
	if err := os.MkdirAll(filepath.Join(s.options.Dir, "tls"), 0o700); err != nil {
		return fmt.Errorf("folder of Vault: %w", err)
	}
	nodes, err := s.loadNodes(config.Replicas)
	if err != nil {
		return err
	}
	if err := s.writeCertificates(config); err != nil {
		return err
	}
	for _, n := range nodes {
		if err := n.folders(); err != nil {
			return err
		}
		text, err := localise(config, n, nodes)
		if err != nil {
			return err
		}
		if err := files.Replace(n.config(), []byte(text), files.Private); err != nil {
			return err
		}
	}
	s.setNodes(nodes)
	s.config = config
	return nil
}

// loadNodes reads which ports the servers have, and gives new ones to those that
// have none yet.
func (s *Servers) loadNodes(count int) ([]*node, error) {
	path := filepath.Join(s.options.Dir, "servers.json")
	var nodes []*node
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &nodes)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ports of Vault: %s: %w", path, err)
	}
	for len(nodes) < count {
		ports, err := s.ports.take(2)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, &node{Name: "vault-" + strconv.Itoa(len(nodes)), Port: ports[0], ClusterPort: ports[1]})
	}
	nodes = nodes[:count]
	for _, n := range nodes {
		n.dir = filepath.Join(s.options.Dir, n.Name)
	}
	if data, err = json.MarshalIndent(nodes, "", "  "); err != nil {
		return nil, fmt.Errorf("ports of Vault: %w", err)
	}
	return nodes, files.Replace(path, data, files.Private)
}
