package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
)

type kubeObject = map[string]any

func named(apiVersion, kind, namespace, name string, more kubeObject) runtime.Object {
	object := kubeObject{"apiVersion": apiVersion, "kind": kind, "metadata": kubeObject{"name": name, "namespace": namespace}}
	for key, value := range more {
		object[key] = value
	}
	return &unstructured.Unstructured{Object: object}
}

// fakeCluster has what the chart and Flux made. Where the real one has controllers,
// there is this: scaled to 0, the pods go; a new Vault has new volumes.
type fakeCluster struct {
	*fake.FakeDynamicClient
	storage *clusterStorage
	// writes are counted; the one with this number fails, before or after it was done.
	writes, failAt int
	after          bool
}

var errKilled = errors.New("killed")

func newFakeCluster(volume kubeObject) *fakeCluster {
	objects := []runtime.Object{
		named("apps/v1", "StatefulSet", "vault", "vault", kubeObject{"spec": kubeObject{"replicas": int64(3)}}),
		named("helm.toolkit.fluxcd.io/v2", "HelmRelease", "vault", "vault", kubeObject{"spec": kubeObject{}}),
		named("batch/v1", "Job", "vault", "vault-init", nil),
		named("v1", "PersistentVolumeClaim", "vault", "audit-vault-0", nil),
		named("v1", "PersistentVolumeClaim", "vault", "data-other-0", nil),
	}
	for i := range 3 {
		pod := named("v1", "Pod", "vault", fmt.Sprintf("vault-%d", i), nil)
		pod.(*unstructured.Unstructured).SetLabels(map[string]string{"app.kubernetes.io/name": "vault", "component": "server"})
		objects = append(objects, pod,
			named("v1", "PersistentVolumeClaim", "vault", fmt.Sprintf("data-vault-%d", i), kubeObject{"spec": kubeObject{"volumeName": fmt.Sprintf("pv-%d", i)}}),
			named("v1", "PersistentVolume", "", fmt.Sprintf("pv-%d", i), kubeObject{"spec": volume}))
	}
	c := &fakeCluster{FakeDynamicClient: fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		pods: "PodList", claims: "PersistentVolumeClaimList",
	}, objects...)}
	c.storage = &clusterStorage{c, func(string) {}, time.Millisecond}
	inner := c.ReactionChain
	c.ReactionChain = nil
	c.AddReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		write := action.GetVerb() == "patch" || action.GetVerb() == "delete"
		if write {
			c.writes++
		}
		killed := write && c.writes == c.failAt
		if killed && !c.after {
			return true, nil, errKilled
		}
		var result runtime.Object
		var err error
		for _, reactor := range inner {
			var handled bool
			if reactor.Handles(action) {
				if handled, result, err = reactor.React(action.DeepCopy()); handled {
					break
				}
			}
		}
		if err == nil && write {
			c.control()
		}
		if killed {
			return true, nil, errKilled
		}
		return true, result, err
	})
	return c
}

// control is what the controller of StatefulSets does.
func (c *fakeCluster) control() {
	set, err := c.Tracker().Get(statefulSets, "vault", "vault")
	if err != nil {
		return
	}
	if n, _, _ := unstructured.NestedInt64(set.(*unstructured.Unstructured).Object, "spec", "replicas"); n == 0 {
		for i := range 3 {
			_ = c.Tracker().Delete(pods, "vault", fmt.Sprintf("vault-%d", i)) // or it is gone
		}
	}
}

func (c *fakeCluster) get(t require.TestingT, kind schema.GroupVersionResource, name string) *unstructured.Unstructured {
	object, err := c.Tracker().Get(kind, "vault", name) // not through the client, which is locked in a reaction
	if apierrors.IsNotFound(err) {
		return nil
	}
	require.NoError(t, err)
	return object.(*unstructured.Unstructured)
}

// reset is what the command does with the storage.
func (c *fakeCluster) reset(ctx context.Context) error {
	if err := c.storage.Check(ctx); err != nil {
		return err
	}
	if err := c.storage.Empty(ctx); err != nil {
		return err
	}
	return c.storage.FirstStart(ctx)
}

var deletedVolume = kubeObject{"persistentVolumeReclaimPolicy": "Delete", "csi": kubeObject{"driver": "ebs.csi.aws.com"}}

// Proves, for a kill before and after every write, that the same command finishes, and
// that a volume is only deleted while no server runs and Flux is told to wait.
func TestClusterStorageKilled(t *testing.T) {
	counting := newFakeCluster(deletedVolume)
	require.NoError(t, counting.reset(t.Context()))
	require.Greater(t, counting.writes, 6)
	for at := 1; at <= counting.writes; at++ {
		for _, after := range []bool{false, true} {
			name := fmt.Sprintf("write %d, killed after it: %t", at, after)
			c := newFakeCluster(deletedVolume)
			c.PrependReactor("delete", "persistentvolumeclaims", func(clienttesting.Action) (bool, runtime.Object, error) {
				require.Nil(t, c.get(t, pods, "vault-0"), name)
				suspended, _, _ := unstructured.NestedBool(c.get(t, helmReleases, "vault").Object, "spec", "suspend")
				require.True(t, suspended, name)
				require.Contains(t, c.get(t, statefulSets, "vault").GetAnnotations(), resetMark, name)
				return false, nil, nil
			})
			c.failAt, c.after = at, after
			require.ErrorIs(t, c.reset(t.Context()), errKilled, name)
			begun, err := c.storage.Begun(t.Context())
			require.NoError(t, err)
			c.failAt = 0
			// Without the mark, nothing was stopped, or all that is left is the Job, which
			// is what the command does for a Vault that is not initialised.
			if begun || c.get(t, claims, "data-vault-0") != nil {
				require.NoError(t, c.reset(t.Context()), name)
			} else {
				require.NoError(t, c.storage.FirstStart(t.Context()), name)
			}
			set := c.get(t, statefulSets, "vault")
			replicas, _, _ := unstructured.NestedInt64(set.Object, "spec", "replicas")
			require.Equal(t, int64(3), replicas, name)
			require.NotContains(t, set.GetAnnotations(), resetMark, name)
			suspended, _, _ := unstructured.NestedBool(c.get(t, helmReleases, "vault").Object, "spec", "suspend")
			require.False(t, suspended, name)
			require.Nil(t, c.get(t, claims, "data-vault-0"), name)
			require.NotNil(t, c.get(t, claims, "audit-vault-0"), name)
			require.NotNil(t, c.get(t, claims, "data-other-0"), name)
			require.Nil(t, c.get(t, jobs, "vault-init"), name)
		}
	}
	t.Logf("killed before and after each of %d writes", counting.writes)
}

// A release that a person suspended stays suspended.
func TestClusterStorageSuspended(t *testing.T) {
	c := newFakeCluster(deletedVolume)
	release := c.get(t, helmReleases, "vault")
	release.Object["spec"] = kubeObject{"suspend": true}
	require.NoError(t, c.Tracker().Update(helmReleases, release, "vault"))
	require.NoError(t, c.reset(t.Context()))
	suspended, _, _ := unstructured.NestedBool(c.get(t, helmReleases, "vault").Object, "spec", "suspend")
	require.True(t, suspended)
}

// A volume whose data stays would give the new servers the old data.
func TestClusterStorageRefuses(t *testing.T) {
	for want, volume := range map[string]kubeObject{
		`its reclaim policy is "Retain"`: {"persistentVolumeReclaimPolicy": "Retain", "csi": kubeObject{"driver": "ebs.csi.aws.com"}},
		"it is on EFS":                   {"persistentVolumeReclaimPolicy": "Delete", "csi": kubeObject{"driver": "efs.csi.aws.com"}},
	} {
		c := newFakeCluster(volume)
		require.ErrorContains(t, c.reset(t.Context()), want)
		require.Zero(t, c.writes)
	}
	c := newFakeCluster(deletedVolume)
	job := c.get(t, jobs, "vault-init")
	job.Object["status"] = kubeObject{"active": int64(1)}
	require.NoError(t, c.Tracker().Update(jobs, job, "vault"))
	require.ErrorIs(t, c.reset(t.Context()), errFirstStartRuns)
	require.ErrorIs(t, c.storage.FirstStart(t.Context()), errFirstStartRuns)
	require.Zero(t, c.writes, "the pod may hold the keys")

	c = newFakeCluster(deletedVolume)
	require.NoError(t, c.Tracker().Delete(statefulSets, "vault", "vault"))
	begun, err := c.storage.Begun(t.Context())
	require.NoError(t, err)
	require.False(t, begun)
	require.ErrorContains(t, c.reset(t.Context()), "the StatefulSet of Vault's servers")
	require.Zero(t, c.writes)

	c = newFakeCluster(deletedVolume)
	sandboxed := sandboxStorage{c.storage}
	require.ErrorContains(t, sandboxed.Check(t.Context()), "strongroom sandbox down")
	require.ErrorContains(t, sandboxed.Waits(t.Context()), "in the sandbox the daemon runs the scripts")
	require.NoError(t, sandboxed.FirstStart(t.Context()))
	require.Zero(t, c.writes)
}
