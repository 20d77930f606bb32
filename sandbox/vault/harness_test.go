package vault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
	"github.com/strongroom-platform/strongroom/sandbox/awscli"
	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
	"github.com/strongroom-platform/strongroom/sandbox/kms"
	"github.com/strongroom-platform/strongroom/sandbox/podidentity"
	"github.com/strongroom-platform/strongroom/sandbox/secretsmanager"
	"github.com/strongroom-platform/strongroom/sandbox/vault"
	"github.com/strongroom-platform/strongroom/sandbox/vault/vaulttest"
)

// asAWS makes the test program play the `aws` of the scripts.
const asAWS = "STRONGROOM_TEST_AWS"

func TestMain(m *testing.M) {
	if os.Getenv(asAWS) != "" {
		command := &awscli.Command{Getenv: os.Getenv, Stdout: os.Stdout, Stderr: os.Stderr}
		os.Exit(command.Run(context.Background(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

const (
	region     = "eu-central-1"
	secretName = "strongroom/vault/recovery"
	secretARN  = "arn:aws:secretsmanager:" + region + ":" + account.AccountID + ":secret:" + secretName + "-AbCdEf"
)

// tools returns the folder of the built programs. Without them these tests can
// prove nothing: in CI that is a failure.
func tools(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("STRONGROOM_TOOLS_BIN")
	if dir == "" {
		dir = filepath.Join("..", "..", ".sandbox", "bin")
	}
	for _, name := range []string{"vault", "etcd", "kube-apiserver", "kube-controller-manager"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			message := fmt.Sprintf("%s is not built in %s: run `make tools`, or set STRONGROOM_TOOLS_BIN", name, dir)
			if os.Getenv("CI") == "true" {
				t.Fatal(message)
			}
			t.Skip(message)
		}
	}
	absolute, err := filepath.Abs(dir)
	require.NoError(t, err)
	return absolute
}

// platform is what a Vault needs around it: the simulated account with a key and
// two roles, and a real control plane with the service account that provisions.
type platform struct {
	t        *testing.T
	dir, bin string
	account  *account.Account
	sessions *podidentity.Sessions
	url      string
	keyARN   string
	servers  *vault.Servers
	config   vault.Config
	cluster  kubernetes.Interface
	endpoint account.Endpoint
	// clusterCA, reviewer and provisioner are files.
	clusterCA, reviewer, provisioner string
	replicas                         int
	hangLimit                        time.Duration
	wrapper                          string // folder with programs that may kill
	// lean is added to the environment of every program, where many run at once.
	lean []string
}

// secrets are those of the account and the one of this test.
type secrets struct {
	*account.Account
	keyARN string
}

func (s secrets) Secret(reference, at string) (account.Secret, error) {
	if reference == secretARN || reference == secretName {
		return account.Secret{ARN: secretARN, Name: secretName, KeyID: s.keyARN}, nil
	}
	return s.Account.Secret(reference, at)
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{t: t, bin: tools(t), dir: t.TempDir(), replicas: 3, sessions: &podidentity.Sessions{}}
	var err error
	p.account, err = account.Open(filepath.Join(p.dir, "account"), nil, account.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.account.Close()) })
	key := p.create("aws:kms/key:Key", map[string]any{"description": "unseals Vault"})
	p.keyARN = key["arn"].(string)
	p.role("vault-server", statement([]string{"kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"}, p.keyARN, ""))
	p.role("vault-init",
		statement([]string{"secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:DescribeSecret"}, secretARN, ""),
		statement([]string{"kms:GenerateDataKey", "kms:Decrypt"}, p.keyARN, `,"Condition":{"StringEquals":{"kms:ViaService":"secretsmanager.`+region+`.amazonaws.com"}}`))
	log := slog.New(slog.DiscardHandler)
	keys := kms.New(p.account, p.dir)
	server := httptest.NewServer(awsapi.Dispatch{
		kms.Scope:            keys.Handler(p.sessions.Credential, log),
		secretsmanager.Scope: secretsmanager.New(secrets{p.account, p.keyARN}, keys, p.dir).Handler(p.sessions.Credential, log),
	})
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func statement(actions []string, resource, condition string) string {
	list, _ := json.Marshal(actions)
	return `{"Effect":"Allow","Action":` + string(list) + `,"Resource":"` + resource + `"` + condition + `}`
}

func (p *platform) create(typ string, inputs map[string]any) map[string]any {
	p.t.Helper()
	_, outputs, err := p.account.Create(context.Background(), account.CreateRequest{Type: typ, Region: region, Inputs: inputs})
	require.NoError(p.t, err)
	return outputs
}

func (p *platform) role(name string, statements ...string) {
	p.create("aws:iam/role:Role", map[string]any{"name": name, "assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`})
	p.create("aws:iam/rolePolicy:RolePolicy", map[string]any{"role": name, "name": "least", "policy": `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`})
}

// as is the environment of a program that runs with a role.
func (p *platform) as(role string) []string {
	c, err := p.sessions.Issue(role, "test")
	require.NoError(p.t, err)
	return []string{"AWS_ACCESS_KEY_ID=" + c.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey, "AWS_SESSION_TOKEN=" + c.Token}
}

// startServers starts three servers with certificates of their own.
func (p *platform) startServers() {
	p.t.Helper()
	var err error
	p.servers, err = vault.New(vault.Options{
		Dir: filepath.Join(p.dir, "vault"), Binary: filepath.Join(p.bin, "vault"), HangLimit: p.hangLimit, Logf: p.t.Logf,
	})
	require.NoError(p.t, err)
	ca, certificate, key := vaulttest.Certificates(p.t)
	p.config = vault.Config{
		HCL: fixture(p.keyARN, p.replicas), Replicas: p.replicas, CA: ca, Certificate: certificate, Key: key,
		Region: region, Endpoint: p.url, Environment: append(p.as("vault-server"), p.lean...),
	}
	p.t.Cleanup(func() { require.NoError(p.t, p.servers.Stop()) })
	require.NoError(p.t, p.servers.Start(context.Background(), p.config))
}

// startCluster starts the control plane that reviews service-account tokens.
func (p *platform) startCluster() {
	p.t.Helper()
	planes, err := controlplane.New(controlplane.Options{
		Dir: filepath.Join(p.dir, "clusters"), BinDir: p.bin, Webhook: controlplane.Webhook{URL: p.url + "/none", Token: "none"},
	})
	require.NoError(p.t, err)
	p.t.Cleanup(func() { require.NoError(p.t, planes.Close(context.Background())) })
	ctx := context.Background()
	p.endpoint, err = planes.Start(ctx, account.Cluster{Name: "tooling", Version: "1.36", Region: region, ARN: "arn:aws:eks:" + region + ":" + account.AccountID + ":cluster/tooling"})
	require.NoError(p.t, err)
	config, err := planes.AdminConfig("tooling")
	require.NoError(p.t, err)
	p.cluster, err = kubernetes.NewForConfig(config)
	require.NoError(p.t, err)
	_, err = p.cluster.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "vault"}}, metav1.CreateOptions{})
	require.NoError(p.t, err)
	for _, name := range []string{"vault", "vault-provisioner"} {
		_, err = p.cluster.CoreV1().ServiceAccounts("vault").Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		require.NoError(p.t, err)
	}
	_, err = p.cluster.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "vault-server-binding"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:auth-delegator"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "vault", Namespace: "vault"}},
	}, metav1.CreateOptions{})
	require.NoError(p.t, err)
	p.clusterCA = p.file("cluster-ca.crt", string(config.CAData))
	p.reviewer = p.file("reviewer", p.token("vault", ""))
	p.provisioner = p.file("provisioner", p.token("vault-provisioner", "vault"))
}

// token asks the API server for a token, as the kubelet does for a pod.
func (p *platform) token(serviceAccount, audience string) string {
	p.t.Helper()
	request := &authenticationv1.TokenRequest{}
	if audience != "" {
		request.Spec.Audiences = []string{audience}
	}
	answer, err := p.cluster.CoreV1().ServiceAccounts("vault").CreateToken(context.Background(), serviceAccount, request, metav1.CreateOptions{})
	require.NoError(p.t, err)
	return answer.Status.Token
}

func (p *platform) file(name, content string) string {
	path := filepath.Join(p.dir, name)
	require.NoError(p.t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// firstStart is the Job, with `aws` played by the stand-in and `vault` by the
// server's own program.
func (p *platform) firstStart(out io.Writer, environment ...string) vault.Job {
	p.t.Helper()
	if p.wrapper == "" {
		p.wrapper = filepath.Join(p.dir, "programs")
		require.NoError(p.t, os.MkdirAll(p.wrapper, 0o700))
		self, err := os.Executable()
		require.NoError(p.t, err)
		for name, text := range map[string]string{
			"vault": "#!/bin/sh\nexec '" + filepath.Join(p.bin, "vault") + "' \"$@\"\n",
			"aws":   "#!/bin/sh\n" + asAWS + "=1 exec '" + self + "' \"$@\"\n",
		} {
			require.NoError(p.t, os.WriteFile(filepath.Join(p.wrapper, name), []byte(text), 0o700))
		}
	}
	scripts, err := filepath.Abs("../../gitops/infrastructure/configs/vault-init")
	require.NoError(p.t, err)
	var peers []string
	for _, s := range p.servers.List() {
		peers = append(peers, s.URL)
	}
	return vault.Job{
		Scripts: scripts, Path: p.wrapper + ":/usr/bin:/bin", Peers: peers, CAFile: p.servers.CAFile(), ServerName: vault.ServerName,
		SecretID: secretARN, Region: region, Endpoint: p.url, Credentials: p.as("vault-init"),
		Namespace: "vault", ServiceAccount: "vault-provisioner", Audience: "vault", TokenFile: p.provisioner,
		KubernetesURL: p.endpoint.URL, KubernetesCAFile: p.clusterCA, ReviewerFile: p.reviewer,
		Environment: append(environment, p.lean...), Wait: time.Minute, Out: out, Memory: p.memory(),
	}
}

// memory is the folder for what passes between the scripts. The default, which
// is shared by all that runs on the machine, would not show what one run left.
func (p *platform) memory() string {
	dir := filepath.Join(p.dir, "memory")
	require.NoError(p.t, os.MkdirAll(dir, 0o700))
	return dir
}

// vaultCLI runs the vault program against a server.
func (p *platform) vaultCLI(token string, server int, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(p.bin, "vault"), args...)
	cmd.Env = []string{
		"HOME=" + p.dir, "VAULT_ADDR=" + p.servers.List()[server].URL, "VAULT_CACERT=" + p.servers.CAFile(),
		"VAULT_TLS_SERVER_NAME=" + vault.ServerName, "VAULT_TOKEN=" + token, "VAULT_FORMAT=json", "VAULT_MAX_RETRIES=0",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// login logs in as the provisioner and returns its token.
func (p *platform) login() string {
	p.t.Helper()
	out, err := p.vaultCLI("", 0, "write", "-field=token", "auth/provisioner/login", "role=provisioner", "jwt=@"+p.provisioner)
	require.NoError(p.t, err, out)
	return strings.Trim(strings.TrimSpace(out), `"`)
}

// recovery reads the recovery secret with a label.
func (p *platform) recovery(label string) (map[string]any, string, error) {
	cmd := exec.Command(os.Args[0], "secretsmanager", "get-secret-value", "--secret-id", secretARN, "--version-stage", label, "--query", "SecretString", "--output", "text")
	cmd.Env = append([]string{asAWS + "=1", "AWS_REGION=" + region, "AWS_ENDPOINT_URL=" + p.url, "HOME=" + p.dir}, p.as("vault-init")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, string(out), fmt.Errorf("%w: %s", err, out)
	}
	var document map[string]any
	return document, string(out), json.Unmarshal(bytes.TrimSpace(out), &document)
}

// await polls until ready returns nil.
func await(t *testing.T, limit time.Duration, what string, ready func() error) time.Duration {
	t.Helper()
	begun := time.Now()
	var last error
	for time.Since(begun) < limit {
		if last = ready(); last == nil {
			return time.Since(begun)
		}
		<-time.After(50 * time.Millisecond)
	}
	require.NoError(t, last, "%s, after %s", what, limit)
	return 0
}

// health is one server's answer to /v1/sys/health.
type health struct {
	Initialized bool `json:"initialized"`
	Sealed      bool `json:"sealed"`
	Standby     bool `json:"standby"`
}

func (p *platform) health(server int) (health, error) {
	client := p.client()
	response, err := client.Get(p.servers.List()[server].URL + "/v1/sys/health?standbyok=true&sealedcode=200&uninitcode=200")
	if err != nil {
		return health{}, err
	}
	defer func() { _ = response.Body.Close() }()
	var h health
	return h, json.NewDecoder(response.Body).Decode(&h)
}

// leader is the index of the active server.
func (p *platform) leader() (int, error) {
	for i := range p.servers.List() {
		if h, err := p.health(i); err == nil && h.Initialized && !h.Sealed && !h.Standby {
			return i, nil
		}
	}
	return 0, fmt.Errorf("no server is active")
}

var clients sync.Map

func (p *platform) client() *http.Client {
	if client, found := clients.Load(p); found {
		return client.(*http.Client)
	}
	client := httpClient(p.t, p.config.CA, vault.ServerName)
	clients.Store(p, client)
	return client
}

// fixture has the shape of the configuration that VaultHA renders.
func fixture(keyARN string, replicas int) string {
	return vaulttest.HCL(region, keyARN, replicas) + "\nservice_registration \"kubernetes\" {}\n"
}
