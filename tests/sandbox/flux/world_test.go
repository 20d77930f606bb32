// Package flux proves what Flux does with a tree: the real controllers, a real
// API server, a real Git server, a tree of this test's own, stub charts, and charts
// of this test's own in a mirror. It does not prove that real charts take their
// values, nor anything that needs a node.
package flux_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
	"github.com/strongroom-platform/strongroom/sandbox/flux"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
	"github.com/strongroom-platform/strongroom/sandbox/gitserver"
)

// patience is for a machine that compiles at the same time.
const patience = 2 * time.Minute

var (
	kustomizations  = schema.GroupVersionResource{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Resource: "kustomizations"}
	gitRepositories = schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"}
	instances       = schema.GroupVersionResource{Group: "fluxcd.controlplane.io", Version: "v1", Resource: "fluxinstances"}
	definitions     = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

// tools finds the built programs. Without them these tests prove nothing: in CI
// that is a failure.
func tools(t *testing.T) (bin, crds string) {
	t.Helper()
	bin = os.Getenv("STRONGROOM_TOOLS_BIN")
	if bin == "" {
		bin = filepath.Join("..", "..", "..", ".sandbox", "bin")
	}
	crds = filepath.Join(filepath.Dir(bin), "crds")
	needed := []string{crds}
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "source-controller", "kustomize-controller", "helm-controller"} {
		needed = append(needed, filepath.Join(bin, name))
	}
	for _, path := range needed {
		if _, err := os.Stat(path); err != nil {
			message := fmt.Sprintf("%v: run `make tools`, or set STRONGROOM_TOOLS_BIN", err)
			if os.Getenv("CI") == "true" {
				t.Fatal(message)
			}
			t.Skip(message)
		}
	}
	return bin, crds
}

// world is a cluster with Flux, a Git server with a tree, an empty mirror of charts, and
// stub charts.
type world struct {
	t      *testing.T
	ctx    context.Context
	tree   string // the checkout that is served
	git    *gitserver.Server
	mirror charts.Mirror
	flux   *flux.Flux
	client kubernetes.Interface
	any    dynamic.Interface
	// key is the private half of the deploy key, public the other.
	key, public string
}

// newWorld makes a cluster and follows it, with nothing of Flux in it yet. The Git server
// serves a copy of the folder gitops.
func newWorld(t *testing.T, gitops string) *world {
	t.Helper()
	bin, crds := tools(t)
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, tree: t.TempDir()}
	require.NoError(t, os.CopyFS(filepath.Join(w.tree, "gitops"), os.DirFS(gitops)))
	var err error
	w.git, err = gitserver.Start(gitserver.Options{Dir: t.TempDir(), Source: gitserver.Folder(w.tree), Path: "gitops", Logf: t.Logf})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.git.Close() })
	w.key, w.public = newKey(t)
	require.NoError(t, w.git.Authorize("test", w.public))

	planes, err := controlplane.New(controlplane.Options{
		Dir: t.TempDir(), BinDir: bin,
		Webhook: controlplane.Webhook{URL: "http://127.0.0.1:9/nobody-asks", Token: "none"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, planes.Close(context.Background())) })
	_, err = planes.Start(ctx, account.Cluster{Name: "test", Version: "1.36", Region: "eu-west-1", ARN: "arn:aws:eks:eu-west-1:123456789012:cluster/test"})
	require.NoError(t, err)
	config, err := planes.AdminConfig("test")
	require.NoError(t, err)
	w.client, err = kubernetes.NewForConfig(config)
	require.NoError(t, err)
	w.any, err = dynamic.NewForConfig(config)
	require.NoError(t, err)

	w.mirror = charts.Mirror{Dir: t.TempDir()}
	registry := httptest.NewServer(&charts.Registry{CRDDir: crds, Mirror: w.mirror})
	t.Cleanup(registry.Close)
	w.flux, err = flux.Follow(flux.Options{
		Cluster: "test", Config: config, Dir: t.TempDir(), BinDir: bin, CRDDir: crds,
		Charts: strings.TrimPrefix(registry.URL, "http://"), Logf: t.Logf,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.flux.Close(context.Background())) })
	return w
}

func newKey(t *testing.T) (private, public string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(block)), string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

// bootstrap makes what the stack makes: the namespace, the identity, the values
// and the FluxInstance.
func (w *world) bootstrap(values map[string]string) {
	w.t.Helper()
	_, err := w.client.CoreV1().Namespaces().Create(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: flux.Namespace}}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	_, err = w.client.CoreV1().ConfigMaps(flux.Namespace).Create(w.ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "strongroom-runtime-info"}, Data: values,
	}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	operator := w.t.TempDir()
	require.NoError(w.t, charts.Operator(operator, charts.Mirror{}))
	data, err := os.ReadFile(filepath.Join(operator, "flux-operator", "crds", "fluxinstances.yaml"))
	require.NoError(w.t, err)
	crd := &unstructured.Unstructured{}
	require.NoError(w.t, yaml.Unmarshal(data, &crd.Object))
	w.apply(definitions, crd)
	instance := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "fluxcd.controlplane.io/v1", "kind": "FluxInstance",
		"metadata": map[string]any{"name": "flux", "namespace": flux.Namespace},
		"spec": map[string]any{
			"distribution": map[string]any{"version": "2.9.4", "registry": "ghcr.io/fluxcd"},
			"cluster":      map[string]any{"type": "aws", "multitenant": true, "networkPolicy": true},
		},
	}}
	w.eventually("the kind FluxInstance", func() error {
		_, err := w.any.Resource(instances).Namespace(flux.Namespace).Apply(w.ctx, "flux", instance, metav1.ApplyOptions{FieldManager: "pulumi"})
		return err
	})
	w.eventually("a ready FluxInstance", func() error {
		got, err := w.any.Resource(instances).Namespace(flux.Namespace).Get(w.ctx, "flux", metav1.GetOptions{})
		if err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(got.Object, "status", "conditions")
		for _, c := range conditions {
			if c.(map[string]any)["status"] == "True" {
				return nil
			}
		}
		return fmt.Errorf("conditions %v", conditions)
	})
}

// secret is the identity that a source reads the repository with.
func (w *world) secret(name, key, knownHosts string) {
	w.t.Helper()
	data := map[string]string{"identity": key, "identity.pub": w.public}
	if knownHosts != "" {
		data["known_hosts"] = knownHosts
	}
	_, err := w.client.CoreV1().Secrets(flux.Namespace).Create(w.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: data}, metav1.CreateOptions{})
	require.NoError(w.t, err)
}

// source makes a GitRepository, as the stack does.
func (w *world) source(name, secret, branch string) {
	w.t.Helper()
	w.apply(gitRepositories, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
		"metadata": map[string]any{"name": name, "namespace": flux.Namespace},
		"spec": map[string]any{
			"interval": "1h", "timeout": "20s", "url": w.git.URL(),
			"ref": map[string]any{"branch": branch}, "secretRef": map[string]any{"name": secret},
		},
	}})
}

// kustomization makes a Kustomization of the source flux-system, as the stack does.
func (w *world) kustomization(name, path string) {
	w.t.Helper()
	w.apply(kustomizations, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
		"metadata": map[string]any{"name": name, "namespace": flux.Namespace},
		"spec": map[string]any{
			"interval": "1h", "retryInterval": "5s", "timeout": "1m", "prune": true, "path": path,
			"sourceRef":          map[string]any{"kind": "GitRepository", "name": "flux-system"},
			"serviceAccountName": "kustomize-controller", "deletionPolicy": "WaitForTermination",
		},
	}})
}

func (w *world) apply(kind schema.GroupVersionResource, object *unstructured.Unstructured) {
	w.t.Helper()
	_, err := w.any.Resource(kind).Namespace(object.GetNamespace()).Apply(w.ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: "pulumi", Force: true})
	require.NoError(w.t, err)
}

// reconcile asks for an object to be looked at now, as `flux reconcile` does.
func (w *world) reconcile(kind schema.GroupVersionResource, name string) {
	w.t.Helper()
	patch := fmt.Sprintf(`{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":%q}}}`, time.Now().Format(time.RFC3339Nano))
	_, err := w.any.Resource(kind).Namespace(flux.Namespace).Patch(w.ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(w.t, err)
}

// commit writes a file of the tree. The Git server commits it when it is asked.
func (w *world) commit(path, text string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.tree, filepath.FromSlash(path)), []byte(text), 0o600))
	w.reconcile(gitRepositories, "flux-system")
}

// object is the state of one of Flux's objects.
func (w *world) object(kind, name string) (flux.Object, error) {
	for _, o := range w.flux.Status().Objects {
		if o.Kind == kind && o.Name == name {
			return o, nil
		}
	}
	return flux.Object{}, fmt.Errorf("no %s %q; status: %s", kind, name, w.describe())
}

func (w *world) describe() string {
	var b strings.Builder
	status := w.flux.Status()
	fmt.Fprintf(&b, "failure %q\n", status.Failure)
	for _, o := range status.Objects {
		fmt.Fprintf(&b, "%s %s ready=%v suspended=%v: %s\n", o.Kind, o.ID(), o.Ready, o.Suspended, o.Reason)
	}
	return b.String()
}

// ready waits for an object to be ready.
func (w *world) ready(kind, name string) flux.Object {
	w.t.Helper()
	var found flux.Object
	w.eventually(kind+" "+name+" ready", func() (err error) {
		if found, err = w.object(kind, name); err == nil && !found.Ready {
			err = fmt.Errorf("%s", w.describe())
		}
		return err
	})
	return found
}

// notReady waits for an object whose one line says why it is not ready.
func (w *world) notReady(kind, name, why string) {
	w.t.Helper()
	w.eventually(kind+" "+name+" not ready: "+why, func() error {
		found, err := w.object(kind, name)
		if err != nil {
			return err
		}
		if found.Ready || !strings.Contains(found.Reason, why) {
			return fmt.Errorf("ready=%v: %s", found.Ready, found.Reason)
		}
		require.NotContains(w.t, found.Reason, "\n")
		return nil
	})
}

// eventually waits for a check to pass and shows the last failure otherwise.
func (w *world) eventually(what string, check func() error) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) || w.ctx.Err() != nil {
			require.NoError(w.t, err, "waiting for %s", what)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// at is the world in a subtest.
func (w *world) at(t *testing.T) *world {
	c := *w
	c.t = t
	return &c
}

func requireGit(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git on PATH")
	}
}
