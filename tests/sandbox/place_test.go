// Package sandbox_test runs the real engine on sandboxes of its own: the stacks'
// programs, the real EKS component, real control planes, and the simulated AWS
// account. What these tests do not prove is what the account does not model: see
// sandbox/account/doc.go.
package sandbox_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox"
	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/accountapi"
	"github.com/strongroom-platform/strongroom/sandbox/toolchain"
)

// limit is how long one test may take; the slowest brings both stacks up twice, with
// Flux and Vault in them, which on a busy machine takes half an hour.
const limit = 40 * time.Minute

func TestMain(m *testing.M) {
	for _, name := range sandbox.ForeignVariables {
		if err := os.Unsetenv(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// place is a sandbox of one test, in a folder of its own, with the tools that
// `make tools` built.
type place struct {
	*testing.T
	*sandbox.Sandbox
	ctx context.Context
	// repo holds Pulumi.yaml and the stacks' files, for the test to change.
	repo   string
	target *deploy.Target
	client *accountapi.Client
}

// newPlace brings an empty sandbox up, in which Vault is switched off, and takes it
// down after the test, which runs beside others: two sandboxes do not know of each
// other.
func newPlace(t *testing.T) *place {
	t.Helper()
	return newPlaceWith(t, func(s *sandbox.Sandbox) { s.NoVault = true })
}

// newPlaceWithVault is newPlace with Vault's servers, as `up` has them.
func newPlaceWithVault(t *testing.T) *place {
	t.Helper()
	return newPlaceWith(t, func(*sandbox.Sandbox) {})
}

func newPlaceWith(t *testing.T, options func(*sandbox.Sandbox)) *place {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	p := &place{T: t, ctx: ctx, repo: t.TempDir()}
	checkout, err := sandbox.FindRepo(".")
	require.NoError(t, err)
	p.Sandbox = toolsOf(t, checkout, options)
	for _, name := range []string{"Pulumi.yaml", "Pulumi.tooling.yaml", "Pulumi.application.yaml"} {
		data, err := os.ReadFile(filepath.Join(checkout, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(p.repo, name), data, 0o600))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the daemon's last words:\n%s", tail(filepath.Join(p.LogDir(), "daemon.log"), 30))
		}
		require.NoError(t, p.Stop(context.WithoutCancel(ctx), func(string) {}))
	})
	p.start()
	return p
}

// toolsOf makes a sandbox folder that shares the built tools of the checkout.
// Hard links: a program must be seen to run out of the sandbox it belongs to. The AWS
// CLI is the stand-in, on every machine, unless the options say otherwise.
func toolsOf(t *testing.T, checkout string, options func(*sandbox.Sandbox)) *sandbox.Sandbox {
	t.Helper()
	tools := os.Getenv("STRONGROOM_TOOLS_BIN")
	if tools == "" {
		tools = filepath.Join(checkout, ".sandbox", "bin")
	}
	s, err := sandbox.Open(filepath.Join(t.TempDir(), "sandbox"))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(s.BinDir(), 0o700))
	if _, err := os.Stat(filepath.Join(tools, "strongroom")); err != nil {
		message := fmt.Sprintf("the tools are not built in %s: run `make tools`, or set STRONGROOM_TOOLS_BIN", tools)
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	share(t, tools, s.BinDir())
	require.NoError(t, os.Symlink(filepath.Join(filepath.Dir(tools), "eks"), s.EKSDir()))
	require.NoError(t, os.Symlink(filepath.Join(filepath.Dir(tools), "crds"), s.CRDDir()))
	s.Command = filepath.Join(s.BinDir(), "strongroom")
	s.OwnAWS = true
	options(s)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	require.NoError(t, s.Tools(ctx, checkout, func(e toolchain.Event) {
		if e.State == toolchain.Building {
			t.Logf("%s is out of date: run `make tools` before the tests", e.Tool)
		}
	}))
	return s
}

// share links the files of one folder into another, or copies them where the
// two are on different file systems.
func share(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, entry := range entries {
		source, target := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		switch {
		case entry.IsDir():
			require.NoError(t, os.MkdirAll(target, 0o700))
			share(t, source, target)
		case strings.HasPrefix(entry.Name(), "pulumi-resource-"), entry.Name() == "aws":
			// Scripts of the other sandbox; this one gets its own.
		default:
			if os.Link(source, target) == nil {
				continue
			}
			data, err := os.ReadFile(source)
			require.NoError(t, err)
			info, err := entry.Info()
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(target, data, info.Mode()))
		}
	}
}

// start starts the daemon and points the target at it.
func (p *place) start() {
	p.Helper()
	require.NoError(p, p.Start(p.ctx, func(what string) { p.Log(what) }))
	require.NoError(p, p.PrepareProject(p.repo))
	env, err := p.Env()
	require.NoError(p, err)
	p.client, err = p.Client()
	require.NoError(p, err)
	p.target = &deploy.Target{
		WorkDir: p.ProjectDir(), PulumiRoot: p.PulumiRoot(), Backend: p.Backend(),
		Env: env, LogDir: p.LogDir(), LockWait: time.Minute, FindMade: p.FindMade,
	}
}

// sub runs a part of the test as a subtest.
func (p *place) sub(name string, do func()) bool {
	p.Helper()
	return p.Run(name, func(t *testing.T) {
		outer := p.T
		p.T = t
		defer func() { p.T = outer }()
		do()
	})
}

// run makes the target run a program of the test instead of the stacks', or theirs
// again if it is nil.
func (p *place) run(program pulumi.RunFunc) {
	p.target.Program = nil
	if program != nil {
		p.target.Program = func(string) pulumi.RunFunc { return program }
	}
}

// configure changes keys of a stack's configuration, such as "network.nat"; nil
// takes one away.
func (p *place) configure(stack string, changes map[string]any) {
	p.Helper()
	path := filepath.Join(p.repo, "Pulumi."+stack+".yaml")
	data, err := os.ReadFile(path)
	require.NoError(p, err)
	file := map[string]any{}
	require.NoError(p, yaml.Unmarshal(data, &file))
	config, ok := file["config"].(map[string]any)
	require.True(p, ok, path)
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		words := strings.Split(key, ".")
		words[0] = "strongroom:" + words[0]
		set(p, config, words, changes[key])
	}
	data, err = yaml.Marshal(file)
	require.NoError(p, err)
	require.NoError(p, os.WriteFile(path, data, 0o600))
	require.NoError(p, p.PrepareProject(p.repo))
}

func set(t require.TestingT, in map[string]any, path []string, value any) {
	if len(path) == 1 {
		if value == nil {
			delete(in, path[0])
			return
		}
		in[path[0]] = value
		return
	}
	nested, ok := in[path[0]].(map[string]any)
	require.True(t, ok, "configuration has no %q", path[0])
	set(t, nested, path[1:], value)
}

func (p *place) up(stack string) *deploy.Result {
	p.Helper()
	result, err := p.target.Up(p.ctx, stack, deploy.Options{})
	require.NoError(p, err)
	return result
}

func (p *place) preview(stack string) *deploy.Result {
	p.Helper()
	result, err := p.target.Preview(p.ctx, stack, deploy.Options{})
	require.NoError(p, err)
	return result
}

func (p *place) destroy(stack string) *deploy.Result {
	p.Helper()
	result, err := p.target.Destroy(p.ctx, stack, deploy.Options{})
	require.NoError(p, err)
	return result
}

// unchanged checks that a run altered nothing.
func unchanged(t *testing.T, result *deploy.Result) {
	t.Helper()
	require.Zero(t, result.Changed(), "%s of %s: %v %v", result.Phase, result.Stack, result.Changes, result.Steps)
	require.NotZero(t, result.Changes["same"], "a run without resources proves nothing")
}

// objects lists what programs made in the simulated account.
func (p *place) objects() []account.Object {
	p.Helper()
	all, err := p.client.Objects(p.ctx)
	require.NoError(p, err)
	return slices.DeleteFunc(all, func(o account.Object) bool { return o.Owner != "" })
}

// empty proves that nothing at all is left in the account.
func (p *place) empty() {
	p.Helper()
	all, err := p.client.Objects(p.ctx)
	require.NoError(p, err)
	for _, o := range all {
		p.Errorf("left in the simulated account: %s %s of %s", o.Type, o.ID, o.URN)
	}
}

// consistent proves that the account and a stack's state tell of the same
// objects, each once.
func (p *place) consistent(stack string) {
	p.Helper()
	resources, err := p.target.Resources(p.ctx, stack)
	require.NoError(p, err)
	inState := map[string]string{}
	for _, r := range resources {
		if !r.Component && strings.HasPrefix(r.Type, "aws:") {
			inState[r.URN] = r.ID
		}
	}
	seen := map[string]string{}
	for _, o := range p.objects() {
		if !strings.Contains(o.URN, ":"+stack+"::") {
			continue
		}
		require.Empty(p, seen[o.URN], "made twice: %s (%s and %s)", o.URN, seen[o.URN], o.ID)
		seen[o.URN] = o.ID
	}
	require.Equal(p, inState, seen)
}

func tail(path string, lines int) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// ids are the IDs in the account of all objects whose type begins with one of
// the prefixes, by URN.
func (p *place) ids(prefixes ...string) map[string]string {
	p.Helper()
	ids := map[string]string{}
	for _, o := range p.objects() {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(o.Type, prefix) }) {
			ids[o.URN] = o.ID
		}
	}
	return ids
}
