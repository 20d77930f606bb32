// Package toolchain makes the programs that the sandbox runs: the Pulumi CLI,
// etcd, kube-apiserver, kube-controller-manager, Vault and the Flux controllers from
// their Go modules (tools/*), the EKS component from npm, and small scripts under the names by
// which the engine looks for its plugins.
//
// Everything is made beside its place and renamed into it, so that a kill at
// any moment leaves either the old or the new, and two runs at the same time
// wait for each other.
package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// Options says what to build from and where to put it.
type Options struct {
	// RepoRoot is the checkout of strongroom: the pins are in its tools/*.
	RepoRoot string
	// BinDir receives the programs: <sandbox>/bin.
	BinDir string
	// EKSDir receives the EKS component. Default: "eks" beside BinDir.
	EKSDir string
	// Flux says to build the Flux controllers too, and to lay out the CRDs that
	// the clusters get with them: minutes, and not needed for the rest.
	Flux bool
	// CRDDir receives those CRDs. Default: "crds" beside BinDir.
	CRDDir string
	// Command is the strongroom program that the plugin scripts run. Default:
	// the running program where it is called strongroom, else the one in BinDir.
	Command string
	// OwnAWS writes the stand-in for the AWS CLI also where the machine has one.
	OwnAWS bool
	// Path is where the machine's own programs are looked for, a list as in
	// $PATH. BinDir in it is skipped. Default: $PATH.
	Path string
	// Progress receives what happens, one call at a time. Default: discarded.
	Progress func(Event)
}

// State is how far a tool is.
type State string

// The states of a tool.
const (
	Waiting  State = "waiting"  // for another run that builds here
	Building State = "building" // compiling, or installing packages
	Built    State = "built"    // made in this run
	Current  State = "current"  // was there already
	System   State = "system"   // the machine has its own that will do
	Failed   State = "failed"   // the error of Ensure says why
)

// Event is one step of Ensure.
type Event struct {
	// Tool is what is being made, "kube-apiserver".
	Tool string
	// State is how far it is.
	State State
	// Detail is for people: the version, the path of the machine's own.
	Detail string
	// Took is how long it took so far.
	Took time.Duration
	// Done and Total count the tools.
	Done, Total int
}

// job is one thing to make.
type job struct {
	name string
	// heavy jobs compile: at most compilers() of them run at once.
	heavy bool
	// pin changes when the thing must be made anew.
	pin string
	// present says whether what was made is (still) there.
	present func() bool
	// make makes it.
	make func(ctx context.Context) error
	// detail is the version, for people.
	detail string
	// next is made afterwards, in the same place: it shares so much with this one
	// that both at once would compile that twice.
	next *job
}

// Ensure makes what is missing or whose pin has changed. It can be called
// again after any failure or kill.
func Ensure(ctx context.Context, options Options) error {
	o, err := options.complete()
	if err != nil {
		return err
	}
	if err := o.folders(); err != nil {
		return err
	}
	report := &reporter{progress: o.Progress}
	path := filepath.Join(o.BinDir, ".lock")
	lock, err := files.Lock(ctx, path, func() { report.send(Event{State: Waiting, Detail: "another run builds here"}) })
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("waiting for another run that builds tools (lock %s): %w", path, err)
	}
	if err != nil {
		return fmt.Errorf("the tools: %w", err)
	}
	defer func() { _ = lock.Close() }()
	jobs, err := o.jobs(ctx, report)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause // nothing is wrong with a program that was not let finish
	}
	if err != nil {
		return err
	}
	for i := range jobs {
		for j := &jobs[i]; j != nil; j = j.next {
			report.total++
		}
	}
	if err := o.runAll(ctx, jobs, report); err != nil {
		return err
	}
	return o.writeScripts(ctx)
}

// complete fills in the defaults.
func (o Options) complete() (Options, error) {
	if o.RepoRoot == "" || o.BinDir == "" {
		return o, errors.New("toolchain: RepoRoot and BinDir must be set")
	}
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	if o.Path == "" {
		o.Path = os.Getenv("PATH")
	}
	for _, path := range []*string{&o.RepoRoot, &o.BinDir, &o.EKSDir, &o.CRDDir, &o.Command} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return o, fmt.Errorf("toolchain: %w", err)
		}
		*path = absolute
	}
	if o.EKSDir == "" {
		o.EKSDir = filepath.Join(filepath.Dir(o.BinDir), "eks")
	}
	if o.CRDDir == "" {
		o.CRDDir = filepath.Join(filepath.Dir(o.BinDir), "crds")
	}
	return o, nil
}

func (o Options) folders() error {
	for _, dir := range []string{o.BinDir, o.marks(), filepath.Dir(o.EKSDir)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("the tools go to %s: %w: make it writable, or choose another folder with STRONGROOM_SANDBOX_DIR", o.BinDir, err)
		}
	}
	return nil
}

// runAll runs the jobs in order of their list, compilers() heavy ones and one
// other at the same time. The first failure stops the rest.
func (o Options) runAll(ctx context.Context, jobs []job, report *reporter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := map[bool]chan struct{}{true: make(chan struct{}, compilers()), false: make(chan struct{}, 1)}
	var running sync.WaitGroup
	// Started one after the other, so that the list's order decides.
	for _, j := range jobs {
		if err := take(ctx, slots[j.heavy]); err != nil {
			break
		}
		running.Go(func() {
			defer func() { <-slots[j.heavy] }()
			for j := &j; j != nil; j = j.next {
				if err := o.run(ctx, *j, report); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// take waits for a free place.
func take(ctx context.Context, slot chan struct{}) error {
	select {
	case slot <- struct{}{}:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run makes one thing unless it is there with the right pin.
func (o Options) run(ctx context.Context, j job, report *reporter) error {
	if o.mark(j.name) == j.pin && j.present() {
		report.done(Event{Tool: j.name, State: Current, Detail: j.detail})
		return nil
	}
	if err := o.unmark(j.name); err != nil {
		return err
	}
	begun := time.Now()
	report.send(Event{Tool: j.name, State: Building, Detail: j.detail})
	if err := j.make(ctx); err != nil {
		report.send(Event{Tool: j.name, State: Failed, Detail: j.detail, Took: time.Since(begun)})
		return err
	}
	if err := o.setMark(j.name, j.pin); err != nil {
		return err
	}
	report.done(Event{Tool: j.name, State: Built, Detail: j.detail, Took: time.Since(begun)})
	return nil
}

// reporter counts and passes events on, one at a time.
type reporter struct {
	mu       sync.Mutex
	progress func(Event)
	count    int
	total    int
}

func (r *reporter) send(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Done, e.Total = r.count, r.total
	r.progress(e)
}

func (r *reporter) done(e Event) {
	r.mu.Lock()
	r.count++
	r.mu.Unlock()
	r.send(e)
}
