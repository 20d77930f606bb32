// Package cli is the strongroom command line: one file per command, and what
// they share about progress, tables, confirmation and interruption.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"
	"k8s.io/client-go/rest"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
)

// app is what the commands share. Its functions are the places where tests put
// something else than this machine.
type app struct {
	in       io.Reader
	out, err io.Writer
	// live: out is a terminal that can be redrawn.
	live bool
	// asks: somebody sits at a terminal and can answer.
	asks  bool
	width func() int

	getenv   func(string) string
	getwd    func() (string, error)
	now      func() time.Time
	open     func(dir string) (box, error)
	findRepo func(start string) (string, error)
	engine   func(*deploy.Target) engine
	check    func(context.Context, clusterCheck) (clusterReport, error)
	readFlux func(context.Context, *rest.Config) ([]fluxstatus.Object, error)
	machine  machine
	// reach opens a stack's Vault.
	reach func(ctx context.Context, f vaultFlags) (*vaultSite, error)
	// typed asks for something that must not be seen.
	typed func(prompt string) ([]byte, error)

	// notify passes signals on until stop is called.
	notify func(chan<- os.Signal) (stop func())
	// exit ends the process at once.
	exit        func(code int)
	abort       chan struct{} // closed by the second interrupt
	interrupted atomic.Bool

	mu  sync.Mutex
	say func(string) // where a message between lines of progress goes
}

// Main runs the command line and returns the exit code: see the help of
// `strongroom`.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{
		in: in, out: out, err: errOut,
		live:  terminal(out) && os.Getenv("TERM") != "dumb",
		asks:  terminal(in) && terminal(errOut),
		width: func() int { return widthOf(out) },

		getenv:   os.Getenv,
		getwd:    os.Getwd,
		now:      time.Now,
		open:     openBox,
		findRepo: findRepo,
		engine:   func(t *deploy.Target) engine { return t },
		check:    checkCluster,
		readFlux: readFlux,
		machine:  thisMachine(),

		notify: func(c chan<- os.Signal) func() {
			signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			return func() { signal.Stop(c) }
		},
		exit:  os.Exit,
		abort: make(chan struct{}),
	}
	a.reach, a.typed = a.reachVault, a.typedAtTerminal
	return a.run(context.Background(), args)
}

// run executes one command line.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	executed, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code) // of a command that reports for itself
	}
	fmt.Fprintf(a.err, "strongroom: %v\n", err)
	var usage *usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintf(a.err, "Run `%s --help` for how it is used.\n", executed.CommandPath())
		return exitUsage
	case a.interrupted.Load():
		return exitInterrupted
	}
	return exitFailure
}

func terminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// widthOf is the number of columns of a terminal, 80 where that is unknown.
func widthOf(stream any) int {
	if file, ok := stream.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// thisMachine looks at the machine that this process runs on.
func thisMachine() machine {
	return machine{
		look: exec.LookPath,
		ask: func(ctx context.Context, name string, args ...string) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, askLimit)
			defer cancel()
			out, err := exec.CommandContext(ctx, name, args...).Output()
			return string(out), err
		},
		disk:   freeDisk,
		memory: totalMemory,
		port:   freePort,
		write:  writable,
	}
}
