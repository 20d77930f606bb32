package sandbox_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox/account"
)

// Both stacks, from nothing to nothing: up, up again, each kind of change,
// drift, and destroy. The steps build on each other; when one fails, those after
// it are not tried.
func TestLifeOfBothStacks(t *testing.T) {
	p := newPlaceWithVault(t)
	step := func(name string, do func()) {
		t.Helper()
		if !p.sub(name, do) {
			t.FailNow()
		}
	}
	p.handOver()
	p.configure("application", map[string]any{"cluster.version": "1.35"}) // to go up from
	var planned *deploy.Result
	step("the preview of an empty account plans what up makes", func() {
		planned = p.preview("tooling")
		made := p.up("tooling")
		require.Equal(p, withoutCharts(steps(planned)), withoutCharts(steps(made)))
		require.Equal(p, planned.Changes["create"]+2, made.Changes["create"], "what the two charts of Flux hold is one object each")
		p.up("application")
		p.consistent("tooling")
		p.consistent("application")
	})
	step("Flux brings both clusters to what the tree says, in its order", p.fluxAtWork)
	step("every login to Vault is tried, and a database user comes and goes", func() { p.verified("jwt (application)") })
	step("up again changes nothing", func() {
		for _, stack := range []string{"tooling", "application"} {
			unchanged(p.T, p.up(stack))
		}
	})
	step("nor does it in a new program, with a new daemon", func() {
		p.killFlux()
		p.start()
		for _, stack := range []string{"tooling", "application"} {
			result, err := p.target.Up(p.ctx, stack, deploy.Options{Refresh: true})
			require.NoError(p, err)
			unchanged(p.T, result)
		}
	})
	step("Vault was started by the Job's scripts, and unseals itself after a kill of the daemon", p.vaultRuns)
	step("each cluster answers through its own kubeconfig", p.clustersAnswer)
	step("a commit is reconciled, and no object is owned by Pulumi and by Flux", p.fluxGoesOn)
	step("the logins work as before, and nothing is handed over twice", func() { p.verified("jwt (application)") })
	step("no secret is in plain text", p.noPlainSecrets)
	step("the application's pods log in by their own API instead", p.loginsOfTheOtherMethod)
	step("a change is planned as AWS would make it, and made", p.changes)
	step("a range that tooling has is refused", func() {
		p.configure("application", map[string]any{"network.cidr": "10.10.0.0/16"})
		before := len(p.objects())
		_, err := p.target.Up(p.ctx, "application", deploy.Options{})
		require.ErrorContains(p, err, "strongroom:network.cidr")
		require.ErrorContains(p, err, "overlaps the VPC of stack")
		require.Len(p, p.objects(), before)
		p.configure("application", map[string]any{"network.cidr": "10.20.0.0/16"})
	})
	step("drift is seen and put right", p.drift)
	step("tooling cannot go while application needs it", func() {
		_, err := p.target.Destroy(p.ctx, "tooling", deploy.Options{})
		require.ErrorContains(p, err, "DependencyViolation")
		// What had gone already comes back, as other objects: both follow.
		p.up("tooling")
		p.up("application")
		p.consistent("tooling")
		p.consistent("application")
		// Vault may have gone with what application has inside of it, which a look shows.
		_, err = p.target.Up(p.ctx, "application", deploy.Options{Refresh: true})
		require.NoError(p, err)
		p.verified("jwt (application)")
	})
	step("destroy leaves nothing", func() {
		fluxGoesInOrder(p.T, p.destroy("application"))
		fluxGoesInOrder(p.T, p.destroy("tooling"))
		p.empty()
		left, err := filepath.Glob(filepath.Join(p.ClustersDir(), "*"))
		require.NoError(p, err)
		require.Empty(p, left, "the control planes' data")
		p.vaultIsGone()
		require.NoError(p, p.Stop(p.ctx, func(string) {}))
	})
}

// steps are what a run planned or did, without what differs between the two.
func steps(r *deploy.Result) []string {
	var out []string
	for _, e := range r.Steps {
		out = append(out, e.Op+" "+e.URN)
	}
	slices.Sort(out)
	// The engine tells of a component's plan twice: with its outputs once more.
	return slices.Compact(out)
}

// withoutCharts leaves out charts and what is in them: the engine renders none for a
// cluster that does not exist yet, and says so.
func withoutCharts(steps []string) []string {
	return slices.DeleteFunc(steps, func(step string) bool { return strings.Contains(step, "$kubernetes:helm.sh/v4:Chart") })
}

// clustersAnswer uses each kubeconfig as a person does: with kubectl.
func (p *place) clustersAnswer() {
	for _, stack := range []string{"tooling", "application"} {
		p.clusterAnswers(stack)
	}
}

func (p *place) clusterAnswers(stack string) {
	p.Helper()
	outputs, err := p.target.Outputs(p.ctx, stack)
	require.NoError(p, err)
	config, ok := outputs["kubeconfig"].Value.(string)
	require.True(p, ok, "%T", outputs["kubeconfig"].Value)
	file := filepath.Join(p.TempDir(), "config")
	require.NoError(p, os.WriteFile(file, []byte(config), 0o600))

	operator, err := p.Env()
	require.NoError(p, err)
	_, err = p.command(operator, "kubectl", "--kubeconfig", file, "create", "namespace", "come-and-go")
	require.NoError(p, err)
	_, err = p.command(operator, "kubectl", "--kubeconfig", file, "delete", "namespace", "come-and-go", "--timeout=60s")
	require.NoError(p, err)

	stranger, err := p.StrangerEnv()
	require.NoError(p, err)
	out, err := p.command(stranger, "kubectl", "--kubeconfig", file, "get", "namespaces")
	require.Error(p, err, "a principal without an access entry got in:\n%s", out)
	require.Contains(p, out, "Unauthorized")
}

// command runs a program that is looked up on the PATH of env.
func (p *place) command(env map[string]string, name string, args ...string) (string, error) {
	p.Helper()
	path := ""
	for _, dir := range filepath.SplitList(env["PATH"]) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
			path = filepath.Join(dir, name)
			break
		}
	}
	require.NotEmpty(p, path, "%s is not on PATH", name)
	ctx, cancel := context.WithTimeout(p.ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = os.Environ()
	for key, value := range env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// noPlainSecrets looks for the keys of the account, the passphrase, the passwords of
// PostgreSQL and tokens of Vault in everything the engine writes and in the logs of
// Vault and PostgreSQL, and for private keys that are not encrypted.
func (p *place) noPlainSecrets() {
	var secrets []string
	passphrase, err := os.ReadFile(p.PassphraseFile())
	require.NoError(p, err)
	secrets = append(secrets, strings.TrimSpace(string(passphrase)))
	credentials, err := os.ReadFile(filepath.Join(p.Dir, "aws", "credentials"))
	require.NoError(p, err)
	for _, line := range strings.Split(string(credentials), "\n") {
		if _, secret, found := strings.Cut(line, "aws_secret_access_key = "); found {
			secrets = append(secrets, secret)
		}
	}
	require.Len(p, secrets, 4)
	passwords, err := filepath.Glob(p.path("vault", "tooling", "postgres", "*-password"))
	require.NoError(p, err)
	if !p.noPostgreSQL() {
		require.Len(p, passwords, 2)
	}
	for _, file := range passwords {
		password, err := os.ReadFile(file)
		require.NoError(p, err)
		secrets = append(secrets, string(password))
	}
	secrets = append(secrets, "PRIVATE KEY-----", "hvs.")

	files := 0
	logs, err := filepath.Glob(p.path("vault", "tooling", "*", "*.log"))
	require.NoError(p, err)
	require.GreaterOrEqual(p, len(logs), 3)
	for _, dir := range append(logs, p.StateDir(), p.LogDir(), p.ProjectDir(), p.path("pulumi-home"), p.AccountDir()) {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			// The account's own record of its keys is as private as the state.
			if err != nil || entry.IsDir() || entry.Name() == "identities.json" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			for i, secret := range secrets {
				require.NotContains(p, string(data), secret, "secret %d stands in %s", i, path)
			}
			return nil
		})
		require.NoError(p, err)
	}
	require.Greater(p, files, 5, "there was nothing to search")
	// The search can find something: the names of resources are there.
	state, err := filepath.Glob(filepath.Join(p.StateDir(), ".pulumi", "stacks", "strongroom", "tooling.json"))
	require.NoError(p, err)
	require.Len(p, state, 1)
}

func (p *place) path(elements ...string) string {
	return filepath.Join(append([]string{p.Dir}, elements...)...)
}

// change is a change of the configuration and what AWS does about it.
type change struct {
	name    string
	stack   string
	changes map[string]any
	// want are the operations on resource types that the preview must show.
	want []string
	// stays are the beginnings of types that are not replaced.
	stays []string
}

// changes are previewed one by one and made one by one: what is planned must be
// what is done.
func (p *place) changes() {
	groups := func(desired int) []any {
		return []any{map[string]any{"name": "general", "instanceTypes": []any{"m6i.large"}, "min": 2, "max": 6, "desired": desired, "diskGiB": 50}}
	}
	for _, c := range []change{
		{
			name: "the length of a VPN session, and the days of its server's certificate", stack: "tooling",
			changes: map[string]any{"vpn.sessionHours": 12, "vpn.certificateDays": 200},
			want: []string{
				"update aws:ec2clientvpn/endpoint:Endpoint",
				"replace tls:index/locallySignedCert:LocallySignedCert", "update aws:acm/certificate:Certificate",
			},
			// The authority stays, and with it everybody's profile.
			stays: []string{"aws:ec2clientvpn/", "aws:acm/certificate:Certificate", "tls:index/selfSignedCert:SelfSignedCert"},
		},
		// The application's next change takes its routes over to the new endpoint.
		{
			name: "the range of VPN clients", stack: "tooling",
			changes: map[string]any{"vpn.clientCidr": "10.101.0.0/22"},
			want:    []string{"replace aws:ec2clientvpn/endpoint:Endpoint", "replace aws:ec2clientvpn/networkAssociation:NetworkAssociation"},
		},
		// Two at once where what one does cannot be taken for what the other does.
		{
			name: "a tag, one NAT gateway per zone, and the logins as they were", stack: "application",
			changes: map[string]any{
				"tags":        map[string]any{"environment": "production", "cost-center": "shop-2"},
				"network.nat": "perZone", "vault": nil,
			},
			want: []string{
				"update aws:ec2/vpc:Vpc", "update aws:eks/cluster:Cluster",
				"create aws:ec2/natGateway:NatGateway", "create aws:ec2/eip:Eip",
				"create vault:jwt/authBackend:AuthBackend", "delete vault:index/authBackend:AuthBackend",
			},
		},
		{
			name: "the sizes of a node group and of the public subnets", stack: "application",
			changes: map[string]any{"cluster.nodeGroups": groups(4), "network.publicPrefix": 23},
			want: []string{
				"update aws:eks/nodeGroup:NodeGroup",
				"replace aws:ec2/subnet:Subnet", "replace aws:ec2/natGateway:NatGateway",
			},
		},
		{
			name: "the size of the private subnets", stack: "application",
			changes: map[string]any{"network.privatePrefix": 19},
			want:    []string{"replace aws:ec2/subnet:Subnet", "replace aws:eks/nodeGroup:NodeGroup"},
		},
		{
			name: "the Kubernetes version, one minor up", stack: "application",
			changes: map[string]any{"cluster.version": "1.36"},
			want:    []string{"update aws:eks/cluster:Cluster"},
		},
	} {
		p.sub(c.name, func() { p.change(c) })
	}
	unchanged(p.T, p.up("application"))
}

func (p *place) change(c change) {
	p.Helper()
	p.configure(c.stack, c.changes)
	planned := p.preview(c.stack)
	for _, want := range c.want {
		require.True(p, slices.ContainsFunc(planned.Steps, func(e deploy.Event) bool { return e.Op+" "+e.Type == want }),
			"the preview does not show %q: %v", want, steps(planned))
	}
	for _, stays := range c.stays {
		require.False(p, slices.ContainsFunc(planned.Steps, func(e deploy.Event) bool {
			return strings.HasPrefix(e.Type, stays) && e.Op != "update" && e.Op != "same"
		}), "%s does not stay: %v", stays, steps(planned))
	}
	before := p.ids(c.stays...)
	require.Equal(p, len(c.stays) > 0, len(before) > 0, "%v", c.stays)
	made := p.up(c.stack)
	require.Equal(p, before, p.ids(c.stays...))
	require.Equal(p, counts(planned), counts(made), "what was planned is not what was done")
	p.consistent(c.stack)
}

func counts(r *deploy.Result) map[string]int {
	out := map[string]int{}
	for op, n := range r.Changes {
		if n > 0 {
			out[op] = n
		}
	}
	return out
}

// drift changes tags and takes a rule away behind the program's back.
func (p *place) drift() {
	var vpc, rule account.Object
	for _, o := range p.objects() {
		if !strings.Contains(o.URN, ":tooling::") {
			continue
		}
		switch o.Type {
		case "aws:ec2/vpc:Vpc":
			vpc = o
		case "aws:ec2/route:Route":
			rule = o
		}
	}
	require.NotEmpty(p, vpc.ID)
	require.NotEmpty(p, rule.ID)
	require.NoError(p, p.client.Edit(p.ctx, vpc.Type, vpc.ID, map[string]any{"tags": map[string]any{"Name": "somebody was here"}}))
	require.NoError(p, p.client.Delete(p.ctx, rule.URN, rule.Type, rule.ID))

	unchanged(p.T, p.preview("tooling")) // it cannot be seen without a look
	result, err := p.target.Up(p.ctx, "tooling", deploy.Options{Refresh: true})
	require.NoError(p, err)
	require.Equal(p, 1, result.Changes["update"], "%v", result.Changes)
	require.Equal(p, 1, result.Changes["create"], "%v", result.Changes)
	result, err = p.target.Up(p.ctx, "tooling", deploy.Options{Refresh: true})
	require.NoError(p, err)
	unchanged(p.T, result)
	p.consistent("tooling")
}
