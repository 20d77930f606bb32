package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/deploy"
)

// dirVariable names the sandbox's folder. Where it is set, the commands on
// stacks act on that sandbox: `strongroom sandbox env` sets it together with
// what makes pulumi, kubectl and aws do so.
const dirVariable = "STRONGROOM_SANDBOX_DIR"

// lockWait is how long to wait for another run that holds a stack.
const lockWait = 30 * time.Second

// place is where the commands on stacks act.
type place struct {
	engine  engine
	sandbox bool
	// env is the sandbox's environment, for what is run on it.
	env map[string]string
	// what says it to people.
	what string
	// leave gives back what was taken to get there.
	leave func()
}

// placeFlags choose the place.
type placeFlags struct {
	sandbox bool
	dir     string
}

func (a *app) addPlaceFlags(cmd *cobra.Command, f *placeFlags) {
	cmd.Flags().BoolVar(&f.sandbox, "sandbox", a.getenv(dirVariable) != "",
		"act on the sandbox, where AWS is simulated; the default where $"+dirVariable+" is set, --sandbox=false undoes it")
	cmd.Flags().StringVarP(&f.dir, "cwd", "C", "", "the directory with Pulumi.yaml (default: the current one)")
}

// goTo opens the place. changes: more than one of them at a time would get in
// each other's way.
func (a *app) goTo(ctx context.Context, f placeFlags, changes bool, r *reporter) (*place, error) {
	dir := f.dir
	if dir == "" {
		var err error
		if dir, err = a.getwd(); err != nil {
			return nil, fmt.Errorf("find the current directory: %w", err)
		}
	}
	if !f.sandbox {
		return a.goToAWS(dir)
	}
	return a.goToSandbox(ctx, dir, changes, r)
}

// goToAWS is the project in dir with the person's own state and credentials.
func (a *app) goToAWS(dir string) (*place, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the project: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err != nil {
		return nil, usagef("no project in %q: expected a Pulumi.yaml there: run this in strongroom's directory, or give it with --cwd", dir)
	}
	state := "the backend that Pulumi is logged in to"
	if url := a.getenv("PULUMI_BACKEND_URL"); url != "" {
		state = url
	}
	return &place{
		engine: a.engine(&deploy.Target{WorkDir: dir, LockWait: lockWait, Abort: a.abort}),
		what:   fmt.Sprintf("AWS with your own credentials; project %s, state in %s", dir, state),
		leave:  func() {},
	}, nil
}

// goToSandbox is the sandbox, whose daemon is started where it does not run.
func (a *app) goToSandbox(ctx context.Context, dir string, changes bool, r *reporter) (_ *place, err error) {
	r.sandbox = true
	repo, err := a.findRepo(dir)
	if err != nil {
		return nil, err
	}
	b, err := a.open("")
	if err != nil {
		return nil, err
	}
	if err := requireTools(b); err != nil {
		return nil, err
	}
	leave := func() {}
	if changes {
		if leave, err = b.Lock(ctx, waitingFor(r)); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			leave()
		}
	}()
	if err := b.Start(ctx, r.say); err != nil {
		return nil, err
	}
	e, err := a.sandboxEngine(b, repo)
	if err != nil {
		return nil, err
	}
	env, err := b.Env()
	if err != nil {
		return nil, err
	}
	return &place{
		engine: e, sandbox: true, env: env, leave: leave,
		what: fmt.Sprintf("the sandbox in %s; AWS is simulated", b.Folder()),
	}, nil
}

// sandboxEngine is the engine on a sandbox that is up, with the configuration
// that the checkout has now.
func (a *app) sandboxEngine(b box, repo string) (engine, error) {
	if repo != "" {
		if err := b.PrepareProject(repo); err != nil {
			return nil, err
		}
	}
	env, err := b.Env()
	if err != nil {
		return nil, err
	}
	// The engine inherits this process' environment, and these would win.
	for _, name := range b.Foreign() {
		if err := os.Unsetenv(name); err != nil {
			return nil, fmt.Errorf("unset %s: %w", name, err)
		}
	}
	t := b.Target()
	t.Env, t.LockWait, t.Abort = env, lockWait, a.abort
	return a.engine(t), nil
}

// requireTools refuses to act on a sandbox whose tools were never built.
func requireTools(b box) error {
	if err := b.Check(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(b.Target().PulumiRoot, "bin", "pulumi")); err != nil {
		return fmt.Errorf("the sandbox in %s has no tools yet: run `make up`, which builds them and brings both stacks up", b.Folder())
	}
	return nil
}

// waitingFor says who holds the sandbox.
func waitingFor(r *reporter) func(string) {
	return func(holder string) { r.say(fmt.Sprintf("waiting for %s, which holds the sandbox", holder)) }
}

// order sorts the stacks that were named, or all. A name that nobody configured
// is the caller's mistake.
func order(e engine, names []string) ([]string, error) {
	ordered, err := e.Order(names...)
	if err == nil {
		return ordered, nil
	}
	known := e.Configured()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, &usageError{fmt.Errorf("%w\nThe stacks here are: %s", err, list(known))}
		}
	}
	return nil, err
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	text := ""
	for i, name := range names {
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text
}

// errRefused: nobody agreed.
var errRefused = errors.New("nothing was done")
