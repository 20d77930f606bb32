package verify

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strongroom-platform/strongroom/internal/vaultaccess"
	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
	"github.com/strongroom-platform/strongroom/sandbox/vaulthost"
)

// What tooling.yaml and application.yaml say of the workloads that are pods.
const (
	prefix         = "sandbox-"
	namespace      = "sandbox"
	podWorkload    = prefix + "pod"
	podAccount     = "pod"
	ordersWorkload = prefix + "orders"
	ordersAccount  = "orders"
	// intruder is a service account that no workload has.
	intruder = "intruder"
	// jwtMount begins the path of the login of a cluster that is verified by its keys.
	jwtMount = "jwt-"
)

// prepare makes the service accounts of the workloads, which stay: a person can use them
// to try it by hand.
func (r *run) prepare(ctx context.Context) error {
	made := metav1.ObjectMeta{Labels: map[string]string{vaulthost.Simulated: "true"}}
	for _, s := range []Stack{r.Tooling, r.Application} {
		space := made
		space.Name = namespace
		_, err := s.Kubernetes.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: space}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("namespace %s: %w", namespace, err)
		}
		for _, name := range []string{podAccount, ordersAccount, intruder} {
			account := made
			account.Name = name
			_, err := s.Kubernetes.CoreV1().ServiceAccounts(namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: account}, metav1.CreateOptions{})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return fmt.Errorf("service account %s/%s: %w", namespace, name, err)
			}
		}
	}
	if r.applicationByJWT() {
		return nil
	}
	// With the method kubernetes a client asks its API about its own token.
	made.Name = "sandbox-token-review"
	_, err := r.Application.Kubernetes.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: made,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:auth-delegator"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "system:serviceaccounts:" + namespace}},
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("cluster role binding %s: %w", made.Name, err)
	}
	return nil
}

func (r *run) toolingPods(ctx context.Context) ([]Login, error) {
	return r.pods(ctx, "kubernetes (tooling)", vaultaccess.Audience, r.Tooling, podWorkload, podAccount, r.Application)
}

func (r *run) applicationPods(ctx context.Context) ([]Login, error) {
	method, audience := r.applicationMethod()
	return r.pods(ctx, method, audience, r.Application, ordersWorkload, ordersAccount, r.Tooling)
}

// applicationByJWT says which of the two ways the application's cluster logs in.
func (r *run) applicationByJWT() bool {
	mount, _ := r.Application.login(ordersWorkload)
	return strings.HasPrefix(mount, jwtMount)
}

// applicationMethod is that way, and what the tokens of pods must be made for.
func (r *run) applicationMethod() (method, audience string) {
	if r.applicationByJWT() {
		return "jwt (application)", vaultaccess.Audience
	}
	return "kubernetes (application)", controlplane.APIAudience
}

// pods logs in as a pod of a workload, and as three that are not it.
func (r *run) pods(ctx context.Context, method, audience string, stack Stack, workload, account string, other Stack) ([]Login, error) {
	tries := []struct {
		l                 Login
		of                Stack
		account, audience string
	}{
		{Login{Who: "a pod of " + namespace + "/" + account}, stack, account, audience},
		{Login{Who: "a pod of " + namespace + "/" + intruder, MustBeRefused: true}, stack, intruder, audience},
		{Login{Who: "a token for another audience", MustBeRefused: true}, stack, account, "elsewhere"},
		{Login{Who: "a token of the other cluster", MustBeRefused: true}, other, account, audience},
	}
	var all []Login
	for _, t := range tries {
		jwt, err := PodToken(ctx, t.of.Kubernetes, namespace, t.account, t.audience)
		if err != nil {
			return nil, err
		}
		t.l.Method, t.l.Simulated = method, "the pod: its token is real"
		l, err := r.try(ctx, t.l, stack, workload, map[string]any{"jwt": jwt})
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}
