package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox"
	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
	"github.com/strongroom-platform/strongroom/sandbox/toolchain"
	"github.com/strongroom-platform/strongroom/sandbox/verify"
)

// fixture is a command line on a machine where nothing is real.
type fixture struct {
	*app
	t        *testing.T
	env      map[string]string
	out, err bytes.Buffer
	box      *fakeBox
	engine   *fakeEngine
	// signals are sent to whoever listens.
	signals chan os.Signal
	exits   []int
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	project := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(project, "Pulumi.yaml"), []byte("name: strongroom\n"), 0o600))
	calls := &calls{}
	f := &fixture{
		t: t, env: map[string]string{}, signals: make(chan os.Signal),
		box: newFakeBox(t, calls), engine: newFakeEngine(calls),
	}
	f.app = &app{
		in: strings.NewReader(""), out: &f.out, err: &f.err,
		width:    func() int { return 80 },
		getenv:   func(name string) string { return f.env[name] },
		getwd:    func() (string, error) { return project, nil },
		now:      func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) },
		open:     func(string) (box, error) { return f.box, nil },
		findRepo: func(start string) (string, error) { return start, nil },
		engine: func(target *deploy.Target) engine {
			f.engine.target = target
			return f.engine
		},
		check: func(_ context.Context, c clusterCheck) (clusterReport, error) {
			calls.add("check " + c.Stack)
			for _, name := range regionVariables {
				require.Equal(t, "eu-west-1", c.Env[name])
				require.Equal(t, "eu-west-1", c.StrangerEnv[name])
			}
			return clusterReport{Stack: c.Stack, URL: "https://127.0.0.1:20001", Namespace: "strongroom-check-x", Stranger: "Unauthorized"}, nil
		},
		machine: completeMachine(),
		notify: func(c chan<- os.Signal) func() {
			stop := make(chan struct{})
			go func() {
				for {
					select {
					case s := <-f.signals:
						c <- s
					case <-stop:
						return
					}
				}
			}()
			return func() { close(stop) }
		},
		exit:  func(code int) { f.exits = append(f.exits, code) },
		abort: make(chan struct{}),
	}
	return f
}

// call runs a command line and returns its exit code.
func (f *fixture) call(args ...string) int {
	f.t.Helper()
	f.out.Reset()
	f.err.Reset()
	return f.run(f.t.Context(), args)
}

// calls records what was done, in order.
type calls struct {
	mu   sync.Mutex
	list []string
}

func (c *calls) add(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, call)
}

func (c *calls) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.list...)
}

// fakeEngine is a backend with two stacks.
type fakeEngine struct {
	*calls
	target *deploy.Target
	// fails is the error of an operation, by "phase stack".
	fails map[string]error
	// during is called while an operation runs.
	during func(ctx context.Context, call string) error
	// changes of every run.
	changes map[string]int
	held    map[string][]deploy.Resource
	options deploy.Options
	// more outputs of tooling.
	more deploy.Outputs
	// logins are those to Vault, of both.
	logins map[string]any
}

func newFakeEngine(c *calls) *fakeEngine {
	return &fakeEngine{
		calls: c, fails: map[string]error{}, changes: map[string]int{"create": 2, "same": 1},
		held: map[string][]deploy.Resource{
			"tooling": {
				{URN: "urn:pulumi:tooling::strongroom::strongroom:network:Network::tooling", Type: "strongroom:network:Network", Component: true},
				{Type: "aws:ec2/vpc:Vpc", Name: "tooling-vpc", ID: "vpc-1"},
				{Type: "aws:ec2/subnet:Subnet", Name: "a", ID: "subnet-1"},
				{Type: "aws:ec2/subnet:Subnet", Name: "b", ID: "subnet-2"},
			},
			"application": {{Type: "aws:ec2/vpc:Vpc", Name: "application-vpc", ID: "vpc-2"}},
		},
	}
}

func (e *fakeEngine) Configured() []string { return []string{"application", "tooling"} }

func (e *fakeEngine) Order(names ...string) ([]string, error) {
	var ordered []string
	for _, name := range names {
		if name != "tooling" && name != "application" {
			return nil, fmt.Errorf("unknown stack %q", name)
		}
	}
	for _, known := range []string{"tooling", "application"} {
		if len(names) == 0 || strings.Contains(strings.Join(names, " "), known) {
			ordered = append(ordered, known)
		}
	}
	return ordered, nil
}

func (e *fakeEngine) operate(ctx context.Context, phase deploy.Phase, stack string, o deploy.Options) (*deploy.Result, error) {
	call := string(phase) + " " + stack
	e.add(call)
	e.options = o
	o.Events(deploy.Event{
		Stack: stack, Phase: phase, Kind: deploy.KindStep, Op: "create", Status: deploy.StatusDone, Seconds: 1.5,
		URN: "urn:pulumi:" + stack + "::strongroom::aws:ec2/vpc:Vpc::" + stack + "-vpc", Type: "aws:ec2/vpc:Vpc", Name: stack + "-vpc",
		Counts: deploy.Counts{Done: 1},
	})
	if e.during != nil {
		if err := e.during(ctx, call); err != nil {
			return nil, err
		}
	}
	if err := e.fails[call]; err != nil {
		return nil, err
	}
	r := &deploy.Result{Stack: stack, Phase: phase, Changes: e.changes, Duration: 3 * time.Second}
	if phase == deploy.PhaseUp {
		r.Outputs = e.outputs(stack)
	}
	return r, nil
}

func fakeOutputs(stack string) deploy.Outputs {
	return deploy.Outputs{
		"kubeconfig":      {Value: fakeKubeconfig},
		"region":          {Value: "eu-west-1"},
		"clusterEndpoint": {Value: "https://127.0.0.1:20001"},
		"password":        {Value: "hunter2-" + stack, Secret: true},
		"contract":        {Value: map[string]any{"version": 1}},
	}
}

const fakeKubeconfig = `{"apiVersion":"v1","kind":"Config","current-context":"aws",
"clusters":[{"name":"kubernetes","cluster":{"server":"https://127.0.0.1:20001"}}],
"contexts":[{"name":"aws","context":{"cluster":"kubernetes","user":"aws"}}],
"users":[{"name":"aws","user":{"exec":{"apiVersion":"client.authentication.k8s.io/v1beta1","command":"aws","args":["eks","get-token"]}}}]}`

func (e *fakeEngine) Up(ctx context.Context, stack string, o deploy.Options) (*deploy.Result, error) {
	return e.operate(ctx, deploy.PhaseUp, stack, o)
}

func (e *fakeEngine) Preview(ctx context.Context, stack string, o deploy.Options) (*deploy.Result, error) {
	return e.operate(ctx, deploy.PhasePreview, stack, o)
}

func (e *fakeEngine) Refresh(ctx context.Context, stack string, o deploy.Options) (*deploy.Result, error) {
	return e.operate(ctx, deploy.PhaseRefresh, stack, o)
}

func (e *fakeEngine) Destroy(ctx context.Context, stack string, o deploy.Options) (*deploy.Result, error) {
	return e.operate(ctx, deploy.PhaseDestroy, stack, o)
}

func (e *fakeEngine) Outputs(_ context.Context, stack string) (deploy.Outputs, error) {
	if err := e.fails["outputs "+stack]; err != nil {
		return nil, err
	}
	return e.outputs(stack), nil
}

func (e *fakeEngine) outputs(stack string) deploy.Outputs {
	o := fakeOutputs(stack)
	if stack == "tooling" {
		maps.Copy(o, e.more)
	}
	if e.logins != nil {
		o[outputVaultLogins] = deploy.Output{Value: e.logins}
	}
	return o
}

func (e *fakeEngine) Resources(_ context.Context, stack string) ([]deploy.Resource, error) {
	return e.held[stack], nil
}

// fakeBox is a sandbox in which nothing runs. Its tools are there.
type fakeBox struct {
	*calls
	dir    string
	fails  map[string]error
	holder string // who holds it, before it is free
	left   []leftover
	status *sandbox.Status
	events []toolchain.Event
	charts []charts.Fetched
	more   map[string]string // variables
	// verified is what a verification finds.
	verified *verify.Report
}

func newFakeBox(t *testing.T, c *calls) *fakeBox {
	t.Helper()
	b := &fakeBox{calls: c, dir: t.TempDir(), fails: map[string]error{}}
	b.status = &sandbox.Status{
		Running: true, Dir: b.dir, PID: 4242, AccountURL: "http://127.0.0.1:20000",
		Since: time.Date(2026, 11, 24, 11, 59, 0, 0, time.UTC),
		Clusters: []controlplane.Status{{
			Name: "tooling", URL: "https://127.0.0.1:20001", Version: "1.34", ActualVersion: "1.36.3",
			Note: "no binary for 1.34", Processes: map[string]int{"etcd": 1, "kube-apiserver": 2},
		}},
		Objects: map[string]int{"aws:ec2/vpc:Vpc": 2},
	}
	b.events = []toolchain.Event{
		{Tool: "etcd", State: toolchain.Building, Detail: "v3.7.3"},
		{Tool: "etcd", State: toolchain.Built, Detail: "v3.7.3", Took: 16 * time.Second, Done: 1, Total: 1},
	}
	b.makeTools(t)
	return b
}

func (b *fakeBox) makeTools(t *testing.T) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(b.dir, "bin"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "bin", "pulumi"), nil, 0o600))
}

// addProgram puts a program where the sandbox's PATH finds it.
func (b *fakeBox) addProgram(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "bin", name), nil, 0o700)) //nolint:gosec // it must be executable
}

// used makes it look as after a start.
func (b *fakeBox) used(t *testing.T) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(b.dir, "state"), 0o700))
}

func (b *fakeBox) did(call string) error {
	b.add(call)
	return b.fails[call]
}

func (b *fakeBox) Folder() string      { return b.dir }
func (b *fakeBox) LogDir() string      { return filepath.Join(b.dir, "logs") }
func (b *fakeBox) ClustersDir() string { return filepath.Join(b.dir, "clusters") }
func (b *fakeBox) ChartsDir() string   { return filepath.Join(b.dir, "charts") }
func (b *fakeBox) Check() error        { return b.fails["check"] }
func (b *fakeBox) CheckCharts() error  { return b.fails["check charts"] }

func (b *fakeBox) FetchCharts(_ context.Context, _ string, progress func(charts.Fetched), waiting func()) error {
	waiting()
	for _, f := range b.charts {
		progress(f)
	}
	return b.did("charts")
}

func (b *fakeBox) Lock(_ context.Context, waiting func(string)) (func(), error) {
	if b.holder != "" {
		waiting(b.holder)
	}
	return func() { b.add("unlock") }, b.did("lock")
}

func (b *fakeBox) FluxTools(_ context.Context, _ string, progress func(toolchain.Event)) error {
	for _, e := range b.events {
		progress(e)
	}
	return b.did("tools")
}

func (b *fakeBox) Start(_ context.Context, progress func(string)) error {
	progress("starting the daemon")
	return b.did("start")
}
func (b *fakeBox) Stop(context.Context, func(string)) error   { return b.did("stop") }
func (b *fakeBox) Remove(context.Context, func(string)) error { return b.did("remove") }
func (b *fakeBox) Status(context.Context) (*sandbox.Status, error) {
	return b.status, b.fails["status"]
}
func (b *fakeBox) PrepareProject(string) error { return b.did("project") }
func (b *fakeBox) Reconcile(context.Context) (string, error) {
	return "main@sha1:abc", b.did("reconcile")
}
func (b *fakeBox) Verify(context.Context, sandbox.VerifyStacks, func(string)) (*verify.Report, error) {
	return b.verified, b.did("verify")
}
func (b *fakeBox) Left(context.Context) ([]leftover, error) { return b.left, b.did("left") }
func (b *fakeBox) Serve(context.Context) error              { return b.did("serve") }
func (b *fakeBox) Foreign() []string                        { return []string{"STRONGROOM_TEST_FOREIGN"} }
func (b *fakeBox) StrangerEnv() (map[string]string, error)  { return b.Env() }
func (b *fakeBox) Target() *deploy.Target {
	return &deploy.Target{WorkDir: filepath.Join(b.dir, "project"), PulumiRoot: b.dir}
}

func (b *fakeBox) Env() (map[string]string, error) {
	env := map[string]string{"PATH": filepath.Join(b.dir, "bin"), dirVariable: b.dir, "QUOTED": "it's"}
	maps.Copy(env, b.more)
	return env, b.fails["env"]
}

// completeMachine lacks nothing.
func completeMachine() machine {
	said := map[string]string{
		"go": "go1.26.8", "node": "v20.20.2", "npm": "10.8.2", "git": "git version 2.47.3", "make": "GNU Make 4.4.1",
		"aws": "aws-cli/2.15.0 Python/3.11", "kubectl": "Client Version: v1.36.3", "pulumi": "v3.259.0",
	}
	return machine{
		look: func(program string) (string, error) { return "/usr/bin/" + program, nil },
		ask: func(_ context.Context, program string, _ ...string) (string, error) {
			text, ok := said[filepath.Base(program)]
			if !ok {
				return "", errors.New("no such program")
			}
			return text, nil
		},
		disk:   func(string) (uint64, error) { return 100 << 30, nil },
		memory: func() uint64 { return 16 << 30 },
		port:   func() error { return nil },
		write:  func(string) error { return nil },
	}
}
