package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// command runs the Pulumi CLI for the Automation API. It differs from the API's
// own in what happens around the end of a run:
//
//   - the engine is in a process group of its own, so that ^C reaches it once,
//     through the context, and not a second time from the terminal, which it
//     takes as an order to abandon what is under way;
//   - cancelling waits for the engine however long the cloud takes, instead of
//     killing it after ten seconds;
//   - the engine writes to a file and not to a pipe, so that it lives on, ends
//     in order and gives its lock back when this process is killed.
//
// And it says that a stack has no history and no outputs, which the API asks for after
// each operation: nothing here reads the history, and the outputs are read from the
// state (outputs.go). That saves three starts of the CLI.
type command struct {
	path    string
	version semver.Version
	logDir  string
	abort   <-chan struct{}
}

var _ auto.PulumiCommand = (*command)(nil)

// findCommand locates the CLI and checks its version.
func findCommand(ctx context.Context, root, logDir string, abort <-chan struct{}) (*command, error) {
	path := "pulumi"
	if root != "" {
		path = filepath.Join(root, "bin", "pulumi")
	}
	found, err := exec.LookPath(path)
	if err != nil {
		if root != "" {
			return nil, fmt.Errorf("%w: expected it at %q: build it with `make tools`", ErrNoEngine, path)
		}
		return nil, fmt.Errorf("%w on PATH: install it (https://www.pulumi.com/docs/install/), or build it with `make tools` and put .sandbox/bin on PATH", ErrNoEngine)
	}
	if found, err = filepath.Abs(found); err != nil {
		return nil, fmt.Errorf("locate the Pulumi engine: %w", err)
	}
	// The API's own constructor knows which versions it can drive.
	checked, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: rootOf(found, root)})
	if err != nil {
		return nil, fmt.Errorf("the Pulumi engine at %q cannot be used: %w", found, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &command{path: found, version: checked.Version(), logDir: logDir, abort: abort}, nil
}

// rootOf is the directory above bin/pulumi where there is one, and empty, which
// means PATH, where the CLI was installed in another layout.
func rootOf(found, root string) string {
	if root != "" {
		return root
	}
	if bin := filepath.Dir(found); filepath.Base(bin) == "bin" {
		return filepath.Dir(bin)
	}
	return ""
}

func (c *command) Version() semver.Version { return c.version }

// operations are the commands that change a stack or plan to, and so run long.
var operations = []string{"up", "preview", "refresh", "destroy"}

func (c *command) Run(ctx context.Context, workdir string, stdin io.Reader, out, errOut []io.Writer,
	env []string, args ...string,
) (stdout, stderr string, code int, err error) {
	if len(args) > 0 && slices.Contains(operations, args[0]) {
		return c.operate(ctx, workdir, out, errOut, env, args)
	}
	if len(args) > 1 && args[0] == "stack" {
		switch args[1] {
		case "history":
			return "[]", "", 0, nil
		case "output":
			return "{}", "", 0, nil
		}
	}
	var outBuf, errBuf bytes.Buffer
	cmd := c.command(ctx, workdir, env, args)
	cmd.Stdin = stdin
	cmd.Stdout = io.MultiWriter(append(out, &outBuf)...)
	cmd.Stderr = io.MultiWriter(append(errOut, &errBuf)...)
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	return outBuf.String(), errBuf.String(), exitCode(err), err
}

// operate runs a long command with its output in files.
func (c *command) operate(ctx context.Context, workdir string, out, errOut []io.Writer,
	env, args []string,
) (stdout, stderr string, code int, err error) {
	outFile, err := c.logFile(args, "log")
	if err != nil {
		return "", "", -1, err
	}
	defer c.finish(outFile)
	errFile, err := c.logFile(args, "err")
	if err != nil {
		return "", "", -1, err
	}
	defer c.finish(errFile)

	cmd := c.command(ctx, workdir, env, args)
	cmd.Stdout, cmd.Stderr = outFile, errFile
	ended := make(chan struct{})
	cmd.Cancel = func() error {
		err := interrupt(cmd.Process)
		go func() {
			select {
			case <-c.abort:
				// The second interrupt makes the engine stop at once. It fails
				// only when the engine has ended in between, which is as good.
				_ = interrupt(cmd.Process)
			case <-ended:
			}
		}()
		return err
	}
	err = cmd.Run()
	close(ended)
	stdout, readErr := copyOut(outFile, out)
	stderr, readErr2 := copyOut(errFile, errOut)
	if err == nil {
		err = errors.Join(readErr, readErr2)
	}
	return stdout, stderr, exitCode(err), err
}

func (c *command) command(ctx context.Context, workdir string, env, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.path, append([]string{"--non-interactive"}, args...)...)
	cmd.Dir = workdir
	cmd.Env = append(os.Environ(), env...)
	cmd.Env = append(cmd.Env, "PULUMI_AUTOMATION_API=true")
	cmd.Cancel = func() error { return interrupt(cmd.Process) }
	ownGroup(cmd)
	return cmd
}

// logFile opens the file that receives one stream of an operation.
func (c *command) logFile(args []string, suffix string) (*os.File, error) {
	if c.logDir == "" {
		return os.CreateTemp("", "strongroom-*."+suffix)
	}
	if err := os.MkdirAll(c.logDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for the engine's logs: %w", err)
	}
	name := fmt.Sprintf("engine-%s-%s.%s", stackOf(args), args[0], suffix)
	file, err := os.OpenFile(filepath.Join(c.logDir, name), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the engine's log: %w", err)
	}
	return file, nil
}

// finish closes the file, and removes it where no logs are kept.
func (c *command) finish(file *os.File) {
	file.Close()
	if c.logDir == "" {
		os.Remove(file.Name())
	}
}

func stackOf(args []string) string {
	if i := slices.Index(args, "--stack"); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return "stack"
}

func copyOut(file *os.File, also []io.Writer) (string, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("read the engine's output: %w", err)
	}
	var text strings.Builder
	if _, err := io.Copy(io.MultiWriter(append(also, &text)...), file); err != nil {
		return text.String(), fmt.Errorf("read the engine's output: %w", err)
	}
	return text.String(), nil
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}
