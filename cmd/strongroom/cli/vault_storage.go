package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

const (
	// vaultNamespace and vaultName are those of the release, the StatefulSet and the
	// HelmRelease in gitops/infrastructure/controllers/vault.
	vaultNamespace = "vault"
	vaultName      = "vault"
	// firstStartJob is that of gitops/infrastructure/configs/vault-init.
	firstStartJob = "vault-init"
	// vaultPods are the labels of the servers' pods and volumes in the chart.
	vaultPods = "app.kubernetes.io/name=vault,component=server"
	// resetMark is on the StatefulSet while a reset is under way, with the number of
	// servers there are to be afterwards, and on the HelmRelease that it suspended.
	resetMark = "strongroom.dev/reset-empty"
	// storageLimit is how long pods and volumes may take to be gone.
	storageLimit = 10 * time.Minute
	// storagePoll is how often it is looked whether they are.
	storagePoll = 500 * time.Millisecond
	// dataVolume begins the names of the servers' volumes.
	dataVolume = "data-"
	efsDriver  = "efs.csi.aws.com"
)

var (
	helmReleases = schema.GroupVersionResource{Group: "helm.toolkit.fluxcd.io", Version: "v2", Resource: "helmreleases"}
	statefulSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}
	jobs         = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
	pods         = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	claims       = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}
	volumes      = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumes"}
)

// errFirstStartRuns: its pod may hold the recovery keys.
var errFirstStartRuns = errors.New("the Job vault/vault-init runs right now, and may hold the recovery keys: " +
	"wait until it has ended; `kubectl -n vault logs job/vault-init -c init` says what it does")

// clusterStorage is the storage of servers that are pods: a volume for each, which
// the StatefulSet makes anew where it is gone.
type clusterStorage struct {
	objects dynamic.Interface
	tell    func(string)
	poll    time.Duration
}

var _ vaultStorage = (*clusterStorage)(nil)

// in are the objects of a kind in Vault's namespace.
func (c *clusterStorage) in(kind schema.GroupVersionResource) dynamic.ResourceInterface {
	return c.objects.Resource(kind).Namespace(vaultNamespace)
}

// Plan is what Empty and FirstStart do.
func (c *clusterStorage) Plan() []string {
	return []string{
		"suspend the HelmRelease vault/vault",
		"scale the StatefulSet vault/vault to 0 and wait until its pods are gone",
		"delete the PersistentVolumeClaims data-vault-<n> and wait until they are gone",
		"scale the StatefulSet back and resume the HelmRelease",
		"delete the Job vault/vault-init, which Flux makes again",
	}
}

// Begun looks for the mark of a reset.
func (c *clusterStorage) Begun(ctx context.Context) (bool, error) {
	set, err := c.statefulSet(ctx)
	if err != nil {
		return false, ignoreGone(err) // Check says that it is not there
	}
	_, begun := set.GetAnnotations()[resetMark]
	return begun, nil
}

// Check refuses while the first start runs, which may be about to store the keys, and
// volumes whose data outlives them: the new servers would find it.
func (c *clusterStorage) Check(ctx context.Context) error {
	if _, err := c.statefulSet(ctx); err != nil {
		return err
	}
	if _, err := c.idleJob(ctx); err != nil {
		return err
	}
	all, err := c.claims(ctx)
	if err != nil {
		return err
	}
	for _, claim := range all {
		if claim.Spec.VolumeName == "" {
			continue // nothing was ever written
		}
		object, err := c.objects.Resource(volumes).Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		var volume corev1.PersistentVolume
		if err == nil {
			err = runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &volume)
		}
		if err != nil {
			return fmt.Errorf("volume of %s: %w", claim.Name, err)
		}
		switch policy := volume.Spec.PersistentVolumeReclaimPolicy; {
		case volume.Spec.CSI != nil && volume.Spec.CSI.Driver == efsDriver:
			return keepsData(claim.Name, volume.Name, "it is on EFS")
		case policy != corev1.PersistentVolumeReclaimDelete:
			return keepsData(claim.Name, volume.Name, fmt.Sprintf("its reclaim policy is %q", policy))
		}
	}
	return nil
}

func keepsData(claim, volume, why string) error {
	return fmt.Errorf("the volume %s of %s keeps its data when it is deleted (%s): empty it by hand, see docs/vault-operations.md, \"Reset an empty Vault\"", volume, claim, why)
}

// Empty can be killed anywhere and called again.
func (c *clusterStorage) Empty(ctx context.Context) error {
	set, err := c.statefulSet(ctx)
	if err != nil {
		return err
	}
	replicas := set.GetAnnotations()[resetMark]
	if replicas == "" {
		n, found, err := unstructured.NestedInt64(set.Object, "spec", "replicas")
		if err != nil || !found || n < 1 {
			return fmt.Errorf("the StatefulSet vault/vault has %d replicas: 1 or more are expected", n)
		}
		replicas = fmt.Sprint(n)
	}
	// First of all, or Flux would scale it back.
	if err := c.suspend(ctx); err != nil {
		return err
	}
	c.tell("stopping the servers")
	if err := c.scale(ctx, "0", replicas); err != nil {
		return err
	}
	if err := c.await(ctx, "the servers are gone", c.podsGone); err != nil {
		return err
	}
	c.tell("deleting their volumes")
	if err := c.await(ctx, "their volumes are gone", c.claimsGone); err != nil {
		return err
	}
	c.tell("starting the servers on new ones")
	if err := c.scale(ctx, replicas, ""); err != nil {
		return err
	}
	return c.resume(ctx)
}

// Waits says that there is no Job, or that it runs.
func (c *clusterStorage) Waits(ctx context.Context) error {
	job, err := c.idleJob(ctx)
	if err == nil && job == nil {
		err = errors.New("there is no Job vault/vault-init, which would take the token: see `flux -n flux-system get kustomizations vault-init`")
	}
	return err
}

// FirstStart deletes the Job: Flux makes it again. One that runs may hold the
// recovery keys and nobody else does: it is never deleted.
func (c *clusterStorage) FirstStart(ctx context.Context) error {
	// A reset that was killed after it took the mark away leaves this.
	if err := c.resume(ctx); err != nil {
		return err
	}
	job, err := c.idleJob(ctx)
	if err != nil || job == nil {
		return err
	}
	background, version := metav1.DeletePropagationBackground, job.GetResourceVersion()
	err = c.in(jobs).Delete(ctx, firstStartJob, metav1.DeleteOptions{
		PropagationPolicy: &background,
		Preconditions:     &metav1.Preconditions{ResourceVersion: &version}, // still idle
	})
	if err := ignoreGone(err); err != nil {
		return fmt.Errorf("delete the Job %s/%s: %w", vaultNamespace, firstStartJob, err)
	}
	return nil
}

// idleJob is the Job of the first start, nil where there is none. While it runs, it is
// an error.
func (c *clusterStorage) idleJob(ctx context.Context) (*unstructured.Unstructured, error) {
	job, err := c.in(jobs).Get(ctx, firstStartJob, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // there need not be one
	}
	if err != nil {
		return nil, fmt.Errorf("the Job of the first start: %w", err)
	}
	if active, _, _ := unstructured.NestedInt64(job.Object, "status", "active"); active > 0 {
		return nil, errFirstStartRuns
	}
	return job, nil
}

func (c *clusterStorage) statefulSet(ctx context.Context) (*unstructured.Unstructured, error) {
	set, err := c.in(statefulSets).Get(ctx, vaultName, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("the StatefulSet of Vault's servers: %w", err)
	}
	return set, nil
}

// suspend tells Flux to leave the release alone. Where Flux is not, or a person has
// told it already, there is nothing to do, and nothing to undo.
func (c *clusterStorage) suspend(ctx context.Context) error {
	release, err := c.in(helmReleases).Get(ctx, vaultName, metav1.GetOptions{})
	if err != nil {
		return ignoreGone(err)
	}
	if suspended, _, _ := unstructured.NestedBool(release.Object, "spec", "suspend"); suspended {
		return nil
	}
	return c.patch(ctx, helmReleases, map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{resetMark: "suspended"}},
		"spec":     map[string]any{"suspend": true},
	})
}

// resume undoes what suspend did.
func (c *clusterStorage) resume(ctx context.Context) error {
	release, err := c.in(helmReleases).Get(ctx, vaultName, metav1.GetOptions{})
	if err != nil {
		return ignoreGone(err)
	}
	if _, ours := release.GetAnnotations()[resetMark]; !ours {
		return nil
	}
	return c.patch(ctx, helmReleases, map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{resetMark: nil}},
		"spec":     map[string]any{"suspend": false},
	})
}

// scale sets the number of servers and, in the same write, the mark.
func (c *clusterStorage) scale(ctx context.Context, to, mark string) error {
	annotation := any(mark)
	if mark == "" {
		annotation = nil // away with it
	}
	return c.patch(ctx, statefulSets, map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{resetMark: annotation}},
		"spec":     map[string]any{"replicas": json.Number(to)},
	})
}

func (c *clusterStorage) patch(ctx context.Context, resource schema.GroupVersionResource, change map[string]any) error {
	data, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("change %s: %w", resource.Resource, err)
	}
	_, err = c.in(resource).Patch(ctx, vaultName, types.MergePatchType, data, metav1.PatchOptions{FieldManager: "strongroom"})
	if err != nil {
		return fmt.Errorf("change %s %s/%s: %w", resource.Resource, vaultNamespace, vaultName, err)
	}
	return nil
}

func (c *clusterStorage) podsGone(ctx context.Context) error {
	left, err := c.in(pods).List(ctx, metav1.ListOptions{LabelSelector: vaultPods})
	if err != nil {
		return err
	}
	if n := len(left.Items); n > 0 {
		return stillThere(fmt.Sprintf("%s, such as %s", plural(n, "pod"), left.Items[0].GetName()))
	}
	return nil
}

// claimsGone deletes what is left.
func (c *clusterStorage) claimsGone(ctx context.Context) error {
	left, err := c.claims(ctx)
	if err != nil {
		return err
	}
	for _, claim := range left {
		if claim.DeletionTimestamp != nil {
			continue
		}
		if err := ignoreGone(c.in(claims).Delete(ctx, claim.Name, metav1.DeleteOptions{})); err != nil {
			return fmt.Errorf("delete %s: %w", claim.Name, err)
		}
	}
	if len(left) > 0 {
		return stillThere(fmt.Sprintf("%s, such as %s", plural(len(left), "volume"), left[0].Name))
	}
	return nil
}

// claims are the data volumes, not those with the audit log.
func (c *clusterStorage) claims(ctx context.Context) ([]corev1.PersistentVolumeClaim, error) {
	all, err := c.in(claims).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("volumes of Vault: %w", err)
	}
	var data []corev1.PersistentVolumeClaim
	for _, object := range all.Items {
		if !strings.HasPrefix(object.GetName(), dataVolume+vaultName+"-") {
			continue
		}
		var claim corev1.PersistentVolumeClaim
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &claim); err != nil {
			return nil, fmt.Errorf("volume %s of Vault: %w", object.GetName(), err)
		}
		data = append(data, claim)
	}
	return data, nil
}

// stillThere is waited for; any other error is not.
type stillThere string

func (s stillThere) Error() string { return string(s) }

func (c *clusterStorage) await(ctx context.Context, what string, done func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, storageLimit)
	defer cancel()
	tick := time.NewTicker(c.poll)
	defer tick.Stop()
	said := ""
	for {
		err := done(ctx)
		var left stillThere
		if err == nil || !errors.As(err, &left) {
			return err
		}
		if string(left) != said {
			said = string(left)
			c.tell("waiting until " + what + ": " + said)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w (last: %w)", what, ctx.Err(), left)
		case <-tick.C:
		}
	}
}

// sandboxStorage is that of servers that are processes of the sandbox's daemon: what a
// cluster says of pods, volumes and Jobs is not what runs.
type sandboxStorage struct{ *clusterStorage }

// Begun is never so.
func (sandboxStorage) Begun(context.Context) (bool, error) { return false, nil }

// Check refuses.
func (sandboxStorage) Check(context.Context) error {
	return errors.New("in the sandbox the servers are processes and have no volumes: `strongroom sandbox down` and `strongroom sandbox up` make a new Vault")
}

// Waits refuses.
func (sandboxStorage) Waits(context.Context) error {
	return errors.New("in the sandbox the daemon runs the scripts of the first start, and once: there is no Job that would take the token")
}

// FirstStart has nothing to do: the daemon tries until it has finished.
func (sandboxStorage) FirstStart(context.Context) error { return nil }
