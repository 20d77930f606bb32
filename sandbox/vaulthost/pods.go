package vaulthost

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/strongroom-platform/strongroom/sandbox/vault"
)

const (
	loopback = "127.0.0.1"
	// apiPort is where Vault answers in a pod.
	apiPort = 8200
)

// nodeOf is the name of the simulated node that a pod is on: one for each.
func nodeOf(ordinal int) string { return "simulated-" + strconv.Itoa(ordinal) }

// showNode makes the object for a node whose kubelet answers at a port. Nobody is
// scheduled to it.
func showNode(ctx context.Context, client kubernetes.Interface, name string, kubeletPort int) error {
	nodes := client.CoreV1().Nodes()
	node, err := nodes.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		node, err = nodes.Create(ctx, &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels()},
			Spec: corev1.NodeSpec{Unschedulable: true, Taints: []corev1.Taint{
				{Key: Simulated, Value: "true", Effect: corev1.TaintEffectNoSchedule},
			}},
		}, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("node %s: %w", name, err)
	}
	want := node.DeepCopy()
	want.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: loopback}}
	want.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(kubeletPort) //nolint:gosec // a port
	want.Status.NodeInfo.KubeletVersion = "simulated"
	if len(want.Status.Conditions) == 0 {
		want.Status.Conditions = []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "Simulated", Message: "the sandbox's daemon plays its kubelet, for port-forwards alone",
			LastTransitionTime: metav1.Now().Rfc3339Copy(),
		}}
	}
	if equality.Semantic.DeepEqual(node.Status, want.Status) {
		return nil
	}
	if _, err := nodes.UpdateStatus(ctx, want, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("node %s: %w", name, err)
	}
	return nil
}

// showPod makes the object for the pod that a server plays, and says that it is
// simulated. Which one is active, Vault's service registration says, by labels.
func showPod(ctx context.Context, client kubernetes.Interface, ordinal int, image string, server vault.Server, health vault.Health) error {
	pods := client.CoreV1().Pods(namespace)
	pod, err := pods.Get(ctx, server.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		pod, err = pods.Create(ctx, newPod(ordinal, server.Name, image), metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("pod %s/%s: %w", namespace, server.Name, err)
	}
	want := pod.DeepCopy()
	setStatus(&want.Status, image, server, health)
	if equality.Semantic.DeepEqual(pod.Status, want.Status) {
		return nil
	}
	if _, err := pods.UpdateStatus(ctx, want, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("pod %s/%s: %w", namespace, server.Name, err)
	}
	return nil
}

func newPod(ordinal int, name, image string) *corev1.Pod {
	no, yes, never := false, true, int64(0)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			Simulated: "true", "app.kubernetes.io/name": "vault", "app.kubernetes.io/instance": "vault", "component": "server",
			"statefulset.kubernetes.io/pod-name": name,
		}},
		Spec: corev1.PodSpec{
			NodeName: nodeOf(ordinal), ServiceAccountName: serverAccount, AutomountServiceAccountToken: &no,
			// Nobody would say that it has ended: it is deleted at once.
			TerminationGracePeriodSeconds: &never,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "vault", Image: image, Ports: []corev1.ContainerPort{{Name: "https", ContainerPort: apiPort}},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}

func setStatus(status *corev1.PodStatus, image string, server vault.Server, health vault.Health) {
	ready := health.Initialized && !health.Sealed
	status.Phase = corev1.PodRunning
	if server.PID == 0 {
		status.Phase, status.Message = corev1.PodPending, "simulated: its process does not run yet"
		return
	}
	status.Message = fmt.Sprintf("simulated: process %d on this machine, at %s", server.PID, server.URL)
	status.HostIP, status.PodIP = loopback, loopback
	status.HostIPs, status.PodIPs = []corev1.HostIP{{IP: loopback}}, []corev1.PodIP{{IP: loopback}}
	is := corev1.ConditionFalse
	if ready {
		is = corev1.ConditionTrue
	}
	conditions := make([]corev1.PodCondition, 0, 2)
	for _, kind := range []corev1.PodConditionType{corev1.ContainersReady, corev1.PodReady} {
		condition := corev1.PodCondition{Type: kind, Status: is, Reason: "Simulated", LastTransitionTime: metav1.Now().Rfc3339Copy()}
		for _, former := range status.Conditions {
			if former.Type == kind && former.Status == is {
				condition.LastTransitionTime = former.LastTransitionTime
			}
		}
		conditions = append(conditions, condition)
	}
	status.Conditions = conditions
	started := true
	container := corev1.ContainerStatus{Name: "vault", Image: image, ImageID: "simulated", Ready: ready, Started: &started}
	container.State.Running = &corev1.ContainerStateRunning{StartedAt: conditions[0].LastTransitionTime}
	if former := status.ContainerStatuses; len(former) == 1 && former[0].State.Running != nil {
		container.State.Running.StartedAt = former[0].State.Running.StartedAt
	}
	status.ContainerStatuses = []corev1.ContainerStatus{container}
}
