package flux

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
)

var instances = schema.GroupVersionResource{Group: "fluxcd.controlplane.io", Version: "v1", Resource: "fluxinstances"}

// finalizer is the operator's: the uninstallation comes before the instance goes.
const finalizer = "fluxcd.controlplane.io/finalizer"

// step brings the cluster nearer to what its FluxInstance says.
func (f *Flux) step(ctx context.Context) error {
	list, err := f.dynamic.Resource(instances).Namespace(Namespace).List(ctx, metav1.ListOptions{})
	if gone(err) {
		return f.halt(ctx) // no operator was installed
	}
	if err != nil {
		return err
	}
	switch len(list.Items) {
	case 0:
		return f.halt(ctx)
	case 1:
	default:
		return fmt.Errorf("%d FluxInstances in namespace %s: expected one", len(list.Items), Namespace)
	}
	instance := &list.Items[0]
	if instance.GetDeletionTimestamp() != nil {
		return f.uninstall(ctx, instance)
	}
	if err := f.hold(ctx, instance); err != nil {
		return err
	}
	if err := f.install(ctx, instance); err != nil {
		return errors.Join(err, f.report(ctx, instance, err))
	}
	if err := f.report(ctx, instance, nil); err != nil {
		return err
	}
	return f.objects.do(func() (waiting bool, err error) {
		// Webhooks first: what comes after a release that is ready finds none that is called.
		if err := f.disarmWebhooks(ctx); err != nil {
			return false, err
		}
		if waiting, err = f.completeJobs(ctx); err != nil {
			return false, err
		}
		return waiting, f.readyWorkloads(ctx)
	})
}

// hold puts the operator's finalizer on the instance.
func (f *Flux) hold(ctx context.Context, instance *unstructured.Unstructured) error {
	if slices.Contains(instance.GetFinalizers(), finalizer) {
		return nil
	}
	instance.SetFinalizers(append(instance.GetFinalizers(), finalizer))
	updated, err := f.dynamic.Resource(instances).Namespace(Namespace).Update(ctx, instance, metav1.UpdateOptions{FieldManager: manager})
	if err != nil {
		return fmt.Errorf("FluxInstance %q: %w", instance.GetName(), err)
	}
	*instance = *updated
	return nil
}

// install does what the operator does: CRDs, accounts, controllers.
func (f *Flux) install(ctx context.Context, instance *unstructured.Unstructured) error {
	f.mu.Lock()
	started := f.controllers != nil
	f.mu.Unlock()
	if started {
		return f.secrets.do(func() (bool, error) { return false, f.tellKeys(ctx) })
	}
	// The second set is of objects in the tree for which no release brings the
	// CRDs.
	for _, set := range []string{"flux", "prometheus-operator"} {
		if err := f.applyCRDs(ctx, set); err != nil {
			return err
		}
	}
	if err := f.redirectCharts(ctx); err != nil {
		return err
	}
	if err := f.applyAccounts(ctx); err != nil {
		return err
	}
	if err := f.tellKeys(ctx); err != nil {
		return err
	}
	f.objects.start()
	f.secrets.start()
	if err := f.observer.start(); err != nil {
		return err
	}
	multitenant, _, _ := unstructured.NestedBool(instance.Object, "spec", "cluster", "multitenant")
	return f.startControllers(ctx, multitenant)
}

// tellKeys reads the public keys that the stack put beside the private ones.
func (f *Flux) tellKeys(ctx context.Context) error {
	if f.options.Key == nil {
		return nil
	}
	for _, name := range Identities {
		secret, err := f.client.CoreV1().Secrets(Namespace).Get(ctx, name, metav1.GetOptions{})
		if gone(err) {
			continue // not yet: the next step
		}
		if err != nil {
			return fmt.Errorf("secret %q: %w", name, err)
		}
		line := string(secret.Data["identity.pub"])
		if line == "" || line == f.keys[name] {
			continue
		}
		if err := f.options.Key(name, line); err != nil {
			return fmt.Errorf("secret %q, key \"identity.pub\": %w", name, err)
		}
		f.keys[name] = line
	}
	return nil
}

// report writes the instance's condition, once per change.
func (f *Flux) report(ctx context.Context, instance *unstructured.Unstructured, failure error) error {
	status, reason, message := "True", "ReconciliationSucceeded", "reconciled by the sandbox, which stands in for flux-operator"
	if failure != nil {
		status, reason, message = "False", "ReconciliationFailed", fluxstatus.OneLine(failure.Error())
	}
	if c := fluxstatus.ConditionOf(instance, "Ready"); c.Status == status && c.Message == message && c.Generation == instance.GetGeneration() {
		return nil
	}
	instance = instance.DeepCopy()
	condition := map[string]any{
		"type": "Ready", "status": status, "reason": reason, "message": message,
		"observedGeneration": instance.GetGeneration(),
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
	}
	if err := unstructured.SetNestedSlice(instance.Object, []any{condition}, "status", "conditions"); err != nil {
		return err
	}
	_, err := f.dynamic.Resource(instances).Namespace(Namespace).UpdateStatus(ctx, instance, metav1.UpdateOptions{FieldManager: manager})
	if apierrors.IsConflict(err) {
		return nil // somebody changed it: the next step
	}
	return err
}

// halt stops the controllers where they run.
func (f *Flux) halt(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.controllers == nil {
		return nil
	}
	f.options.Logf("flux of cluster %q: its FluxInstance is gone: stopping the controllers", f.options.Cluster)
	f.objects.stop()
	f.secrets.stop()
	err := errors.Join(f.observer.forget(), f.controllers.stop(ctx))
	f.controllers = nil
	return err
}

// gone says that an object, or its kind, is not there.
func gone(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }
