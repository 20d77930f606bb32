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
	// apiAudience is what tokens for the API of a cluster of EKS are made for.
	apiAudience = "https://kubernetes.default.svc"
)

// simulated marks what is made in a cluster.
const simulated = "strongroom.io/simulated"

// prepare makes the service accounts of the workloads, which stay: a person can use them
// to try it by hand.
func (r *run) prepare(ctx context.Context) error {
	made := metav1.ObjectMeta{Labels: map[string]string{simulated: "true"}}
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
	if mount, _ := r.Application.login(ordersWorkload); strings.HasPrefix(mount, jwtMount) {
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
	return r.pods(ctx, "kubernetes (tooling)", r.Tooling, podWorkload, podAccount, r.Application)
}

func (r *run) applicationPods(ctx context.Context) ([]Login, error) {
	return r.pods(ctx, r.applicationMethod(), r.Application, ordersWorkload, ordersAccount, r.Tooling)
}

func (r *run) applicationMethod() string {
	if mount, _ := r.Application.login(ordersWorkload); strings.HasPrefix(mount, jwtMount) {
		return "jwt (application)"
	}
	return "kubernetes (application)"
}

// audience is what the tokens of a workload's pods must be made for.
func (r *run) audience(method string) string {
	if method == "kubernetes (application)" {
		return apiAudience
	}
	return vaultaccess.Audience
}

// pods logs in as a pod of a workload, and as three that are not it.
func (r *run) pods(ctx context.Context, method string, stack Stack, workload, account string, other Stack) ([]Login, error) {
	audience := r.audience(method)
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
