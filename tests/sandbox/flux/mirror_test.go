package flux_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strongroom-platform/strongroom/sandbox/flux"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts/chartstest"
)

var (
	helmRepositories = schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "helmrepositories"}
	helmReleases     = schema.GroupVersionResource{Group: "helm.toolkit.fluxcd.io", Version: "v2", Resource: "helmreleases"}
)

// release makes a HelmRelease of a chart, and its source, as a tree has them.
func (w *world) release(pin charts.Pin, values map[string]any) {
	w.t.Helper()
	w.apply(helmRepositories, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
		"metadata": map[string]any{"name": pin.Name, "namespace": flux.Namespace},
		"spec":     map[string]any{"interval": "1h", "url": pin.Source},
	}})
	w.apply(helmReleases, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
		"metadata": map[string]any{"name": pin.Name, "namespace": flux.Namespace},
		"spec": map[string]any{
			"interval": "1h", "timeout": "1m", "targetNamespace": "default", "releaseName": pin.Name, "serviceAccountName": "helm-controller",
			"chart": map[string]any{"spec": map[string]any{
				"chart": pin.Name, "version": pin.Version, "sourceRef": map[string]any{"kind": "HelmRepository", "name": pin.Name},
			}},
			"values": values,
		},
	}})
}

// provesMirror has the controllers install a chart of the mirror with all that needs
// Pods: the release becomes ready because what it waits for is simulated.
func (w *world) provesMirror() {
	web := charts.Pin{Name: "web", Version: "1.2.3", Source: "https://charts.example.com/stable"}
	broken := charts.Pin{Name: "broken", Version: "1.2.3", Source: web.Source}
	net := chartstest.Publish(w.t, web, broken)
	require.NoError(w.t, w.mirror.Fill(w.ctx, charts.Fetch{Pins: []charts.Pin{web, broken}, Transport: net.Transport()}))
	file := filepath.Join(w.mirror.Dir, "charts.example.com", "stable", "broken-1.2.3.tgz")
	require.NoError(w.t, os.WriteFile(file, []byte("half"), 0o600))

	w.release(web, map[string]any{"replicas": int64(3)})
	w.release(broken, nil)
	w.ready("HelmRelease", "web")
	// The controller writes its conditions before the rest of a status.
	w.eventually("what the release has installed", func() error {
		release, err := w.object("HelmRelease", "web")
		if err == nil && (release.Chart != "web 1.2.3" || release.Stub) {
			err = fmt.Errorf("chart %q, stub=%v", release.Chart, release.Stub)
		}
		return err
	})
	w.notReady("HelmChart", "flux-system-broken", "damaged chart: ")

	deployment, err := w.client.AppsV1().Deployments("default").Get(w.ctx, "web", metav1.GetOptions{})
	require.NoError(w.t, err)
	require.Equal(w.t, int32(3), deployment.Status.AvailableReplicas, "its template took the value")
	require.Contains(w.t, deployment.Status.Conditions[0].Message, "simulated")
	set, err := w.client.AppsV1().StatefulSets("default").Get(w.ctx, "web", metav1.GetOptions{})
	require.NoError(w.t, err)
	require.Equal(w.t, int32(3), set.Status.ReadyReplicas)
	_, err = w.client.AppsV1().DaemonSets("default").Get(w.ctx, "web", metav1.GetOptions{})
	require.NoError(w.t, err)
	for _, hook := range []string{"web-pre-install", "web-post-install"} {
		job, err := w.client.BatchV1().Jobs("default").Get(w.ctx, hook, metav1.GetOptions{})
		require.NoError(w.t, err, "the hook ran, as far as Helm knows")
		require.Contains(w.t, job.Status.Conditions, jobDone(job))
	}
	w.eventually("webhooks that are not called", func() error {
		asked := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "asked", Labels: map[string]string{"webhook": "web"}}}
		_, err := w.client.CoreV1().ConfigMaps("default").Create(w.ctx, asked, metav1.CreateOptions{})
		return err
	})

	for _, name := range []string{"web", "broken"} {
		require.NoError(w.t, w.any.Resource(helmReleases).Namespace(flux.Namespace).Delete(w.ctx, name, metav1.DeleteOptions{}))
	}
	w.eventually("the end of the release", func() error {
		_, err := w.client.AppsV1().Deployments("default").Get(w.ctx, "web", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("its Deployment is there"), err)
	})
}

// jobDone is the condition of a Job that was marked complete, at its time.
func jobDone(job *batchv1.Job) batchv1.JobCondition {
	at := *job.Status.CompletionTime
	return batchv1.JobCondition{
		Type: batchv1.JobComplete, Status: corev1.ConditionTrue, Reason: "Simulated", Message: "simulated: the sandbox has no nodes",
		LastProbeTime: at, LastTransitionTime: at,
	}
}
