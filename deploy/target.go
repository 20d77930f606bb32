package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Target is a place to which stacks are deployed. The zero value with a WorkDir
// is the one that `pulumi up` in that directory would use. A Target is safe for
// use by several goroutines once its fields are set.
type Target struct {
	// WorkDir is the directory that holds Pulumi.yaml and Pulumi.<stack>.yaml.
	// The engine adds its encryption salt to the latter when it makes a stack.
	WorkDir string

	// PulumiRoot is the directory with bin/pulumi. Empty: pulumi from PATH.
	PulumiRoot string

	// Backend is the URL of the state, such as file:///srv/state or s3://bucket.
	// Empty: PULUMI_BACKEND_URL, the project's backend, or the one that
	// `pulumi login` chose, in this order.
	Backend string

	// Env is added to this process' environment for the engine, and through it
	// for the provider plugins and whatever they run.
	Env map[string]string

	// Program returns the program of a stack. Default: that of package stacks, which
	// reaches Vault by the environment of the engine.
	Program func(stack string) pulumi.RunFunc

	// FindMade looks in the account for what a run that was killed had begun to
	// create under the URN, and returns the IDs it finds. It must wait for a
	// creation that is still under way. Nil: there is no such look-up, and
	// [Options.Adopt] and [Options.Forget] decide.
	FindMade func(ctx context.Context, urn, typ string) ([]string, error)

	// LogDir receives the engine's own output, one file per stack and operation,
	// for a person to read. The engine hides secrets in it. Empty: none is kept.
	LogDir string

	// LockWait is how long to wait for another run that holds a stack. Zero: an
	// error at once.
	LockWait time.Duration

	// VaultWait is how long a destroy waits for a Vault that does not let it in, before it
	// forgets what the stack has inside of it. Default: a minute.
	VaultWait time.Duration

	// Abort makes the engine stop without waiting for what is under way, when it
	// is closed after the context was cancelled. What was under way is then
	// looked for by the next run. Nil: always wait.
	Abort <-chan struct{}

	once   sync.Once
	engine *command
	err    error
}

// cli finds the engine once and checks that its version is one that the
// Automation API can drive.
func (t *Target) cli(ctx context.Context) (*command, error) {
	t.once.Do(func() { t.engine, t.err = findCommand(ctx, t.PulumiRoot, t.LogDir, t.Abort) })
	return t.engine, t.err
}

// environment is what is added to the engine's environment.
func (t *Target) environment() map[string]string {
	env := map[string]string{"PULUMI_SKIP_UPDATE_CHECK": "true"}
	for k, v := range t.Env {
		env[k] = v
	}
	if t.Backend != "" {
		env["PULUMI_BACKEND_URL"] = t.Backend
	}
	return env
}

func (t *Target) environ() []string {
	var list []string
	for k, v := range t.environment() {
		list = append(list, k+"="+v)
	}
	return list
}

// getenv is the value of a variable as the engine will see it.
func (t *Target) getenv(name string) string {
	if v, ok := t.environment()[name]; ok {
		return v
	}
	return os.Getenv(name)
}

// open prepares the Automation API's stack without running the engine.
func (t *Target) open(ctx context.Context, stack string, program pulumi.RunFunc) (*auto.Stack, error) {
	engine, err := t.cli(ctx)
	if err != nil {
		return nil, err
	}
	project := filepath.Join(t.WorkDir, "Pulumi.yaml")
	if _, err := os.Stat(project); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no project in %q: expected a Pulumi.yaml there; run this in strongroom's directory or pass its path", t.WorkDir)
		}
		return nil, err
	}
	ws, err := auto.NewLocalWorkspace(ctx,
		auto.WorkDir(t.WorkDir),
		auto.Program(program),
		auto.Pulumi(engine),
		auto.EnvVars(t.environment()))
	if err != nil {
		return nil, fmt.Errorf("open the project in %q: %w", t.WorkDir, err)
	}
	s, err := auto.SelectStack(ctx, stack, unselected{ws})
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// unselected is a workspace that does not change which stack is selected for the
// person's own `pulumi` commands: every command names its stack instead.
type unselected struct{ auto.Workspace }

func (unselected) SelectStack(context.Context, string) error { return nil }

// StackFile is the path of the file that configures the stack.
func (t *Target) StackFile(stack string) string {
	return filepath.Join(t.WorkDir, "Pulumi."+stack+".yaml")
}

// requireStackFile refuses a stack that nobody configured, before the engine
// makes an empty one under that name.
func (t *Target) requireStackFile(stack string) error {
	if _, err := os.Stat(t.StackFile(stack)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("stack %q has no Pulumi.%s.yaml in %q: write one, or name one of the stacks that have: %s",
				stack, stack, t.WorkDir, orNone(t.Configured()))
		}
		return err
	}
	return nil
}
