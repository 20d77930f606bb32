// Package pulumitest runs Pulumi programs against a simulated engine and
// returns the graph of what they registered.
//
// It is a resource monitor of its own, spoken to over gRPC like the real
// engine, and not pulumi.WithMocks: so the outputs that components register
// are seen, resource references (eks.Cluster.EksCluster) resolve, and a
// program cannot tell that it is being tested.
//
// What a provider would compute comes from a table (types.go). A resource type
// that is not in the table is an error which names it. An output that is not
// in the table is unknown, and a run fails when an unknown value reaches an
// input: a test never goes on with a zero value that a real provider would
// have filled in.
//
// What it does not prove: that AWS accepts the inputs. That is what the
// sandbox is for. Transforms and hooks are refused.
package pulumitest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Options say in what surroundings the program runs. The zero value is a stack
// "test" of project "strongroom" without configuration.
type Options struct {
	Project string // default "strongroom"
	Stack   string // default "test"

	// Config by full key: {"strongroom:region": "eu-central-1"}. Objects are JSON.
	Config map[string]string

	// StackOutputs are the outputs of other stacks, by the name that the program
	// gives to its StackReference. A reference to any other stack is an error, as
	// with the real engine.
	StackOutputs map[string]resource.PropertyMap

	// Unknown is a preview of an empty account: ids and computed outputs are
	// unknown.
	Unknown bool

	// Up tells the program that it is no preview. Only for what depends on that: a value
	// that is unknown then reaches an input as a zero value, unseen.
	Up bool

	// Types adds to or replaces entries of the table of resource types.
	Types map[string]Type

	// Calls adds to or replaces entries of the table of functions (invokes).
	Calls map[string]Call
}

// Run runs program and fails the test when the program fails, or when a value
// is unknown that should not be.
func Run(t testing.TB, program pulumi.RunFunc, opts Options) *Graph {
	t.Helper()
	g, err := RunErr(program, opts)
	if err != nil {
		t.Fatalf("running the program: %v", err)
	}
	return g
}

// RunErr runs program and returns what it registered, also when it failed: then
// the graph holds what was registered before the error.
func RunErr(program pulumi.RunFunc, opts Options) (*Graph, error) {
	if opts.Project == "" {
		opts.Project = "strongroom"
	}
	if opts.Stack == "" {
		opts.Stack = "test"
	}
	e := newEngine(opts)

	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the program under test: %w", err)
	}
	server := grpc.NewServer()
	pulumirpc.RegisterResourceMonitorServer(server, e)
	pulumirpc.RegisterEngineServer(server, &engineLog{e: e})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	err = pulumi.RunErr(program, func(info *pulumi.RunInfo) {
		info.Project = opts.Project
		info.Stack = opts.Stack
		info.Organization = "organization"
		info.Config = opts.Config
		info.ConfigSecretKeys = nil
		info.Parallel = 1
		// Always a preview: only then does the SDK keep an omitted output unknown
		// instead of turning it into a zero value.
		info.DryRun = !opts.Up
		info.MonitorAddr = listener.Addr().String()
		info.EngineAddr = listener.Addr().String()
		info.Mocks = nil
	})
	server.Stop()
	if serveErr := <-served; serveErr != nil && !errors.Is(serveErr, grpc.ErrServerStopped) {
		err = errors.Join(err, fmt.Errorf("serving the program under test: %w", serveErr))
	}
	g := e.finish()
	if err == nil && !opts.Unknown {
		err = g.unexpectedUnknowns()
	}
	return g, err
}

// RunBoth runs program with known and with unknown outputs, fails the test when
// the two register different resources, and returns the known run's graph. It
// proves that a preview of an empty account shows what an up will do.
func RunBoth(t testing.TB, program pulumi.RunFunc, opts Options) *Graph {
	t.Helper()
	opts.Unknown = false
	known := Run(t, program, opts)
	opts.Unknown = true
	unknown := Run(t, program, opts)
	if err := known.SameResources(unknown); err != nil {
		t.Fatalf("with unknown outputs the program registers other resources: %v", err)
	}
	return known
}
