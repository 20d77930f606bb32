package sandbox_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/hashicorp/vault/api"
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/strongroom-platform/strongroom/components/vaultconfig"
	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
	"github.com/strongroom-platform/strongroom/sandbox/postgres"
	"github.com/strongroom-platform/strongroom/sandbox/sts"
	"github.com/strongroom-platform/strongroom/sandbox/verify"
)

const (
	gitlabURL     = "https://gitlab.example.com"
	vaultAudience = "https://vault.tooling.internal:8200"
	vaultServerID = "vault.tooling.internal"
	accountID     = "123456789012"
)

// vaultPlace is a real Vault with what its logins and engines need: two real control
// planes, a real PostgreSQL, the simulated STS, and the keys of a GitLab that does not
// exist. The Vault is one server in memory: what three with storage do is proven with
// sandbox/vault.
type vaultPlace struct {
	*place
	root     *api.Client
	address  string
	server   *exec.Cmd
	log      string // of the server, file
	clusters map[string]*testCluster
	sts      string // URL
	postgres string // host:port
	gitlab   *rsa.PrivateKey
	tokens   string // file with the provisioner's token
	secrets  []string
	args     map[string]*vaultconfig.Args
}

type testCluster struct {
	account.Endpoint
	admin  *rest.Config
	client kubernetes.Interface
	key    *rsa.PrivateKey // signs the tokens of its service accounts
}

func newVaultPlace(p *place) *vaultPlace {
	p.Helper()
	v := &vaultPlace{place: p, clusters: map[string]*testCluster{}}
	v.startSTS()
	v.startPostgres()
	v.startClusters("tooling", "application")
	var err error
	v.gitlab, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(p, err)
	v.startVault()
	v.args = v.declaration()
	p.run(v.program)
	return v
}

// program declares what two stacks declare, and a third whose cluster is reviewed by its
// own API.
func (v *vaultPlace) program(ctx *pulumi.Context) error {
	provider, err := vault.NewProvider(ctx, "vault", &vault.ProviderArgs{
		Address: pulumi.String(v.address), Token: pulumi.String(""), SkipChildToken: pulumi.Bool(true),
		AuthLoginTokenFile: vault.ProviderAuthLoginTokenFileArgs{Filename: pulumi.String(v.tokens)},
	})
	if err != nil {
		return err
	}
	var first pulumi.Resource
	for _, name := range []string{"tooling", "application", "reviewed"} {
		opts := []pulumi.ResourceOption{pulumi.Providers(provider)}
		if first != nil {
			opts = append(opts, pulumi.DependsOn([]pulumi.Resource{first}))
		}
		made, err := vaultconfig.New(ctx, name, v.args[name], opts...)
		if err != nil {
			return err
		}
		if first == nil {
			first = made
		}
	}
	return nil
}

func (v *vaultPlace) declaration() map[string]*vaultconfig.Args {
	cluster := func(name string, method vaultconfig.Method) *vaultconfig.Cluster {
		c := v.clusters[name]
		return &vaultconfig.Cluster{
			Method: method, Endpoint: pulumi.String(c.URL), CertificateAuthority: pulumi.String(c.CAData),
			OIDCIssuer: pulumi.String(c.Issuer), APIAudience: pulumi.String(c.Issuer),
		}
	}
	public, err := x509.MarshalPKIXPublicKey(v.gitlab.Public())
	require.NoError(v, err)
	databases := []vaultconfig.Database{{
		Name: "orders", Engine: "postgresql", Address: v.postgres, Username: "vault", Database: "orders", InsecurePlain: true,
	}}
	pod := func(name string, w vaultconfig.Workload) vaultconfig.Workload {
		w.Name, w.Namespace, w.ServiceAccount = name, "shop", name
		return w
	}
	return map[string]*vaultconfig.Args{
		"tooling": {
			Owner: "tooling", KVMount: "kv", DatabaseMount: "database", OwnEngines: true,
			Databases: databases, DatabaseOwners: []string{"application", "reviewed"},
			Cluster: cluster("tooling", vaultconfig.Local), AppRole: true,
			AWS: &vaultconfig.AWS{Region: "eu-west-1", STSEndpoint: v.sts, ServerID: vaultServerID},
			GitLab: &vaultconfig.GitLab{URL: gitlabURL, Audience: vaultAudience, PublicKeys: []string{
				string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
			}},
			Workloads: []vaultconfig.Workload{
				pod("runner", vaultconfig.Workload{Secrets: []vaultconfig.Secret{{Path: "kv/ci/runner"}, {Path: "kv/shared/*"}}}),
				{Name: "appliance", AppRole: true, Secrets: []vaultconfig.Secret{{Path: "kv/appliance", Write: true}}},
				{Name: "backup", IAMRoleARNs: []string{roleOf("backup")}, Secrets: []vaultconfig.Secret{{Path: "kv/backup"}}},
				{Name: "deploy", GitLab: &vaultconfig.GitLabJob{Project: "shop/deploy", Branch: "main"}, Secrets: []vaultconfig.Secret{{Path: "kv/deploy"}, {Path: "kv/shared/*"}}},
			},
		},
		"application": {
			Owner: "application", KVMount: "kv", DatabaseMount: "database", Databases: databases,
			Cluster: cluster("application", vaultconfig.JWT),
			Workloads: []vaultconfig.Workload{
				pod("orders", vaultconfig.Workload{
					Secrets:  []vaultconfig.Secret{{Path: "kv/shop/orders"}},
					Database: &vaultconfig.DatabaseUser{Name: "orders", Write: true, TTL: 2 * time.Second, MaxTTL: 10 * time.Second},
				}),
				pod("report", vaultconfig.Workload{Database: &vaultconfig.DatabaseUser{Name: "orders"}}),
			},
		},
		"reviewed": {
			Owner: "reviewed", KVMount: "kv", DatabaseMount: "database", Databases: databases,
			Cluster:   cluster("application", vaultconfig.Kubernetes),
			Workloads: []vaultconfig.Workload{pod("catalog", vaultconfig.Workload{Secrets: []vaultconfig.Secret{{Path: "kv/shop/catalog"}}})},
		},
	}
}

// startVault starts a server in memory, with the policy that the first start gives to
// whoever declares: a root token declares nothing here.
func (v *vaultPlace) startVault() {
	v.Helper()
	root := v.secret()
	port := freePort(v)
	v.address = fmt.Sprintf("http://127.0.0.1:%d", port)
	v.log = filepath.Join(v.TempDir(), "vault.log")
	v.server = exec.Command(filepath.Join(v.BinDir(), "vault"), "server", "-dev", "-dev-no-store-token",
		"-dev-listen-address=127.0.0.1:"+strconv.Itoa(port))
	v.child(v.log, v.server, "VAULT_DEV_ROOT_TOKEN_ID="+root, "HOME="+v.TempDir())
	v.root = v.as(root)
	v.eventually("Vault answers", func() error { _, err := v.root.Sys().ListPolicies(); return err }, v.log)
	// The server in memory begins with an engine that ours has not.
	require.NoError(v, v.root.Sys().Unmount("secret"))
	policy, err := os.ReadFile("../../gitops/infrastructure/configs/vault-init/provisioner.hcl")
	require.NoError(v, err)
	require.NoError(v, v.root.Sys().PutPolicy("provisioner", string(policy)))
	made, err := v.root.Auth().Token().Create(&api.TokenCreateRequest{Policies: []string{"provisioner"}})
	require.NoError(v, err)
	v.tokens = filepath.Join(v.TempDir(), "token")
	v.secrets = append(v.secrets, made.Auth.ClientToken)
	require.NoError(v, os.WriteFile(v.tokens, []byte(made.Auth.ClientToken), 0o600))
}

// as is a client with a token.
func (v *vaultPlace) as(token string) *api.Client {
	v.Helper()
	config := api.DefaultConfig()
	config.Address, config.MaxRetries = v.address, 0
	client, err := api.NewClient(config)
	require.NoError(v, err)
	client.SetToken(token)
	return client
}

// startClusters starts control planes, each with the namespaces and service accounts of
// the workloads, and of some who are none.
func (v *vaultPlace) startClusters(names ...string) {
	v.Helper()
	dir := v.TempDir()
	planes, err := controlplane.New(controlplane.Options{Dir: dir, BinDir: v.BinDir(), Webhook: controlplane.Webhook{URL: v.sts + "/none", Token: "none"}})
	require.NoError(v, err)
	v.Cleanup(func() { require.NoError(v, planes.Close(context.Background())) })
	for _, name := range names {
		endpoint, err := planes.Start(v.ctx, account.Cluster{Name: name, Version: "1.36", Region: "eu-west-1", ARN: "arn:aws:eks:eu-west-1:" + accountID + ":cluster/" + name})
		require.NoError(v, err)
		config, err := planes.AdminConfig(name)
		require.NoError(v, err)
		client, err := kubernetes.NewForConfig(config)
		require.NoError(v, err)
		c := &testCluster{Endpoint: endpoint, admin: config, client: client, key: serviceAccountKey(v, filepath.Join(dir, name))}
		v.clusters[name] = c
		for _, namespace := range []string{"shop", "other"} {
			_, err = client.CoreV1().Namespaces().Create(v.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
			require.NoError(v, err)
			for _, account := range []string{"runner", "orders", "report", "catalog", "intruder"} {
				_, err = client.CoreV1().ServiceAccounts(namespace).Create(v.ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}, metav1.CreateOptions{})
				require.NoError(v, err)
			}
		}
		// Who reviews its own token may; on EKS that is Vault's service account.
		_, err = client.RbacV1().ClusterRoleBindings().Create(v.ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "reviewers"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:auth-delegator"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "system:serviceaccounts"}},
		}, metav1.CreateOptions{})
		require.NoError(v, err)
	}
}

// serviceAccountKey finds the key by which a control plane signs.
func serviceAccountKey(t require.TestingT, dir string) *rsa.PrivateKey {
	var found *rsa.PrivateKey
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasPrefix(entry.Name(), "service-account") || filepath.Ext(path) != ".key" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		block, _ := pem.Decode(data)
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			found = key
			return nil
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return err
		}
		found, _ = parsed.(*rsa.PrivateKey)
		return nil
	})
	require.NoError(t, err)
	return found
}

// podToken is what the kubelet would give to a pod.
func (v *vaultPlace) podToken(cluster, namespace, serviceAccount string, audiences ...string) string {
	v.Helper()
	token, err := verify.PodToken(v.ctx, v.clusters[cluster].client, namespace, serviceAccount, audiences...)
	require.NoError(v, err)
	v.secrets = append(v.secrets, token)
	return token
}

// startSTS serves the simulated STS for two roles.
func (v *vaultPlace) startSTS() {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	server := httptest.NewServer(&sts.Server{Log: log, Credentials: func(id string) (sts.Credential, bool) {
		for _, name := range []string{"backup", "intruder"} {
			if c := credentialsOf(name); c.AccessKeyID == id {
				return sts.Credential{Secret: c.SecretAccessKey, Identity: sts.Identity{
					Account: accountID, UserID: "AROA" + strings.ToUpper(name) + ":session",
					ARN: "arn:aws:sts::" + accountID + ":assumed-role/" + name + "/session",
				}}, true
			}
		}
		return sts.Credential{}, false
	}})
	v.Cleanup(server.Close)
	v.sts = server.URL
}

func roleOf(name string) string { return "arn:aws:iam::" + accountID + ":role/" + name }

func credentialsOf(name string) aws.Credentials {
	sum := sha256.Sum256([]byte(name))
	return aws.Credentials{AccessKeyID: "ASIA" + strings.ToUpper(hex.EncodeToString(sum[:8])), SecretAccessKey: hex.EncodeToString(sum[:])}
}

// iamLogin is the login of whoever has the credentials.
func (v *vaultPlace) iamLogin(role string, credentials aws.Credentials, serverID string) map[string]any {
	v.Helper()
	data, err := verify.IAMLogin(v.ctx, credentials, "eu-west-1", serverID)
	require.NoError(v, err)
	data["role"] = role
	return data
}

// job is the ID token of a GitLab job; claims change what is usual.
func (v *vaultPlace) job(key *rsa.PrivateKey, claims map[string]any) string {
	v.Helper()
	token, err := verify.Job{Issuer: gitlabURL, Audience: vaultAudience, Project: "shop/deploy", Branch: "main"}.Token(key, claims)
	require.NoError(v, err)
	return token
}

// startPostgres starts a server of the machine's own program, in a folder of its own.
// Vault's user there is no superuser.
func (v *vaultPlace) startPostgres() {
	v.Helper()
	bin := postgresBin(v.place)
	dir, err := os.MkdirTemp("", "strongroom-postgres-")
	require.NoError(v, err)
	v.Cleanup(func() { require.NoError(v, os.RemoveAll(dir)) })
	data, password, initial := filepath.Join(dir, "data"), v.secret(), v.secret()
	file := filepath.Join(dir, "password")
	require.NoError(v, os.WriteFile(file, []byte(password), 0o600))
	who := unprivileged(v.place, dir, file)
	initialise := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "admin", "--pwfile="+file, "-A", "scram-sha-256", "--no-sync", "-E", "UTF8")
	initialise.SysProcAttr, initialise.Dir = &syscall.SysProcAttr{Credential: who}, dir
	out, err := initialise.CombinedOutput()
	require.NoError(v, err, "%s", out)
	port := freePort(v)
	v.postgres = fmt.Sprintf("127.0.0.1:%d", port)
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", "", "-F")
	server.SysProcAttr, server.Dir = &syscall.SysProcAttr{Credential: who}, dir
	v.child(filepath.Join(v.TempDir(), "postgres.log"), server)
	v.eventually("PostgreSQL answers", func() error { return v.sql("admin", password, "postgres", "SELECT 1") }, "")
	for database, statements := range map[string][]string{
		"postgres": {
			"CREATE ROLE vault LOGIN CREATEROLE PASSWORD '" + initial + "'",
			"GRANT pg_signal_backend TO vault",
			"CREATE DATABASE orders OWNER vault",
		},
	} {
		for _, s := range statements {
			require.NoError(v, v.sql("admin", password, database, s))
		}
	}
	for _, s := range []string{"CREATE TABLE orders (id serial PRIMARY KEY, item text)", "INSERT INTO orders (item) VALUES ('first')"} {
		require.NoError(v, v.sql("vault", initial, "orders", s))
	}
	v.secrets = append(v.secrets, password)
	// The one that is handed over is remembered as the last.
	v.secrets = append(v.secrets, initial)
}

func (v *vaultPlace) sql(user, password, database, statement string) error {
	db, err := postgres.Open(v.postgres, database, user, password)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(v.ctx, statement)
	return err
}

// postgresBin is the folder of the server's programs.
func postgresBin(p *place) string {
	p.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, filepath.Dir(path))
	}
	if len(found) == 0 {
		message := "no PostgreSQL server on this machine: install it (Debian: apt-get install postgresql)"
		if os.Getenv("CI") == "true" {
			p.Fatal(message)
		}
		p.Skip(message)
	}
	return slices.Max(found)
}

// unprivileged is whom PostgreSQL runs as, which refuses root; the files become theirs.
func unprivileged(p *place, files ...string) *syscall.Credential {
	p.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	require.NoError(p, err)
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	require.NoError(p, err)
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	require.NoError(p, err)
	for _, file := range files {
		require.NoError(p, os.Chown(file, int(uid), int(gid)))
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// child runs a server until the test ends.
func (v *vaultPlace) child(log string, command *exec.Cmd, environment ...string) {
	v.Helper()
	file, err := os.Create(log)
	require.NoError(v, err)
	command.Env = append(os.Environ(), environment...)
	command.Stdout, command.Stderr = file, file
	require.NoError(v, command.Start())
	v.Cleanup(func() {
		require.NoError(v, command.Process.Signal(os.Interrupt))
		_ = command.Wait() // how a server that was told to end does so is no matter
		require.NoError(v, file.Close())
	})
}

// eventually waits until something works.
func (p *place) eventually(what string, try func() error, log string) {
	p.Helper()
	var last error
	if !waitUntil(3*time.Minute, func() bool { last = try(); return last == nil }) {
		p.Fatalf("%s: %v\n%s", what, last, tail(log, 20))
	}
}

func waitUntil(limit time.Duration, ready func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		if ready() {
			return true
		}
		select {
		case <-deadline.C:
			return false
		case <-ticker.C:
		}
	}
}

// secret makes one up that must be found nowhere.
func (v *vaultPlace) secret() string {
	data := make([]byte, 16)
	_, err := rand.Read(data)
	require.NoError(v, err)
	text := "sec" + hex.EncodeToString(data)
	v.secrets = append(v.secrets, text)
	return text
}

func freePort(t require.TestingT) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

// login logs in and returns the token.
func (v *vaultPlace) login(mount string, data map[string]any) (*api.SecretAuth, error) {
	secret, err := v.as("").Logical().WriteWithContext(v.ctx, "auth/"+mount+"/login", data)
	if err != nil {
		return nil, err
	}
	v.secrets = append(v.secrets, secret.Auth.ClientToken)
	return secret.Auth, nil
}
