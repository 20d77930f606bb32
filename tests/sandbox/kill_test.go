package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox"
	"github.com/strongroom-platform/strongroom/sandbox/process"
)

// killAt is the resource during whose creation or deletion the engine is
// killed, chosen for what is under way then.
var killAt = []struct {
	typ     string
	what    string
	program pulumi.RunFunc // nil is the stacks' own
}{
	// The network alone: what comes after it in the stack takes a minute, and is not
	// there yet when the engine is killed, and gone when it is killed again.
	{"aws:ec2/vpc:Vpc", "the first object", networkOnly},
	{"aws:ec2/natGateway:NatGateway", "the network, with much in parallel", networkOnly},
	{"aws:eks/cluster:Cluster", "a control plane that starts or stops", nil},
	{"aws:lb/loadBalancer:LoadBalancer", "the endpoint", nil},
}

// The engine is killed in the middle of an up, then in the middle of a destroy.
// The next run finishes: nothing is there twice, nothing is left.
func TestEngineIsKilled(t *testing.T) {
	p := newPlace(t)
	p.configure("tooling", map[string]any{"network.zones": []any{"a", "b"}})
	for _, at := range killAt {
		p.sub(fmt.Sprintf("up and destroy, at %s", at.what), func() {
			p.run(at.program)
			_, err := p.target.Up(p.ctx, "tooling", deploy.Options{Events: p.killOn(at.typ, "create")})
			require.Error(p, err)
			require.Empty(p, p.engines(), "the engine lives on")

			p.up("tooling")
			p.consistent("tooling")
			unchanged(p.T, p.up("tooling"))

			_, err = p.target.Destroy(p.ctx, "tooling", deploy.Options{Events: p.killOn(at.typ, "delete")})
			require.Error(p, err)
			p.destroy("tooling")
			p.empty()
		})
	}
}

// The daemon is killed too, as in a power cut: with its control planes. Tokens are
// made by the machine's own AWS CLI here, where it has one.
func TestDaemonIsKilled(t *testing.T) {
	p := newPlaceWith(t, func(s *sandbox.Sandbox) { s.NoVault, s.OwnAWS = true, false })
	p.configure("tooling", map[string]any{"network.zones": []any{"a", "b"}})
	kill := p.killOn("aws:eks/cluster:Cluster", "create")
	_, err := p.target.Up(p.ctx, "tooling", deploy.Options{Events: func(e deploy.Event) {
		if e.Type == "aws:eks/cluster:Cluster" && e.Status == deploy.StatusStarted {
			p.killDaemon()
		}
		kill(e)
	}})
	require.Error(p, err)
	p.start()
	p.up("tooling")
	p.consistent("tooling")
	// Once more while everything stands: the control plane comes back with its data.
	p.killDaemon()
	p.start()
	p.clusterAnswers("tooling")
	unchanged(p.T, p.up("tooling"))
	p.destroy("tooling")
	p.empty()
}

// killOn kills the engine and its plugins when an operation on a type begins.
func (p *place) killOn(typ, op string) func(deploy.Event) {
	var once sync.Once
	return func(e deploy.Event) {
		if e.Type == typ && e.Op == op && e.Status == deploy.StatusStarted {
			once.Do(func() {
				engines := p.engines()
				require.NotEmpty(p, engines)
				for _, pid := range engines {
					p.kill(pid)
				}
			})
		}
	}
}

// engines are the running engines of this sandbox.
func (p *place) engines() []int {
	p.Helper()
	all, err := process.List()
	require.NoError(p, err)
	var pids []int
	for _, info := range all {
		if info.Executable == filepath.Join(p.BinDir(), "pulumi") {
			pids = append(pids, info.PID)
		}
	}
	return pids
}

func (p *place) killDaemon() {
	p.Helper()
	record, found, err := process.Load(filepath.Join(p.Dir, "run", "daemon"+process.RecordSuffix))
	require.NoError(p, err)
	require.True(p, found)
	p.kill(record.PID)
	require.Eventually(p, func() bool { return !record.Alive() }, limit, tick)
}

func (p *place) kill(pid int) {
	p.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
		require.NoError(p, err)
	}
}

// A run that is killed leaves its lock; one that still runs keeps others out.
func TestLockOfAnotherRun(t *testing.T) {
	p := newPlace(t)
	p.run(networkOnly)
	p.up("tooling")
	dir := filepath.Join(p.StateDir(), ".pulumi", "locks", "organization", "strongroom", "tooling")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	host, err := os.Hostname()
	require.NoError(t, err)
	hold := func(pid int) {
		text := fmt.Sprintf(`{"pid":%d,"username":"somebody","hostname":%q,"timestamp":"2026-01-01T00:00:00Z"}`, pid, host)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte(text), 0o600))
	}
	hold(1 << 30) // no such process
	// And it was killed while it wrote the attributes of the state.
	attributes := filepath.Join(p.StateDir(), ".pulumi", "stacks", "strongroom", "tooling.json.attrs")
	require.FileExists(t, attributes)
	require.NoError(t, os.Truncate(attributes, 0))
	var said []string
	result, err := p.target.Up(p.ctx, "tooling", deploy.Options{Events: func(e deploy.Event) {
		if e.Kind == deploy.KindNotice {
			said = append(said, e.Message)
		}
	}})
	require.NoError(t, err)
	unchanged(t, result)
	require.Contains(t, strings.Join(said, "\n"), "removed the lock that a killed run left")
	p.destroy("tooling")
	p.empty()
}
