package flux

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Labels of what Flux's controllers applied.
const (
	madeByKustomization = "kustomize.toolkit.fluxcd.io/name"
	madeByRelease       = "helm.toolkit.fluxcd.io/name"
	// hook annotates what a chart declares as a hook; a release that keeps to the
	// defaults of Helm 3 does not label it.
	hook = "helm.sh/hook"
)

// simulatedMessage is what a person finds in an object for which no Pod ran.
const simulatedMessage = "simulated: the sandbox has no nodes"

// made says whether Flux made an object.
func made(o metav1.Object) bool {
	labels := o.GetLabels()
	return labels[madeByKustomization] != "" || labels[madeByRelease] != "" || o.GetAnnotations()[hook] != ""
}

// cached lets the API server answer a list from its memory.
var cached = metav1.ListOptions{ResourceVersion: "0"}

// readyWorkloads marks what Flux made and what would run Pods ready, in place of the
// kubelet and of the controllers that a sandbox's cluster does not have.
func (f *Flux) readyWorkloads(ctx context.Context) error {
	apps := f.client.AppsV1()
	deployments, err := apps.Deployments("").List(ctx, cached)
	if err != nil {
		return fmt.Errorf("list the Deployments: %w", err)
	}
	for i := range deployments.Items {
		d := &deployments.Items[i]
		if want := readyDeployment(d); made(d) && !equality.Semantic.DeepEqual(d.Status, want) {
			d.Status = want
			if err := save(ctx, "Deployment", d, apps.Deployments(d.Namespace).UpdateStatus); err != nil {
				return err
			}
		}
	}
	sets, err := apps.StatefulSets("").List(ctx, cached)
	if err != nil {
		return fmt.Errorf("list the StatefulSets: %w", err)
	}
	for i := range sets.Items {
		s := &sets.Items[i]
		if want := readyStatefulSet(s); made(s) && !equality.Semantic.DeepEqual(s.Status, want) {
			s.Status = want
			if err := save(ctx, "StatefulSet", s, apps.StatefulSets(s.Namespace).UpdateStatus); err != nil {
				return err
			}
		}
	}
	daemons, err := apps.DaemonSets("").List(ctx, cached)
	if err != nil {
		return fmt.Errorf("list the DaemonSets: %w", err)
	}
	for i := range daemons.Items {
		d := &daemons.Items[i]
		// No Pod is wanted where there are no nodes: only that somebody looked.
		if made(d) && d.Status.ObservedGeneration != d.Generation {
			d.Status.ObservedGeneration = d.Generation
			if err := save(ctx, "DaemonSet", d, apps.DaemonSets(d.Namespace).UpdateStatus); err != nil {
				return err
			}
		}
	}
	return nil
}

// save sends what was changed in an object. Somebody who changed or deleted it meanwhile
// is no error: the next step does better.
func save[T metav1.Object](ctx context.Context, kind string, o T, update func(context.Context, T, metav1.UpdateOptions) (T, error)) error {
	_, err := update(ctx, o, metav1.UpdateOptions{FieldManager: manager})
	if err == nil || apierrors.IsConflict(err) || gone(err) {
		return nil
	}
	return fmt.Errorf("%s %s/%s: %w", kind, o.GetNamespace(), o.GetName(), err)
}

func replicas(wanted *int32) int32 {
	if wanted == nil {
		return 1 // the API's default
	}
	return *wanted
}

// readyDeployment is the status of a Deployment all of whose Pods are ready.
func readyDeployment(d *appsv1.Deployment) appsv1.DeploymentStatus {
	n := replicas(d.Spec.Replicas)
	s := appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation,
		Replicas:           n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
	}
	for _, c := range []appsv1.DeploymentCondition{
		{Type: appsv1.DeploymentAvailable, Reason: "MinimumReplicasAvailable"},
		// The reason by which Helm and Flux know that a rollout has ended.
		{Type: appsv1.DeploymentProgressing, Reason: "NewReplicaSetAvailable"},
	} {
		c.Status, c.Message = corev1.ConditionTrue, simulatedMessage
		c.LastUpdateTime, c.LastTransitionTime = metav1.Now().Rfc3339Copy(), metav1.Now().Rfc3339Copy()
		for _, former := range d.Status.Conditions {
			if former.Type == c.Type && former.Status == c.Status && former.Message == c.Message {
				c = former
			}
		}
		s.Conditions = append(s.Conditions, c)
	}
	return s
}

// readyStatefulSet is the status of a StatefulSet all of whose Pods are ready.
func readyStatefulSet(s *appsv1.StatefulSet) appsv1.StatefulSetStatus {
	const revision = "simulated"
	n := replicas(s.Spec.Replicas)
	return appsv1.StatefulSetStatus{
		ObservedGeneration: s.Generation,
		Replicas:           n, ReadyReplicas: n, CurrentReplicas: n, UpdatedReplicas: n, AvailableReplicas: n,
		CurrentRevision: revision, UpdateRevision: revision, CollisionCount: s.Status.CollisionCount,
	}
}
