package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
)

const (
	// checkLabel marks the namespaces that checks make, so that what a killed
	// check left is found by the next one.
	checkLabel = "strongroom.dev/check"
	// checkLimit bounds one check; deleting a namespace takes about 6 s.
	checkLimit = 2 * time.Minute
	// callLimit bounds one request.
	callLimit = 30 * time.Second
)

// clusterCheck says how a stack's cluster is reached.
type clusterCheck struct {
	Stack string
	// Kubeconfig is the stack's output, as it is.
	Kubeconfig string
	// Env is where its exec plugin finds aws, and credentials.
	Env, StrangerEnv map[string]string
}

// clusterReport is what a check proved.
type clusterReport struct {
	Stack string `json:"stack"`
	// URL is the address of the Kubernetes API.
	URL string `json:"url"`
	// Namespace was created and deleted.
	Namespace string `json:"namespace"`
	// Stranger is how a principal without an access entry was refused.
	Stranger string `json:"stranger"`
	// Version is that of the cluster, Actual that of the program that runs, Note
	// says why they differ.
	Version string  `json:"version,omitempty"`
	Actual  string  `json:"actualVersion,omitempty"`
	Note    string  `json:"note,omitempty"`
	Seconds float64 `json:"seconds"`
}

// describe adds what the sandbox knows of the control plane behind the address.
func (r *clusterReport) describe(all []controlplane.Status) {
	for _, c := range all {
		if c.URL == r.URL {
			r.Version, r.Actual, r.Note = c.Version, c.ActualVersion, c.Note
		}
	}
}

// checkCluster proves that a control plane works for those who may use it, and
// for nobody else, through the kubeconfig that the stack exports.
func checkCluster(ctx context.Context, c clusterCheck) (clusterReport, error) {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	begun := time.Now()
	report := clusterReport{Stack: c.Stack}
	fail := func(err error) (clusterReport, error) {
		return report, fmt.Errorf("check the control plane of stack %q through its kubeconfig: %w", c.Stack, err)
	}
	config, err := restConfig(c.Kubeconfig, c.Env)
	if err != nil {
		return fail(err)
	}
	report.URL = config.Host
	client, err := typedcorev1.NewForConfig(config)
	if err != nil {
		return fail(err)
	}
	if report.Namespace, err = useNamespace(ctx, client.Namespaces()); err != nil {
		return fail(err)
	}
	foreign, err := restConfig(c.Kubeconfig, c.StrangerEnv)
	if err != nil {
		return fail(err)
	}
	if report.Stranger, err = proveRefused(ctx, foreign); err != nil {
		return fail(err)
	}
	report.Seconds = round(time.Since(begun))
	return report, nil
}

// restConfig reads a kubeconfig whose exec plugin runs in another environment
// than ours: it finds aws on that PATH, and that principal's credentials.
func restConfig(kubeconfig string, env map[string]string) (*rest.Config, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(kubeconfig))
	if err != nil {
		return nil, err
	}
	if err := requireLoopback(config.Host); err != nil {
		return nil, err
	}
	plugin := config.ExecProvider
	if plugin == nil {
		return nil, errors.New("it has no exec plugin: expected it to run `aws eks get-token`")
	}
	if plugin.Command, err = lookIn(env["PATH"], plugin.Command); err != nil {
		return nil, err
	}
	for name, value := range env {
		plugin.Env = append(plugin.Env, clientcmdapi.ExecEnvVar{Name: name, Value: value})
	}
	// client-go keeps one plugin per configuration: the order must not differ.
	slices.SortFunc(plugin.Env, func(x, y clientcmdapi.ExecEnvVar) int {
		if x.Name < y.Name {
			return -1
		}
		return 1
	})
	config.Timeout = callLimit
	return config, nil
}

// requireLoopback: the sandbox talks to nothing else.
func requireLoopback(host string) error {
	address, err := url.Parse(host)
	if err != nil {
		return fmt.Errorf("address of the cluster: %w", err)
	}
	if ip := net.ParseIP(address.Hostname()); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("its cluster is at %s, which is not on this machine: a simulated cluster is on 127.0.0.1", host)
	}
	return nil
}

// lookIn finds a program on a PATH that is not ours.
func lookIn(path, name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("it runs %q, which is not on the sandbox's PATH: run `strongroom sandbox tools`", name)
}

// useNamespace creates a namespace, deletes it, and waits until it is gone.
func useNamespace(ctx context.Context, namespaces typedcorev1.NamespaceInterface) (string, error) {
	left, err := namespaces.List(ctx, metav1.ListOptions{LabelSelector: checkLabel})
	if err != nil {
		return "", fmt.Errorf("list namespaces: %w", err)
	}
	for _, namespace := range left.Items {
		if err := ignoreGone(namespaces.Delete(ctx, namespace.Name, metav1.DeleteOptions{})); err != nil {
			return "", fmt.Errorf("delete namespace %q, which a killed check left: %w", namespace.Name, err)
		}
	}
	made, err := namespaces.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "strongroom-check-", Labels: map[string]string{checkLabel: "sandbox-up"},
	}}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("create a namespace: %w", err)
	}
	if err := ignoreGone(namespaces.Delete(ctx, made.Name, metav1.DeleteOptions{})); err != nil {
		return "", fmt.Errorf("delete namespace %q: %w", made.Name, err)
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := namespaces.Get(ctx, made.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return made.Name, nil
		}
		if err != nil {
			return "", fmt.Errorf("wait until namespace %q is gone: %w", made.Name, err)
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("namespace %q was deleted and is still there: %w", made.Name, ctx.Err())
		case <-tick.C:
		}
	}
}

func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// proveRefused proves that a principal with good credentials and without an
// access entry gets nothing, and returns the API's reason.
func proveRefused(ctx context.Context, config *rest.Config) (string, error) {
	client, err := typedcorev1.NewForConfig(config)
	if err != nil {
		return "", err
	}
	_, err = client.Namespaces().List(ctx, metav1.ListOptions{})
	switch {
	case err == nil:
		return "", errors.New("a principal without an access entry could list namespaces: expected the cluster to refuse it")
	case apierrors.IsUnauthorized(err), apierrors.IsForbidden(err):
		return string(apierrors.ReasonForError(err)), nil
	}
	return "", fmt.Errorf("expected the cluster to refuse a principal without an access entry, and it answered: %w", err)
}
