package cli

import (
	"context"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
	"github.com/strongroom-platform/strongroom/sandbox/toolchain"
	"github.com/strongroom-platform/strongroom/sandbox/verify"
)

// box is what the commands need of a sandbox.
type box interface {
	// Folder is where it lies; LogDir, ClustersDir, ChartsDir and the rest are in it.
	Folder() string
	LogDir() string
	ClustersDir() string
	ChartsDir() string
	// Check refuses a folder that another version made.
	Check() error
	// Lock keeps a second up or down away.
	Lock(ctx context.Context, waiting func(holder string)) (unlock func(), err error)
	// FluxTools builds what up needs, Flux's controllers among it.
	FluxTools(ctx context.Context, repoRoot string, progress func(toolchain.Event)) error
	// FetchCharts fills ChartsDir, CheckCharts proves that what is in it is whole.
	FetchCharts(ctx context.Context, repoRoot string, progress func(charts.Fetched), waiting func()) error
	CheckCharts() error
	Start(ctx context.Context, progress func(string)) error
	Stop(ctx context.Context, progress func(string)) error
	Remove(ctx context.Context, progress func(string)) error
	Status(ctx context.Context) (*sandbox.Status, error)
	// Reconcile makes Flux look at the working tree and returns its revision.
	Reconcile(ctx context.Context) (string, error)
	// Verify tries the logins to Vault; nil where the sandbox runs none.
	Verify(ctx context.Context, stacks sandbox.VerifyStacks, progress func(string)) (*verify.Report, error)
	// Env is for the engine and for use by hand, StrangerEnv the same with the
	// keys of a principal that no cluster knows. Foreign are variables that must
	// not be set beside them.
	Env() (map[string]string, error)
	StrangerEnv() (map[string]string, error)
	Foreign() []string
	PrepareProject(repoRoot string) error
	// Target is where the stacks of this sandbox are.
	Target() *deploy.Target
	// Left lists what the simulated account holds.
	Left(ctx context.Context) ([]leftover, error)
	// Serve is the daemon.
	Serve(ctx context.Context) error
}

// leftover is an object of the simulated account.
type leftover struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	URN  string `json:"urn,omitempty"`
}

// engine is what the commands need of a [deploy.Target].
type engine interface {
	Configured() []string
	Order(names ...string) ([]string, error)
	Up(ctx context.Context, stack string, o deploy.Options) (*deploy.Result, error)
	Preview(ctx context.Context, stack string, o deploy.Options) (*deploy.Result, error)
	Refresh(ctx context.Context, stack string, o deploy.Options) (*deploy.Result, error)
	Destroy(ctx context.Context, stack string, o deploy.Options) (*deploy.Result, error)
	Outputs(ctx context.Context, stack string) (deploy.Outputs, error)
	Resources(ctx context.Context, stack string) ([]deploy.Resource, error)
}

var _ engine = (*deploy.Target)(nil)
