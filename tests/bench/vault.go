package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/vaultconfig"
	"github.com/strongroom-platform/strongroom/deploy"
)

// Numbers of workloads that are compared.
const fewWorkloads, manyWorkloads = 100, 1000

// measureVault declares few and many workloads, three resources each, in a real Vault of
// one server in memory.
func measureVault(ctx context.Context, b bench) (string, error) {
	tools := os.Getenv("STRONGROOM_SANDBOX_DIR")
	if tools == "" {
		tools = filepath.Join(b.root, ".sandbox")
	}
	tmp, err := os.MkdirTemp("", "strongroom-bench-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	few, err := declareWorkloads(ctx, tools, filepath.Join(tmp, "few"), fewWorkloads)
	if err != nil {
		return "", err
	}
	many, err := declareWorkloads(ctx, tools, filepath.Join(tmp, "many"), manyWorkloads)
	if err != nil {
		return "", err
	}
	ratio := func(few, many *deploy.Result) (string, bool) {
		r := perObject(many) / perObject(few)
		return fmt.Sprintf("%.2f (%.1f ms / %.1f ms)", r, perObject(many), perObject(few)), r <= 1.2
	}
	up, upKept := ratio(few.up, many.up)
	preview, previewKept := ratio(few.preview, many.preview)
	removed := many.removal.Changes["delete"] == 3 && many.removal.Changed() == 4
	return fmt.Sprintf("%d and %d workloads of three resources each, in a real Vault with one server in memory, with the sandbox's provider. "+
		"Checkpoints are skipped: with them a file backend writes the whole state after every step, and the time grows with the square. Time per object is the whole run by its objects, with what every run costs in it.\n\n",
		fewWorkloads, manyWorkloads) + table([]row{
		promise("`up`, time per object, of that with 100", "at most 1.2", up, upKept),
		promise("no-change `preview`, the same", "at most 1.2", preview, previewKept),
		figure(fmt.Sprintf("`up` of %d", fewWorkloads), few.up.Duration.Round(100*time.Millisecond).String()),
		figure(fmt.Sprintf("`up` of %d", manyWorkloads), many.up.Duration.Round(100*time.Millisecond).String()),
		figure(fmt.Sprintf("no-change `preview` of %d", manyWorkloads), many.preview.Duration.Round(100*time.Millisecond).String()),
		promise("one of them taken out", "its three deleted, nothing else", fmt.Sprintf("%d deleted, %d changed, %s", many.removal.Changes["delete"],
			many.removal.Changed()-many.removal.Changes["delete"], many.removal.Duration.Round(100*time.Millisecond)), removed),
	}), nil
}

type vaultRuns struct{ up, preview, removal *deploy.Result }

// perObject is in milliseconds.
func perObject(r *deploy.Result) float64 {
	objects := 0
	for _, count := range r.Changes {
		objects += count
	}
	return float64(r.Duration.Milliseconds()) / float64(objects)
}

func declareWorkloads(ctx context.Context, tools, dir string, count int) (*vaultRuns, error) {
	token := filepath.Join(dir, "token")
	address, stop, err := startVault(ctx, tools, dir, token)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: bench\nruntime: go\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.bench.yaml"), []byte("config: {}\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		return nil, err
	}
	declared := count
	target := &deploy.Target{
		WorkDir: dir, PulumiRoot: tools, Backend: "file://" + filepath.Join(dir, "state"),
		Env: map[string]string{
			"PATH":                     filepath.Join(tools, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
			"PULUMI_HOME":              filepath.Join(dir, "home"),
			"PULUMI_CONFIG_PASSPHRASE": rand.Text(),
			"PULUMI_EXPERIMENTAL":      "true",
			"PULUMI_SKIP_CHECKPOINTS":  "true",
			"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
		},
		Program: func(string) pulumi.RunFunc {
			return func(ctx *pulumi.Context) error { return workloads(ctx, address, token, declared) }
		},
	}
	runs := &vaultRuns{}
	if runs.up, err = target.Up(ctx, "bench", deploy.Options{}); err != nil {
		return nil, err
	}
	fmt.Printf("  up of %d workloads: %s\n", count, runs.up.Duration.Round(time.Millisecond))
	if runs.preview, err = target.Preview(ctx, "bench", deploy.Options{}); err != nil {
		return nil, err
	}
	if changed := runs.preview.Changed(); changed != 0 {
		return nil, fmt.Errorf("a preview of what is there changes %d objects", changed)
	}
	declared--
	if runs.removal, err = target.Up(ctx, "bench", deploy.Options{}); err != nil {
		return nil, err
	}
	return runs, nil
}

// startVault starts a server in memory and writes its token.
func startVault(ctx context.Context, tools, dir, token string) (address string, stop func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	secret := rand.Text()
	if err := os.WriteFile(token, []byte(secret), 0o600); err != nil {
		return "", nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	where := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return "", nil, err
	}
	server := exec.CommandContext(ctx, filepath.Join(tools, "bin", "vault"), "server", "-dev", "-dev-no-store-token", "-dev-listen-address="+where)
	server.Env = append(os.Environ(), "VAULT_DEV_ROOT_TOKEN_ID="+secret, "HOME="+dir)
	if err := server.Start(); err != nil {
		return "", nil, fmt.Errorf("start Vault (run `make tools` first): %w", err)
	}
	stop = func() {
		_ = server.Process.Kill() // it holds nothing
		_ = server.Wait()
	}
	config := api.DefaultConfig()
	config.Address = "http://" + where
	client, err := api.NewClient(config)
	if err != nil {
		stop()
		return "", nil, err
	}
	client.SetToken(secret)
	deadline := time.Now().Add(time.Minute)
	for {
		// The server in memory begins with an engine that ours has not.
		if err = client.Sys().UnmountWithContext(ctx, "secret"); err == nil {
			return config.Address, stop, nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			stop()
			return "", nil, fmt.Errorf("vault does not answer: %w", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// anyAuthority is a certificate of a cluster that is never asked, as in a kubeconfig. It
// is always the same: another one would be a change.
var anyAuthority = sync.OnceValues(func() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
})

// workloads declares a number of them: a policy, a login and a database role each.
func workloads(ctx *pulumi.Context, address, token string, count int) error {
	provider, err := vault.NewProvider(ctx, "vault", &vault.ProviderArgs{
		Address: pulumi.String(address), Token: pulumi.String(""), SkipChildToken: pulumi.Bool(true),
		AuthLoginTokenFile: vault.ProviderAuthLoginTokenFileArgs{Filename: pulumi.String(token)},
	})
	if err != nil {
		return err
	}
	authority, err := anyAuthority()
	if err != nil {
		return err
	}
	args := &vaultconfig.Args{
		Owner: "bench", KVMount: "secret", DatabaseMount: "database", OwnEngines: true,
		Databases: []vaultconfig.Database{{
			Name: "orders", Engine: "postgresql", Address: "127.0.0.1:5432", Username: "vault", Database: "orders", InsecurePlain: true,
		}},
		Cluster: &vaultconfig.Cluster{
			Method: vaultconfig.Local, Endpoint: pulumi.String("https://127.0.0.1:6443"), CertificateAuthority: pulumi.String(authority),
		},
	}
	for i := range count {
		name := fmt.Sprintf("w%d", i)
		args.Workloads = append(args.Workloads, vaultconfig.Workload{
			Name: name, Namespace: "shop", ServiceAccount: name,
			Secrets:  []vaultconfig.Secret{{Path: strings.Join([]string{"secret", "shop", name}, "/")}},
			Database: &vaultconfig.DatabaseUser{Name: "orders"},
		})
	}
	_, err = vaultconfig.New(ctx, "bench", args, pulumi.Providers(provider))
	return err
}
