package flux_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strongroom-platform/strongroom/sandbox/flux"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
)

// TestFlux goes through the life of Flux in one cluster: the parts share it
// because a control plane takes seconds.
func TestFlux(t *testing.T) {
	requireGit(t)
	w := newWorld(t, filepath.Join("testdata", "gitops"))
	require.Empty(t, w.flux.Status().Controllers, "nothing runs before the stack asks for it")
	w.bootstrap(map[string]string{"region": "eu-west-1"})
	w.secret("flux-system", w.key, w.git.KnownHosts())
	begun := time.Now()
	w.source("flux-system", "flux-system", "main")
	w.kustomization("flux-system", "./gitops/clusters/test")
	w.ready("Kustomization", "apps")
	t.Logf("from the bootstrap to all ready: %s", time.Since(begun).Round(100*time.Millisecond))

	t.Run("every edge of dependsOn holds", func(t *testing.T) { w.at(t).provesOrder() })
	t.Run("stubs record their values", func(t *testing.T) { w.at(t).provesStubs() })
	t.Run("pulumi and flux own no object together", func(t *testing.T) { w.at(t).provesOwners() })
	t.Run("identities that are refused", func(t *testing.T) { w.at(t).provesRefusals() })
	t.Run("a commit is reconciled", func(t *testing.T) {
		w := w.at(t)
		w.commit("gitops/apps/shop.yaml", strings.ReplaceAll(w.read("gitops/apps/shop.yaml"), "blue", "green"))
		w.colour("green")
	})
	t.Run("a manual change is undone", func(t *testing.T) {
		w := w.at(t)
		_, err := w.client.CoreV1().ConfigMaps("default").Patch(w.ctx, "shop", types.MergePatchType, []byte(`{"data":{"colour":"red"}}`), metav1.PatchOptions{FieldManager: "kubectl"})
		require.NoError(t, err)
		w.reconcile(kustomizations, "apps")
		w.colour("green")
	})
	t.Run("a broken commit leaves the last good state", func(t *testing.T) { w.at(t).provesBrokenCommits() })
	t.Run("a suspended kustomization is shown", func(t *testing.T) {
		w := w.at(t)
		for _, suspended := range []bool{true, false} {
			_, err := w.any.Resource(kustomizations).Namespace(flux.Namespace).Patch(w.ctx, "apps", types.MergePatchType, fmt.Appendf(nil, `{"spec":{"suspend":%v}}`, suspended), metav1.PatchOptions{})
			require.NoError(t, err)
			w.eventually("the suspension", func() error {
				if o, err := w.object("Kustomization", "apps"); err != nil || o.Suspended != suspended {
					return fmt.Errorf("suspended=%v: %w", o.Suspended, err)
				}
				return nil
			})
		}
	})
	t.Run("a chart of the mirror", func(t *testing.T) { w.at(t).provesMirror() })
	t.Run("a controller that ends is started again", func(t *testing.T) { w.at(t).provesSupervision() })
	t.Run("destroy", func(t *testing.T) { w.at(t).provesDestroy() })
}

func (w *world) read(path string) string {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.tree, filepath.FromSlash(path)))
	require.NoError(w.t, err)
	return string(data)
}

func (w *world) colour(want string) {
	w.t.Helper()
	w.eventually("the colour "+want, func() error {
		shop, err := w.client.CoreV1().ConfigMaps("default").Get(w.ctx, "shop", metav1.GetOptions{})
		if err == nil && shop.Data["colour"] != want {
			err = fmt.Errorf("%v\n%s", shop.Data, w.describe())
		}
		return err
	})
}

// provesOrder compares the times at which objects became ready, for each edge.
func (w *world) provesOrder() {
	edges := 0
	byID := map[string]flux.Object{}
	objects := w.flux.Status().Objects
	for _, o := range objects {
		byID[o.Kind+" "+o.ID()] = o
	}
	for _, o := range objects {
		for _, before := range o.DependsOn {
			first, found := byID[o.Kind+" "+before]
			require.True(w.t, found, "%s %s depends on %s, which is not there", o.Kind, o.ID(), before)
			require.False(w.t, o.ReadyAt.IsZero(), "%s %s is not ready", o.Kind, o.ID())
			require.True(w.t, first.ReadyAt.Before(o.ReadyAt), "%s %s was ready at %s, before %s at %s", o.Kind, o.ID(), o.ReadyAt, before, first.ReadyAt)
			edges++
		}
	}
	require.Equal(w.t, 4, edges, "three between Kustomizations, one between HelmReleases")
}

// provesStubs reads what the releases were given, and that the sources of the
// tree were turned to loopback.
func (w *world) provesStubs() {
	secret, err := w.client.CoreV1().Secrets("external-secrets").Get(w.ctx, "stub-external-secrets-external-secrets", metav1.GetOptions{})
	require.NoError(w.t, err)
	require.Equal(w.t, "true", secret.Labels[charts.Label])
	// The helm controller adds the digest of an OCI artifact to the version.
	require.Regexp(w.t, `^external-secrets 1\.3\.2\+[0-9a-f]{12}$`, string(secret.Data["chart"]))
	var values map[string]any
	require.NoError(w.t, json.Unmarshal(secret.Data["values.json"], &values))
	require.Equal(w.t, map[string]any{"serviceMonitor": map[string]any{"enabled": true}}, values)
	release, err := w.object("HelmRelease", "external-secrets")
	require.NoError(w.t, err)
	require.True(w.t, release.Stub)
}

// provesOwners looks at who manages the fields of what Pulumi and Flux made.
func (w *world) provesOwners() {
	both := func(what string, fields []metav1.ManagedFieldsEntry) {
		managers := map[string]bool{}
		for _, f := range fields {
			if f.Subresource == "" {
				managers[f.Manager] = true
			}
		}
		require.False(w.t, managers["pulumi"] && (managers["kustomize-controller"] && !onlyFinalizer(fields) || managers["helm-controller"]), "%s is owned by Pulumi and by Flux: %v", what, managers)
	}
	for _, kind := range []struct {
		what string
		list func() ([]metav1.Object, error)
	}{
		{"ConfigMap", func() ([]metav1.Object, error) {
			l, err := w.client.CoreV1().ConfigMaps("").List(w.ctx, metav1.ListOptions{})
			return objects(l.Items, func(o *corev1.ConfigMap) metav1.Object { return o }), err
		}},
		{"Secret", func() ([]metav1.Object, error) {
			l, err := w.client.CoreV1().Secrets("").List(w.ctx, metav1.ListOptions{})
			return objects(l.Items, func(o *corev1.Secret) metav1.Object { return o }), err
		}},
		{"Kustomization", func() ([]metav1.Object, error) {
			l, err := w.any.Resource(kustomizations).List(w.ctx, metav1.ListOptions{})
			var all []metav1.Object
			for i := range l.Items {
				all = append(all, &l.Items[i])
			}
			return all, err
		}},
	} {
		all, err := kind.list()
		require.NoError(w.t, err)
		require.NotEmpty(w.t, all)
		for _, o := range all {
			both(kind.what+" "+o.GetNamespace()+"/"+o.GetName(), o.GetManagedFields())
		}
	}
}

// gone is nil where reading an object failed because it is not there.
func gone(err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err == nil:
		return errors.New("it is there")
	default:
		return err
	}
}

// onlyFinalizer says that the kustomize controller owns nothing but its own
// finalizer, which it puts on every Kustomization.
func onlyFinalizer(fields []metav1.ManagedFieldsEntry) bool {
	for _, f := range fields {
		if f.Manager == "kustomize-controller" && f.Subresource == "" && (f.FieldsV1 == nil || strings.Contains(f.FieldsV1.GetRawString(), `"f:spec"`)) {
			return false
		}
	}
	return true
}

func objects[T any](items []T, as func(*T) metav1.Object) []metav1.Object {
	var all []metav1.Object
	for i := range items {
		all = append(all, as(&items[i]))
	}
	return all
}

// provesRefusals makes sources that must not be read.
func (w *world) provesRefusals() {
	other, otherPublic := newKey(w.t)
	address := strings.Fields(w.git.KnownHosts())[0]
	w.secret("wrong-host", w.key, address+" "+otherPublic)
	w.secret("wrong-key", other, w.git.KnownHosts())
	w.secret("no-hosts", w.key, "")
	w.source("wrong-host", "wrong-host", "main")
	w.source("wrong-key", "wrong-key", "main")
	w.source("no-hosts", "no-hosts", "main")
	w.source("no-branch", "flux-system", "nowhere")
	w.kustomization("no-path", "./gitops/nowhere")
	w.notReady("GitRepository", "wrong-host", "wrong host key: ")
	w.notReady("GitRepository", "wrong-key", "wrong deploy key: ")
	w.notReady("GitRepository", "no-hosts", "missing known_hosts: ")
	w.notReady("GitRepository", "no-branch", "missing branch: ")
	w.notReady("Kustomization", "no-path", "missing path: ")
	for _, name := range []string{"wrong-host", "wrong-key", "no-hosts", "no-branch"} {
		require.NoError(w.t, w.any.Resource(gitRepositories).Namespace(flux.Namespace).Delete(w.ctx, name, metav1.DeleteOptions{}))
	}
	require.NoError(w.t, w.any.Resource(kustomizations).Namespace(flux.Namespace).Delete(w.ctx, "no-path", metav1.DeleteOptions{}))
}

// provesBrokenCommits breaks the tree in the ways that the gate exists for.
func (w *world) provesBrokenCommits() {
	for _, broken := range []struct{ what, file, old, new, name, why string }{
		{"a manifest", "gitops/apps/shop.yaml", "kind: ConfigMap", "kind: ConfigNap", "apps", "ConfigNap"},
		{"a key of runtime-info", "gitops/apps/shop.yaml", "${region}", "${nowhere}", "apps", "nowhere"},
		{"a schema", "gitops/configs/store.yaml", "service: SecretsManager", "service: Elsewhere", "configs", "Elsewhere"},
	} {
		good := w.read(broken.file)
		w.commit(broken.file, strings.ReplaceAll(good, broken.old, broken.new))
		w.notReady("Kustomization", broken.name, broken.why)
		w.colour("green")
		w.commit(broken.file, good)
		w.ready("Kustomization", broken.name)
	}
	w.ready("Kustomization", "apps")
}

// provesSupervision kills a controller.
func (w *world) provesSupervision() {
	before := w.flux.Status().Controllers
	require.Len(w.t, before, 3)
	for name, pid := range before {
		if !strings.HasPrefix(name, "helm-controller v") {
			continue
		}
		process, err := os.FindProcess(pid)
		require.NoError(w.t, err)
		require.NoError(w.t, process.Kill())
		w.eventually("another "+name, func() error {
			if now := w.flux.Status().Controllers[name]; now == 0 || now == pid {
				return fmt.Errorf("pid %d", now)
			}
			return nil
		})
	}
}

// provesDestroy does what a destroy of the stack does, in its order.
func (w *world) provesDestroy() {
	require.NoError(w.t, w.any.Resource(kustomizations).Namespace(flux.Namespace).Delete(w.ctx, "flux-system", metav1.DeleteOptions{}))
	w.eventually("the end of the tree", func() error {
		left, err := w.any.Resource(kustomizations).List(w.ctx, metav1.ListOptions{})
		if err == nil && len(left.Items) > 0 {
			err = fmt.Errorf("%d Kustomizations left\n%s", len(left.Items), w.describe())
		}
		return err
	})
	_, err := w.client.CoreV1().ConfigMaps("default").Get(w.ctx, "shop", metav1.GetOptions{})
	require.True(w.t, apierrors.IsNotFound(err), "what Flux made is gone: %v", err)
	// An object that nobody would end any more: its finalizer goes with Flux.
	w.kustomization("left-over", "./gitops/apps")
	w.ready("Kustomization", "left-over")
	require.NoError(w.t, w.any.Resource(instances).Namespace(flux.Namespace).Delete(w.ctx, "flux", metav1.DeleteOptions{}))
	w.eventually("the end of the FluxInstance", func() error {
		_, err := w.any.Resource(instances).Namespace(flux.Namespace).Get(w.ctx, "flux", metav1.GetOptions{})
		return gone(err)
	})
	w.eventually("the end of the CRDs", func() error {
		left, err := w.any.Resource(definitions).List(w.ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/part-of=flux"})
		if err == nil && len(left.Items) > 0 {
			err = fmt.Errorf("%d CRDs of Flux left", len(left.Items))
		}
		return err
	})
	require.Empty(w.t, w.flux.Status().Controllers)
	require.NoError(w.t, w.client.CoreV1().Namespaces().Delete(w.ctx, flux.Namespace, metav1.DeleteOptions{}))
	w.eventually("the end of the namespace", func() error {
		_, err := w.client.CoreV1().Namespaces().Get(w.ctx, flux.Namespace, metav1.GetOptions{})
		return gone(err)
	})
}
