package sandbox_test

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/strongroom-platform/strongroom/components/vaultconfig"
	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/internal/vaultaccess"
	"github.com/strongroom-platform/strongroom/stacks"
)

// destroys makes three stacks that have something inside of Vault, as application has,
// and something that depends on it outside. One is destroyed with Vault up, one with
// Vault sealed, one with Vault gone: as the product does it, without a program.
func (v *vaultPlace) destroys() {
	front := v.front()
	names := []string{"application-up", "application-sealed", "application-gone"}
	objects := map[string][]string{}
	for _, stack := range names {
		v.makeTenant(stack, front)
		objects[stack] = v.inside(stack)
		require.Len(v, objects[stack], 2, "its policy and its login")
	}

	require.Empty(v, v.destroyTenant("application-up"), "nothing is forgotten")
	require.Empty(v, v.inside("application-up"))

	require.NoError(v, v.root.Sys().Seal())
	said := v.destroyTenant("application-sealed")
	require.Contains(v, said, "sealed")
	require.Contains(v, said, "3 objects of this stack stay in it, and are forgotten here")
	v.unseal()
	require.Equal(v, objects["application-sealed"], v.inside("application-sealed"), "they stayed, as was said")
	require.Equal(v, objects["application-gone"], v.inside("application-gone"), "no other stack's were touched")

	front.server.Close()
	require.NoError(v, v.server.Process.Kill())
	require.Contains(v, v.destroyTenant("application-gone"), "3 objects of this stack stay in it, and are forgotten here")
	v.empty()
}

// front is Vault as a stack's output has it: with TLS, and a login for the provisioner's
// service account, which the first start makes.
type front struct {
	server *httptest.Server
	way    stacks.Way
}

func (v *vaultPlace) front() *front {
	target, err := url.Parse(v.address)
	require.NoError(v, err)
	server := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(target))
	v.Cleanup(server.Close)

	c := v.clusters["tooling"]
	_, err = c.client.CoreV1().Namespaces().Create(v.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: vaultaccess.Namespace}}, metav1.CreateOptions{})
	require.NoError(v, err)
	for _, name := range []string{"vault", vaultaccess.ServiceAccount} {
		_, err = c.client.CoreV1().ServiceAccounts(vaultaccess.Namespace).Create(v.ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		require.NoError(v, err)
	}
	require.NoError(v, v.root.Sys().EnableAuthWithOptions(vaultaccess.Mount, &api.EnableAuthOptions{Type: "kubernetes"}))
	for path, data := range map[string]map[string]any{
		"config": {
			"kubernetes_host": c.URL, "kubernetes_ca_cert": string(c.admin.CAData), "disable_local_ca_jwt": true,
			"token_reviewer_jwt": v.podToken("tooling", vaultaccess.Namespace, "vault"),
		},
		"role/" + vaultaccess.Role: {
			"bound_service_account_names": vaultaccess.ServiceAccount, "bound_service_account_namespaces": vaultaccess.Namespace,
			"audience": vaultaccess.Audience, "token_policies": "provisioner",
		},
	} {
		_, err = v.root.Logical().WriteWithContext(v.ctx, "auth/"+vaultaccess.Mount+"/"+path, data)
		require.NoError(v, err)
	}

	config := clientcmdapi.NewConfig()
	config.Clusters["tooling"] = &clientcmdapi.Cluster{Server: c.admin.Host, CertificateAuthorityData: c.admin.CAData}
	config.AuthInfos["tooling"] = &clientcmdapi.AuthInfo{ClientCertificateData: c.admin.CertData, ClientKeyData: c.admin.KeyData}
	config.Contexts["tooling"] = &clientcmdapi.Context{Cluster: "tooling", AuthInfo: "tooling"}
	config.CurrentContext = "tooling"
	kubeconfig, err := clientcmd.Write(*config)
	require.NoError(v, err)
	return &front{server, stacks.Way{
		Mode: string(vaultaccess.Direct), Address: server.URL, ServerName: "example.com", Kubeconfig: string(kubeconfig),
		CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})),
	}}
}

// makeTenant brings a stack up, whose provider takes its token from where the product
// puts it.
func (v *vaultPlace) makeTenant(stack string, f *front) {
	v.run(func(ctx *pulumi.Context) error {
		inVault, err := vault.NewProvider(ctx, "vault", &vault.ProviderArgs{
			Address: pulumi.String(f.way.Address), Token: pulumi.String(""), SkipChildToken: pulumi.Bool(true),
			CaCertFile: pulumi.Sprintf(".strongroom/vault-%s-ca.crt", stack), TlsServerName: pulumi.String(f.way.ServerName),
			AuthLoginTokenFile: vault.ProviderAuthLoginTokenFileArgs{Filename: pulumi.Sprintf(".strongroom/vault-%s.token", stack)},
		})
		if err != nil {
			return err
		}
		args := *v.args["application"]
		args.Owner, args.Databases = stack, nil
		args.Workloads = []vaultconfig.Workload{{
			Name: "orders", Namespace: "shop", ServiceAccount: "orders", Secrets: []vaultconfig.Secret{{Path: "kv/shop/orders"}},
		}}
		made, err := vaultconfig.New(ctx, stack, &args, pulumi.Providers(inVault))
		if err != nil {
			return err
		}
		outside, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		_, err = s3.NewBucketV2(ctx, stack, &s3.BucketV2Args{}, pulumi.Provider(outside), pulumi.DependsOn([]pulumi.Resource{made}))
		ctx.Export(stacks.VaultAccessOutput, pulumi.Map{
			"mode": pulumi.String(f.way.Mode), "address": pulumi.String(f.way.Address), "serverName": pulumi.String(f.way.ServerName),
			"ca": pulumi.String(f.way.CA), "kubeconfig": pulumi.String(f.way.Kubeconfig),
		})
		return err
	})
	require.NoError(v, os.WriteFile(filepath.Join(v.repo, "Pulumi."+stack+".yaml"), []byte("config: {}\n"), 0o600))
	require.NoError(v, v.PrepareProject(v.repo))
	host := &stacks.Host{Dir: v.target.WorkDir}
	require.NoError(v, host.Open(v.ctx, stack, f.way, time.Minute, func(line string) { v.Log(line) }))
	v.up(stack)
	require.NoError(v, host.Close())
	require.Len(v, v.bucketsOf(stack), 1)
}

// destroyTenant destroys a stack, all of it, and returns what was said of what was forgotten.
func (v *vaultPlace) destroyTenant(stack string) string {
	target := &deploy.Target{
		WorkDir: v.target.WorkDir, PulumiRoot: v.target.PulumiRoot, Backend: v.target.Backend, Env: v.target.Env, LogDir: v.target.LogDir,
		LockWait: v.target.LockWait, FindMade: v.target.FindMade, VaultWait: time.Second,
	}
	var forgotten []string
	_, err := target.Destroy(v.ctx, stack, deploy.Options{Events: func(e deploy.Event) {
		if e.Kind == deploy.KindNotice && strings.Contains(e.Message, "forgotten") {
			forgotten = append(forgotten, e.Message)
		}
	}})
	require.NoError(v, err)
	left, err := target.Resources(v.ctx, stack)
	require.NoError(v, err)
	require.Empty(v, left)
	require.Empty(v, v.bucketsOf(stack), "what is outside of Vault is gone")
	return strings.Join(forgotten, "\n")
}

func (v *vaultPlace) bucketsOf(stack string) []string {
	var found []string
	for urn := range v.ids("aws:s3/bucketV2") {
		if strings.HasSuffix(urn, "::"+stack) {
			found = append(found, urn)
		}
	}
	return found
}

// unseal uses the key that a server in memory tells when it starts.
func (v *vaultPlace) unseal() {
	said, err := os.ReadFile(v.log)
	require.NoError(v, err)
	_, after, found := strings.Cut(string(said), "Unseal Key: ")
	require.True(v, found, "%s", said)
	key, _, _ := strings.Cut(after, "\n")
	answer, err := v.root.Sys().Unseal(key)
	require.NoError(v, err)
	require.False(v, answer.Sealed)
	v.eventually("Vault answers again", func() error { _, err := v.root.Sys().ListPolicies(); return err }, v.log)
}

// inside is what a stack has inside of Vault.
func (v *vaultPlace) inside(stack string) []string {
	var found []string
	policies, err := v.root.Sys().ListPolicies()
	require.NoError(v, err)
	for _, name := range policies {
		if strings.HasPrefix(name, stack) {
			found = append(found, "policy "+name)
		}
	}
	mounts, err := v.root.Sys().ListAuth()
	require.NoError(v, err)
	for path := range mounts {
		if strings.Contains(path, stack) {
			found = append(found, fmt.Sprintf("login %s", path))
		}
	}
	slices.Sort(found)
	return found
}
