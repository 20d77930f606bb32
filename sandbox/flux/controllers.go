package flux

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/strongroom-platform/strongroom/sandbox/loopback"
	"github.com/strongroom-platform/strongroom/sandbox/process"
)

// controllerNames in the order in which they are started.
var controllerNames = []string{"source-controller", "kustomize-controller", "helm-controller"}

const (
	// stopGrace is how long a controller may take to end. What it had begun it
	// begins again.
	stopGrace = 5 * time.Second
	// tokenLife is longer than any sandbox: a controller reads its token anew,
	// but nobody writes a new one before the next start.
	tokenLife = 365 * 24 * time.Hour
	// restartDelay is the pause before a controller that ended by itself is
	// started again.
	restartDelay = 2 * time.Second
)

// controllers are the processes of one cluster's Flux.
type controllers struct {
	options *Options
	args    map[string][]string
	release map[string]string // name to version
	cancel  context.CancelFunc
	ended   sync.WaitGroup

	mu       sync.Mutex
	children map[string]*process.Child
	broken   map[string]error // why one is down
}

// startControllers starts them and keeps them running.
func (f *Flux) startControllers(ctx context.Context, multitenant bool) error {
	c := &controllers{options: &f.options, release: map[string]string{}, children: map[string]*process.Child{}, broken: map[string]error{}}
	if err := c.stopStale(ctx); err != nil {
		return err
	}
	address, err := f.address(ctx)
	if err != nil {
		return err
	}
	c.args = arguments(f.options.Dir, address, multitenant)
	for _, name := range controllerNames {
		if c.release[name], err = release(filepath.Join(f.options.BinDir, name)); err != nil {
			return err
		}
		if err := f.writeAccess(ctx, name); err != nil {
			return err
		}
	}
	watch, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	for _, name := range controllerNames {
		child, err := c.spawn(name)
		if err != nil {
			return errors.Join(err, c.stop(ctx))
		}
		c.ended.Go(func() { c.supervise(watch, name, child) })
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.controllers = c
	f.options.Logf("flux of cluster %q: running", f.options.Cluster)
	return nil
}

// arguments of each controller, as its Deployment has them, except that
// nothing is elected and nothing but the artifacts is served.
func arguments(dir, address string, multitenant bool) map[string][]string {
	common := []string{"--watch-all-namespaces=true", "--log-level=info", "--log-encoding=json", "--enable-leader-election=false", "--metrics-addr=0", "--health-addr=0"}
	args := map[string][]string{
		"source-controller": append(common[:len(common):len(common)],
			"--storage-path="+filepath.Join(dir, "artifacts"), "--storage-addr="+address, "--storage-adv-addr="+address),
	}
	for _, name := range reconcilers {
		// The operator's default is 5 s; an idle API server has time for more. And 9
		// times, which is minutes; nothing is lost on the way to loopback.
		a := append(common[:len(common):len(common)], "--requeue-dependency=1s", "--http-retry=3")
		if multitenant {
			a = append(a, "--no-cross-namespace-refs=true", "--default-service-account=default")
		}
		if multitenant && name == "kustomize-controller" {
			a = append(a, "--no-remote-bases=true")
		}
		args[name] = a
	}
	return args
}

// address is where the artifacts are served: the same one at each start, because
// objects tell of it, and a controller that asks an old one tries for minutes.
func (f *Flux) address(ctx context.Context) (string, error) {
	l, err := loopback.Listen(ctx, filepath.Join(f.options.Dir, "artifacts.port"), "the source controller")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// release is the version that a controller was built from.
func release(path string) (string, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%w: `strongroom sandbox tools` builds it", err)
	}
	for _, module := range info.Deps {
		if module.Path == info.Path {
			return module.Version, nil
		}
	}
	return info.Main.Version, nil
}

// writeAccess writes the kubeconfig with which a controller reaches the
// cluster as the service account that Flux's installation gives it.
func (f *Flux) writeAccess(ctx context.Context, name string) error {
	seconds := int64(tokenLife / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	token, err := f.client.CoreV1().ServiceAccounts(Namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("token of %s: %w", name, err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: f.options.Config.Host, CertificateAuthorityData: f.options.Config.CAData}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: Namespace}
	config.CurrentContext = name
	data, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("kubeconfig of %s: %w", name, err)
	}
	if err := os.WriteFile(f.options.kubeconfig(name), data, 0o600); err != nil {
		return fmt.Errorf("kubeconfig of %s: %w", name, err)
	}
	return nil
}

func (o *Options) kubeconfig(name string) string { return filepath.Join(o.Dir, name+".kubeconfig") }

// stopStale ends what an earlier life of the daemon left running.
func (c *controllers) stopStale(ctx context.Context) error {
	records, err := process.LoadAll(c.options.Dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range records {
		errs = append(errs, r.Stop(ctx, stopGrace))
	}
	return errors.Join(errs...)
}

func (c *controllers) spawn(name string) (*process.Child, error) {
	home := filepath.Join(c.options.Dir, name)
	for _, dir := range []string{home, filepath.Join(home, "tmp"), filepath.Join(c.options.Dir, "artifacts")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("start %s: %w", name, err)
		}
	}
	child, err := process.Start(process.Spec{
		Name: name,
		Path: filepath.Join(c.options.BinDir, name),
		Args: c.args[name],
		Dir:  home,
		Env: []string{
			"PATH=/usr/bin:/bin", "LANG=C", "GOGC=60", "HOME=" + home, "TMPDIR=" + filepath.Join(home, "tmp"),
			"KUBECONFIG=" + c.options.kubeconfig(name), "RUNTIME_NAMESPACE=" + Namespace,
			// Whatever is not on loopback ends at a port where nobody answers.
			"HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9", "NO_PROXY=127.0.0.1,localhost",
		},
		Log:    filepath.Join(c.options.Dir, name+".log"),
		Record: filepath.Join(c.options.Dir, name+process.RecordSuffix),
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.children[name] = child
	delete(c.broken, name)
	return child, nil
}

// supervise starts a controller again that ended by itself, as its Deployment
// would, until ctx ends.
func (c *controllers) supervise(ctx context.Context, name string, child *process.Child) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-child.Done():
		}
		if ctx.Err() != nil {
			return
		}
		err := child.Failure()
		for err != nil {
			c.mu.Lock()
			c.broken[name] = err
			c.mu.Unlock()
			c.options.Logf("flux of cluster %q: %v", c.options.Cluster, err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(restartDelay):
			}
			child, err = c.spawn(name)
		}
	}
}

// stop ends the processes. A nil c has none.
func (c *controllers) stop(ctx context.Context) error {
	if c == nil {
		return nil
	}
	c.cancel()
	c.ended.Wait()
	var stopping sync.WaitGroup
	errs := make([]error, len(controllerNames))
	for i, name := range controllerNames {
		if child := c.children[name]; child != nil {
			stopping.Go(func() { errs[i] = child.Stop(ctx, stopGrace) })
		}
	}
	stopping.Wait()
	for _, name := range controllerNames {
		if err := os.Remove(c.options.kubeconfig(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// processes maps "source-controller v1.9.4" to its PID.
func (c *controllers) processes() map[string]int {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]int{}
	for name, child := range c.children {
		if c.broken[name] == nil {
			all[strings.TrimSpace(name+" "+c.release[name])] = child.Record().PID
		}
	}
	return all
}

// failure is why controllers are down.
func (c *controllers) failure() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, name := range controllerNames {
		errs = append(errs, c.broken[name])
	}
	return errors.Join(errs...)
}
