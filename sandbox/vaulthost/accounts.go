package vaulthost

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/strongroom-platform/strongroom/sandbox/files"
	"github.com/strongroom-platform/strongroom/sandbox/podidentity"
)

// Simulated labels what the sandbox made in a cluster in place of something real.
const Simulated = "strongroom.io/simulated"

func labels() map[string]string { return map[string]string{Simulated: "true"} }

// makeAccounts makes the service accounts as the chart and the tree do, and lets
// the servers review tokens. What is there already is left as it is.
func makeAccounts(ctx context.Context, client kubernetes.Interface) error {
	for _, name := range []string{serverAccount, initAccount, snapshotAccount} {
		_, err := client.CoreV1().ServiceAccounts(namespace).Create(ctx, &corev1.ServiceAccount{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels()},
		}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("service account %s/%s: %w", namespace, name, err)
		}
	}
	if err := letLabel(ctx, client); err != nil {
		return err
	}
	_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "vault-server-binding", Labels: labels()},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:auth-delegator"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: serverAccount, Namespace: namespace}},
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("cluster role binding vault-server-binding: %w", err)
	}
	return nil
}

// letLabel lets the servers label their pods, as the chart's Role does.
func letLabel(ctx context.Context, client kubernetes.Interface) error {
	const role, binding = "vault-discovery-role", "vault-discovery-rolebinding"
	_, err := client.RbacV1().Roles(namespace).Create(ctx, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: role, Labels: labels()},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "watch", "list", "update", "patch"}}},
	}, metav1.CreateOptions{})
	if err == nil || apierrors.IsAlreadyExists(err) {
		_, err = client.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: binding, Labels: labels()},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: serverAccount, Namespace: namespace}},
		}, metav1.CreateOptions{})
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("role by which Vault labels its pods: %w", err)
	}
	return nil
}

// The files with tokens of service accounts, as a kubelet projects them into pods.
const (
	serverTokenFile    = "server/token"    // the servers', for the API server
	serverCAFile       = "server/ca.crt"   // the API server's CA, beside it
	serverIdentityFile = "server-identity" // the servers', for Pod Identity
	initIdentityFile   = "init-identity"   // the Job's, for Pod Identity
	provisionerFile    = "provisioner"     // the Job's, for Vault
)

// tokenLife is how long a token is good for.
const tokenLife = 24 * time.Hour

// projections are the tokens, made anew every refresh.
var projections = map[string]struct{ account, audience string }{
	serverTokenFile:    {serverAccount, ""},
	serverIdentityFile: {serverAccount, podidentity.Audience},
	initIdentityFile:   {initAccount, podidentity.Audience},
	provisionerFile:    {initAccount, vaultAudience},
}

// refresh is how often a kubelet would look after them.
const refresh = time.Hour

// project writes the tokens into a folder, and the CA of the API server.
func project(ctx context.Context, client kubernetes.Interface, dir string, ca []byte) error {
	if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(serverTokenFile)), 0o700); err != nil {
		return fmt.Errorf("tokens for Vault: %w", err)
	}
	if err := files.Replace(filepath.Join(dir, serverCAFile), ca, files.Private); err != nil {
		return err
	}
	for file, p := range projections {
		seconds := int64(tokenLife.Seconds())
		request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
		if p.audience != "" {
			request.Spec.Audiences = []string{p.audience}
		}
		answer, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, p.account, request, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("token of service account %s/%s: %w", namespace, p.account, err)
		}
		if err := files.Replace(filepath.Join(dir, file), []byte(answer.Status.Token), files.Private); err != nil {
			return err
		}
	}
	return nil
}
