package controlplane_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
	"github.com/strongroom-platform/strongroom/sandbox/process"
)

// tools returns the folder of the built binaries. Without them these tests
// can prove nothing: in CI that is a failure.
func tools(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("STRONGROOM_TOOLS_BIN")
	if dir == "" {
		dir = filepath.Join("..", "..", ".sandbox", "bin")
	}
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			message := fmt.Sprintf("%s is not built in %s: run `make up`, or set STRONGROOM_TOOLS_BIN", name, dir)
			if os.Getenv("CI") == "true" {
				t.Fatal(message)
			}
			t.Skip(message)
		}
	}
	return dir
}

const hookToken = "the-token-of-the-webhook"

// reviews is a token webhook: "<group>@<cluster>" is a valid token of that
// cluster for a member of that group.
func reviews(t *testing.T) controlplane.Webhook {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+hookToken {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		var review authenticationv1.TokenReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		group, cluster, _ := strings.Cut(review.Spec.Token, "@")
		if "/webhook/"+cluster == r.URL.Path {
			review.Status.Authenticated = true
			review.Status.User = authenticationv1.UserInfo{Username: "somebody", Groups: []string{group}}
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(review); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return controlplane.Webhook{URL: server.URL + "/webhook", Token: hookToken}
}

func open(t *testing.T, dir string) *controlplane.ControlPlanes {
	t.Helper()
	planes, err := controlplane.New(controlplane.Options{Dir: dir, BinDir: tools(t), Webhook: reviews(t), Logf: t.Logf})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, planes.Close(context.Background())) })
	return planes
}

func cluster(name string) account.Cluster {
	return account.Cluster{Name: name, Version: "1.36", Region: "eu-west-1", ARN: "arn:aws:eks:eu-west-1:123456789012:cluster/" + name}
}

func ctx(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// as is a client that holds a token, and nothing but what the endpoint says.
func as(t *testing.T, e account.Endpoint, token string) kubernetes.Interface {
	t.Helper()
	ca, err := base64.StdEncoding.DecodeString(e.CAData)
	require.NoError(t, err)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: e.URL, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: ca}})
	require.NoError(t, err)
	return client
}

func createNamespace(ctx context.Context, client kubernetes.Interface, name string) error {
	_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	return err
}

// recorded reads the process records of a cluster's folder.
func recorded(t *testing.T, dir, name string) []process.Record {
	t.Helper()
	records, err := process.LoadAll(filepath.Join(dir, name, "run"))
	require.NoError(t, err)
	return records
}

func TestLifeOfAControlPlane(t *testing.T) {
	dir, ctx := t.TempDir(), ctx(t)
	planes := open(t, dir)
	endpoint, err := planes.Start(ctx, cluster("tooling"))
	require.NoError(t, err)
	require.Empty(t, endpoint.Note)
	require.Equal(t, endpoint.URL, endpoint.Issuer)
	admin := as(t, endpoint, "system:masters@tooling")

	t.Run("a namespace can be created and deleted", func(t *testing.T) {
		require.NoError(t, createNamespace(ctx, admin, "come-and-go"))
		require.Eventually(t, func() bool {
			_, err := admin.CoreV1().ServiceAccounts("come-and-go").Get(ctx, "default", metav1.GetOptions{})
			return err == nil
		}, time.Minute, 50*time.Millisecond, "no default service account: the controllers do not work")
		require.NoError(t, admin.CoreV1().Namespaces().Delete(ctx, "come-and-go", metav1.DeleteOptions{}))
		require.Eventually(t, func() bool {
			_, err := admin.CoreV1().Namespaces().Get(ctx, "come-and-go", metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		}, time.Minute, 50*time.Millisecond, "the namespace stays in Terminating")
	})
	t.Run("the version is the binary's own", func(t *testing.T) {
		version, err := admin.Discovery().ServerVersion()
		require.NoError(t, err)
		require.Equal(t, endpoint.ActualVersion, version.GitVersion)
	})
	t.Run("who is refused", func(t *testing.T) {
		for name, token := range map[string]string{"no entry": "unknown", "another cluster's token": "system:masters@application"} {
			err := createNamespace(ctx, as(t, endpoint, token), "refused")
			require.Truef(t, apierrors.IsUnauthorized(err), "%s: expected 401, got %v", name, err)
		}
		err := createNamespace(ctx, as(t, endpoint, ""), "refused")
		require.True(t, apierrors.IsForbidden(err), "anonymous: %v", err)
	})
	t.Run("access policies", func(t *testing.T) { testAccessPolicies(t, ctx, endpoint) })
	t.Run("the OIDC issuer is real", func(t *testing.T) { testIssuer(t, ctx, endpoint, admin) })
	t.Run("only the owner can read the folder", func(t *testing.T) { testPrivate(t, filepath.Join(dir, "tooling")) })

	t.Run("starting it again does nothing", func(t *testing.T) {
		before := planes.Status()
		again, err := planes.Start(ctx, cluster("tooling"))
		require.NoError(t, err)
		require.Equal(t, endpoint, again)
		require.Equal(t, before, planes.Status())
	})
	t.Run("another region's cluster of the same name is refused", func(t *testing.T) {
		other := cluster("tooling")
		other.ARN = "arn:aws:eks:us-east-1:123456789012:cluster/tooling"
		_, err := planes.Start(ctx, other)
		require.ErrorContains(t, err, "not to "+other.ARN)
	})
	t.Run("a version without a binary is said to be simulated", func(t *testing.T) {
		upgraded, err := planes.Upgrade(ctx, "tooling", "1.35")
		require.NoError(t, err)
		require.Equal(t, "simulated version 1.35: runs kube-apiserver "+endpoint.ActualVersion+", the only binary built", upgraded.Note)
		upgraded, err = planes.Upgrade(ctx, "tooling", "1.36")
		require.NoError(t, err)
		require.Equal(t, endpoint, upgraded)
	})
	t.Run("a process that ends by itself is started again", func(t *testing.T) {
		require.NoError(t, createNamespace(ctx, admin, "kept-by-etcd"))
		for _, r := range recorded(t, dir, "tooling") {
			if r.Name == "etcd" {
				require.NoError(t, r.Stop(ctx, 0))
			}
		}
		require.Eventually(t, func() bool {
			_, err := admin.CoreV1().Namespaces().Get(ctx, "kept-by-etcd", metav1.GetOptions{})
			return err == nil && planes.Status()[0].Failure == "" && len(planes.Status()[0].Processes) == 3
		}, 2*time.Minute, 200*time.Millisecond)
	})
	t.Run("stop leaves no process and no data", func(t *testing.T) {
		records := recorded(t, dir, "tooling")
		require.Len(t, records, 3)
		require.NoError(t, planes.Stop(ctx, "tooling"))
		for _, r := range records {
			require.False(t, r.Alive(), r.Name)
		}
		require.NoDirExists(t, filepath.Join(dir, "tooling"))
		require.NoError(t, planes.Stop(ctx, "tooling"), "deleting again must do no harm")
	})
}

func testAccessPolicies(t *testing.T, ctx context.Context, e account.Endpoint) {
	for _, test := range []struct {
		policy                string
		readPods, readSecrets bool
		writePods, bindRoles  bool
	}{
		{"AmazonEKSViewPolicy", true, false, false, false},
		{"AmazonEKSAdminViewPolicy", true, true, false, false},
		{"AmazonEKSEditPolicy", true, true, true, false},
		{"AmazonEKSAdminPolicy", true, true, true, true},
	} {
		client := as(t, e, controlplane.AccessPolicyGroupPrefix+test.policy+"@tooling")
		may := func(verb, group, resource string) bool { return allowed(t, ctx, client, verb, group, resource) }
		require.Equal(t, test.readPods, may("list", "", "pods"), test.policy)
		require.Equal(t, test.readSecrets, may("list", "", "secrets"), test.policy)
		require.Equal(t, test.writePods, may("create", "", "pods"), test.policy)
		require.Equal(t, test.bindRoles, may("create", "rbac.authorization.k8s.io", "rolebindings"), test.policy)
		require.False(t, may("create", "", "namespaces"), test.policy)
	}
}

// testIssuer follows the discovery document as a relying party would, without
// credentials, and looks for the key of a token that the cluster has issued.
func testIssuer(t *testing.T, ctx context.Context, e account.Endpoint, admin kubernetes.Interface) {
	ca, err := base64.StdEncoding.DecodeString(e.CAData)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(ca))
	anybody := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	fetch := func(address string, into any) {
		response, err := anybody.Get(address)
		require.NoError(t, err)
		defer func() { require.NoError(t, response.Body.Close()) }()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode, string(body))
		require.NoError(t, json.Unmarshal(body, into))
	}
	var discovery struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	fetch(e.Issuer+"/.well-known/openid-configuration", &discovery)
	require.Equal(t, e.Issuer, discovery.Issuer)
	var keys struct{ Keys []struct{ Kid, Alg string } }
	fetch(discovery.JWKS, &keys)
	require.Len(t, keys.Keys, 1)

	token, err := admin.CoreV1().ServiceAccounts("default").CreateToken(ctx, "default", &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{Audiences: []string{"vault"}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(token.Status.Token, ".")[0])
	require.NoError(t, err)
	require.JSONEq(t, fmt.Sprintf(`{"alg":"RS256","kid":%q}`, keys.Keys[0].Kid), string(header))
}

func testPrivate(t *testing.T, dir string) {
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.Type()&os.ModeSocket != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		require.Zero(t, info.Mode().Perm()&0o077, path)
		if info.Mode().IsRegular() && filepath.Ext(path) != ".tmp" && !strings.Contains(path, "/etcd/") {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NotContains(t, string(data), hookToken, path)
		}
		return nil
	}))
}

// What a new daemon finds of the one before it, step by step on one cluster: each start
// costs seconds.
func TestResume(t *testing.T) {
	dir, ctx := t.TempDir(), ctx(t)
	planes := open(t, dir)
	before, err := planes.Start(ctx, cluster("tooling"))
	require.NoError(t, err)
	require.NoError(t, createNamespace(ctx, as(t, before, "system:masters@tooling"), "survives"))
	require.NoError(t, planes.Close(ctx))
	step := func(name string, do func(*testing.T, *controlplane.ControlPlanes)) {
		t.Helper()
		if !t.Run(name, func(t *testing.T) { do(t, open(t, dir)) }) {
			t.FailNow()
		}
	}

	step("the port is in use", func(t *testing.T, planes *controlplane.ControlPlanes) {
		address, err := url.Parse(before.URL)
		require.NoError(t, err)
		squatter, err := net.Listen("tcp4", address.Host)
		require.NoError(t, err)
		err = planes.Resume(ctx)
		require.ErrorContains(t, err, "port "+address.Port()+" on 127.0.0.1 is in use")
		require.ErrorContains(t, err, `cluster "tooling"`)
		require.Contains(t, planes.Status()[0].Failure, "in use")
		require.Empty(t, recorded(t, dir, "tooling"), "a failed start must leave no process")
		require.NoError(t, squatter.Close())
	})
	step("address, data and credentials are as before", func(t *testing.T, planes *controlplane.ControlPlanes) {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "interrupted", "etcd"), 0o700))
		require.NoError(t, planes.Resume(ctx))
		_, err := as(t, before, "system:masters@tooling").CoreV1().Namespaces().Get(ctx, "survives", metav1.GetOptions{})
		require.NoError(t, err)
		require.NoDirExists(t, filepath.Join(dir, "interrupted"), "what an interrupted start left is not a cluster")

		again, err := planes.Start(ctx, cluster("tooling"))
		require.NoError(t, err)
		require.Equal(t, before, again)
		require.NoError(t, planes.Close(ctx))
	})
	// The account finishes what a kill interrupted as soon as it is opened, before
	// anything was resumed.
	step("an upgrade comes first", func(t *testing.T, planes *controlplane.ControlPlanes) {
		after, err := planes.Upgrade(ctx, "tooling", "1.35")
		require.NoError(t, err)
		require.Equal(t, before.URL, after.URL)
		require.NotEmpty(t, after.Note)
		require.NoError(t, planes.Resume(ctx))
		require.Equal(t, "1.35", planes.Status()[0].Version)
		require.NoError(t, planes.Close(ctx))
	})
	step("a stop comes first", func(t *testing.T, planes *controlplane.ControlPlanes) {
		require.NoError(t, planes.Stop(ctx, "tooling"))
		require.NoDirExists(t, filepath.Join(dir, "tooling"))
		_, err := planes.Upgrade(ctx, "tooling", "1.36")
		require.ErrorContains(t, err, `cluster "tooling" has no control plane`)
		require.Empty(t, planes.Status())
	})
}

func TestCancelledStartLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	planes := open(t, dir)
	ctx, cancel := context.WithTimeout(ctx(t), 1500*time.Millisecond)
	defer cancel()
	_, err := planes.Start(ctx, cluster("tooling"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Empty(t, recorded(t, dir, "tooling"))
	require.Empty(t, planes.Status())
}

func TestTwoAtTheSameTime(t *testing.T) {
	dir, ctx := t.TempDir(), ctx(t)
	planes := open(t, dir)
	names := []string{"tooling", "application"}
	endpoints := make([]account.Endpoint, len(names))
	errs := make([]error, len(names))
	var starting sync.WaitGroup
	for i, name := range names {
		starting.Go(func() { endpoints[i], errs[i] = planes.Start(ctx, cluster(name)) })
	}
	starting.Wait()
	for i, name := range names {
		require.NoError(t, errs[i])
		require.NoError(t, createNamespace(ctx, as(t, endpoints[i], "system:masters@"+name), "own"))
	}
	require.NotEqual(t, endpoints[0].URL, endpoints[1].URL)
	require.NotEqual(t, endpoints[0].CAData, endpoints[1].CAData)

	// One of them goes, as it is no longer in the account; then the other.
	require.NoError(t, planes.Prune(ctx, []account.Cluster{cluster("tooling")}))
	require.DirExists(t, filepath.Join(dir, "tooling"))
	require.NoDirExists(t, filepath.Join(dir, "application"))
	require.NoError(t, planes.Prune(ctx, nil))
	require.NoDirExists(t, filepath.Join(dir, "tooling"))
	require.Empty(t, planes.Status())
}

func TestBadClusters(t *testing.T) {
	planes, err := controlplane.New(controlplane.Options{Dir: t.TempDir(), BinDir: t.TempDir()})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		cluster account.Cluster
		want    string
	}{
		"name leaves the folder": {account.Cluster{Name: "../elsewhere", Version: "1.36"}, `cluster name "../elsewhere"`},
		"no binary":              {cluster("tooling"), "`strongroom sandbox up` builds it"},
	} {
		_, err := planes.Start(context.Background(), test.cluster)
		require.ErrorContains(t, err, test.want, name)
	}
}
