package deploy

import (
	"context"
	"errors"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"

	"github.com/strongroom-platform/strongroom/stacks"
)

// Options of one run.
type Options struct {
	// Events receives what happens, in order, from one goroutine.
	Events func(Event)
	// Refresh reads the account before an up or a destroy, so that changes made
	// outside of Pulumi are seen.
	Refresh bool
	// Message is kept in the stack's history.
	Message string
	// Adopt gives the IDs of objects that a killed run created, by URN, where
	// the target cannot look them up.
	Adopt map[string]string
	// Forget names, by URN, creations of a killed run that did not happen.
	Forget []string
}

// Result of one run.
type Result struct {
	Stack string
	Phase Phase
	// Changes counts the resources by the engine's word for what was done, or,
	// in a preview, would be: create, update, delete, replace, same.
	Changes map[string]int
	// Steps are what was done, or planned, in the order in which it ended,
	// without the unchanged.
	Steps []Event
	// Outputs of the stack; of an up only.
	Outputs  Outputs
	Duration time.Duration
}

// Changed is the number of resources that were, or would be, altered.
func (r *Result) Changed() int {
	total := 0
	for op, count := range r.Changes {
		if op != "same" && op != "read" && op != "refresh" {
			total += count
		}
	}
	return total
}

// Up makes the account what the stack's program says. The stack is made first
// if it does not exist.
func (t *Target) Up(ctx context.Context, stack string, o Options) (*Result, error) {
	r, err := t.begin(ctx, stack, PhaseUp, o, true)
	if err != nil {
		return nil, err
	}
	opts := []optup.Option{optup.EventStreams(r.stream), optup.Color("never"), optup.SuppressProgress(), optup.SuppressOutputs()}
	if o.Refresh {
		opts = append(opts, optup.Refresh())
	}
	if o.Message != "" {
		opts = append(opts, optup.Message(o.Message))
	}
	_, err = r.auto.Up(ctx, opts...)
	result, err := r.end(ctx, err)
	if err == nil {
		result.Outputs, err = t.Outputs(ctx, stack)
	}
	return result, err
}

// Preview says what Up would do, and changes nothing. The stack is made first if
// it does not exist: the engine plans against a state, be it empty.
func (t *Target) Preview(ctx context.Context, stack string, o Options) (*Result, error) {
	r, err := t.begin(ctx, stack, PhasePreview, o, true)
	if err != nil {
		return nil, err
	}
	opts := []optpreview.Option{optpreview.EventStreams(r.stream), optpreview.Color("never"), optpreview.SuppressProgress()}
	if o.Refresh {
		opts = append(opts, optpreview.Refresh())
	}
	_, err = r.auto.Preview(ctx, opts...)
	return r.end(ctx, err)
}

// Refresh reads the account into the state, which shows what was changed outside
// of Pulumi. It changes nothing in the account.
func (t *Target) Refresh(ctx context.Context, stack string, o Options) (*Result, error) {
	r, err := t.begin(ctx, stack, PhaseRefresh, o, false)
	if err != nil {
		return nil, err
	}
	_, err = r.auto.Refresh(ctx, optrefresh.EventStreams(r.stream), optrefresh.Color("never"), optrefresh.SuppressProgress())
	return r.end(ctx, err)
}

// Destroy deletes everything in the stack and keeps the empty stack. Of a stack
// that does not exist it deletes nothing, without an error.
func (t *Target) Destroy(ctx context.Context, stack string, o Options) (*Result, error) {
	r, err := t.begin(ctx, stack, PhaseDestroy, o, false)
	if errors.Is(err, ErrNoStack) {
		return &Result{Stack: stack, Phase: PhaseDestroy, Changes: map[string]int{}}, nil
	}
	if err != nil {
		return nil, err
	}
	opts := []optdestroy.Option{optdestroy.EventStreams(r.stream), optdestroy.Color("never"), optdestroy.SuppressProgress()}
	if o.Refresh {
		opts = append(opts, optdestroy.Refresh())
	}
	_, err = r.auto.Destroy(ctx, opts...)
	return r.end(ctx, err)
}

// run is one operation of the engine on one stack.
type run struct {
	auto        *auto.Stack
	host        *stacks.Host
	result      *Result
	begun       time.Time
	stream      chan events.EngineEvent
	ended       chan struct{} // closed when the engine has ended
	drained     chan struct{} // closed when the last event was passed on
	events      func(Event)
	normal      *normalizer
	diagnostics []Event
}

// begin does what comes before the engine: the stack exists or is made, no
// killed run holds it, and nothing that such a run created is unaccounted for.
func (t *Target) begin(ctx context.Context, stack string, phase Phase, o Options, create bool) (*run, error) {
	begun := time.Now()
	emit := o.Events
	if emit == nil {
		emit = func(Event) {}
	}
	say := func(message string) {
		emit(newNormalizer(stack, phase, 0, time.Now).notice(message))
	}
	host, program := t.host(stack)
	fail := func(err error) (*run, error) {
		return nil, failure(ctx, stack, phase, nil, errors.Join(err, host.Close()))
	}

	s, err := t.open(ctx, stack, program)
	if err != nil {
		return fail(err)
	}
	held, err := t.state(ctx, stack, create)
	if err != nil {
		if errors.Is(err, ErrNoStack) {
			return nil, err
		}
		return fail(err)
	}
	if phase != PhasePreview {
		if err := t.clearLocks(ctx, stack, say); err != nil {
			return fail(err)
		}
		adopted, err := t.settle(ctx, stack, held, o, say)
		if err != nil {
			return fail(err)
		}
		if len(adopted) > 0 {
			if err := readAdopted(ctx, s, adopted); err != nil {
				return fail(err)
			}
		}
	}

	if err := t.reachVault(ctx, stack, phase, held, o, host, say); err != nil {
		return fail(err)
	}

	r := &run{
		auto:    s,
		host:    host,
		begun:   begun,
		result:  &Result{Stack: stack, Phase: phase, Changes: map[string]int{}},
		stream:  make(chan events.EngineEvent),
		ended:   make(chan struct{}),
		drained: make(chan struct{}),
		events:  emit,
		normal:  newNormalizer(stack, phase, len(held.resources()), time.Now),
	}
	emit(r.normal.event(KindStart))
	go r.drain()
	return r, nil
}

// state reads the stack's state, after making the stack where that is asked for.
func (t *Target) state(ctx context.Context, stack string, create bool) (*state, error) {
	s, err := t.export(ctx, stack)
	if !create || !errors.Is(err, ErrNoStack) {
		return s, err
	}
	if err := t.requireStackFile(stack); err != nil {
		return nil, err
	}
	if _, err := t.pulumi(ctx, nil, stack, "stack", "init", "--no-select"); err != nil {
		return nil, err
	}
	return t.export(ctx, stack)
}

// existing is the state of a stack, nil where there is no such stack.
func (t *Target) existing(ctx context.Context, stack string) (*state, error) {
	s, err := t.export(ctx, stack)
	if errors.Is(err, ErrNoStack) {
		return nil, nil
	}
	return s, err
}

// drain passes the engine's events on until there are no more. The engine closes
// the stream when it ended in order; ended covers the rest.
func (r *run) drain() {
	defer close(r.drained)
	for {
		select {
		case e, ok := <-r.stream:
			if !ok {
				return
			}
			// A broken stream shows in how the engine ended, which is reported.
			if e.Error == nil {
				if event, ok := r.normal.next(e.EngineEvent); ok {
					r.note(event)
				}
			}
		case <-r.ended:
			return
		}
	}
}

func (r *run) note(e Event) {
	switch {
	case e.Kind == KindSummary:
		// Where a refresh comes first there are two; the last is of the run.
		r.result.Changes = e.Changes
	case e.Kind == KindDiagnostic && e.Severity == "error":
		r.diagnostics = append(r.diagnostics, e)
	case e.Changing() && e.Status != StatusStarted:
		r.result.Steps = append(r.result.Steps, e)
	}
	r.events(e)
}

// end waits for the last event, closes the ways that the run had open, and judges it.
func (r *run) end(ctx context.Context, err error) (*Result, error) {
	close(r.ended)
	<-r.drained
	if closeErr := r.host.Close(); err == nil {
		err = closeErr
	}
	r.result.Duration = time.Since(r.begun)
	if err != nil {
		return r.result, failure(ctx, r.result.Stack, r.result.Phase, r.diagnostics, err)
	}
	return r.result, nil
}
