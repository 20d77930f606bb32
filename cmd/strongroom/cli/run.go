package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/deploy"
)

// runFlags are those of the commands that run the engine.
type runFlags struct {
	placeFlags
	yes, json, refresh, expectNone bool
	message                        string
	adopt, forget                  []string
}

// runLine is the JSON of the end of a command: the last line.
type runLine struct {
	Time    time.Time   `json:"time"`
	Kind    string      `json:"kind"` // "result"
	OK      bool        `json:"ok"`
	Error   string      `json:"error,omitempty"`
	Phase   string      `json:"phase"`
	Target  string      `json:"target,omitempty"`
	Sandbox bool        `json:"sandbox"`
	Stacks  []stackLine `json:"stacks"`
	Seconds float64     `json:"seconds"`
}

// stackLine is what a command did to one stack. Secret outputs are hidden.
type stackLine struct {
	Stack   string         `json:"stack"`
	Changes map[string]int `json:"changes"`
	Changed int            `json:"changed"`
	Seconds float64        `json:"seconds"`
	Outputs deploy.Outputs `json:"outputs,omitempty"`
}

func lineOf(result *deploy.Result) stackLine {
	return stackLine{
		Stack: result.Stack, Changes: result.Changes, Changed: result.Changed(),
		Seconds: round(result.Duration), Outputs: result.Outputs.Hidden(),
	}
}

func round(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

// runCommand completes a command that runs the engine on stacks.
func (a *app) runCommand(phase deploy.Phase, cmd *cobra.Command) *cobra.Command {
	var f runFlags
	a.addPlaceFlags(cmd, &f.placeFlags)
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object per line: the events, then a result; for machines")
	cmd.Flags().StringArrayVar(&f.adopt, "adopt", nil, "URN=ID of an object that a killed run created, to take it over (can be repeated)")
	cmd.Flags().StringArrayVar(&f.forget, "forget", nil, "URN of an object that a killed run did not create after all (can be repeated)")
	if phase != deploy.PhaseRefresh {
		cmd.Flags().BoolVar(&f.refresh, "refresh", false, "look first what was changed outside of Pulumi")
	}
	switch phase {
	case deploy.PhaseUp, deploy.PhaseDestroy:
		cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask; without a terminal, AWS is changed only with it")
	case deploy.PhasePreview:
		cmd.Flags().BoolVar(&f.expectNone, "expect-no-changes", false, "fail if anything would change")
	case deploy.PhaseRefresh:
	}
	if phase == deploy.PhaseUp {
		cmd.Flags().StringVarP(&f.message, "message", "m", "", "kept in the stack's history")
	}
	cmd.ValidArgsFunction = a.completeStacks
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		return a.runStacks(cmd.Context(), phase, names, f)
	}
	return cmd
}

// completeStacks offers the configured stacks to the shell.
func (a *app) completeStacks(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	dir, err := cmd.Flags().GetString("cwd")
	if err != nil || dir == "" {
		dir = "."
	}
	return (&deploy.Target{WorkDir: dir}).Configured(), cobra.ShellCompDirectiveNoFileComp
}

// options are what the flags say about a run.
func (f runFlags) options() (deploy.Options, error) {
	o := deploy.Options{Refresh: f.refresh, Message: f.message, Forget: f.forget, Adopt: map[string]string{}}
	for _, pair := range f.adopt {
		urn, id, found := strings.Cut(pair, "=")
		if !found || urn == "" || id == "" {
			return o, usagef("--adopt %q: expected URN=ID, such as 'urn:pulumi:tooling::strongroom::aws:ec2/vpc:Vpc::tooling-vpc=vpc-0a1b2c'", pair)
		}
		o.Adopt[urn] = id
	}
	return o, nil
}

// runStacks runs the engine on the named stacks, or on all, one after the other
// and in the order in which they depend on each other.
func (a *app) runStacks(parent context.Context, phase deploy.Phase, names []string, f runFlags) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	begun := a.now()
	r := a.newReporter(f.json)
	defer a.close(r)
	o.Events = r.event
	line := runLine{Kind: "result", Phase: string(phase), Sandbox: f.sandbox, Stacks: []stackLine{}}
	err = a.runAt(ctx, r, phase, names, f, o, &line)
	if r.json == nil {
		return err
	}
	line.Time, line.OK, line.Seconds = a.now(), err == nil, round(a.now().Sub(begun))
	if err != nil {
		line.Error = err.Error()
	}
	r.encode(line)
	return errors.Join(err, r.broken)
}

func (a *app) runAt(ctx context.Context, r *reporter, phase deploy.Phase, names []string, f runFlags, o deploy.Options, line *runLine) error {
	p, err := a.goTo(ctx, f.placeFlags, phase != deploy.PhasePreview, r)
	if err != nil {
		return err
	}
	defer p.leave()
	line.Target = p.what
	if phase == deploy.PhaseUp || phase == deploy.PhaseDestroy {
		if err := a.requireConsent(f, p); err != nil {
			return err
		}
	}
	ordered, err := order(p.engine, names)
	if err != nil {
		return err
	}
	if phase == deploy.PhaseDestroy {
		ordered = deploy.Reversed(ordered)
	}
	r.say(fmt.Sprintf("%s of %s on %s", phase, list(ordered), p.what))
	changed := 0
	for _, stack := range ordered {
		if err := a.consent(ctx, r, p, phase, stack, f, o); err != nil {
			return err
		}
		result, err := a.runOne(ctx, r, p.engine, phase, stack, o)
		if result != nil {
			line.Stacks = append(line.Stacks, lineOf(result))
			changed += result.Changed()
		}
		if err != nil {
			return err
		}
	}
	if f.expectNone && changed > 0 {
		return fmt.Errorf("expected no changes, and %s would be changed", plural(changed, "resource"))
	}
	return nil
}

// runOne runs one operation on one stack and sums it up.
func (a *app) runOne(ctx context.Context, r *reporter, e engine, phase deploy.Phase, stack string, o deploy.Options) (*deploy.Result, error) {
	run := map[deploy.Phase]func(context.Context, string, deploy.Options) (*deploy.Result, error){
		deploy.PhaseUp: e.Up, deploy.PhasePreview: e.Preview, deploy.PhaseRefresh: e.Refresh, deploy.PhaseDestroy: e.Destroy,
	}[phase]
	r.phase(string(phase) + " " + stack)
	result, err := run(ctx, stack, o)
	if err != nil {
		return result, err
	}
	if r.json == nil {
		r.say(fmt.Sprintf("%s: %s: %s in %s", stack, phase, changesOf(phase, result.Changes), clock(result.Duration)))
	}
	return result, nil
}

// consent shows what would happen to a stack on AWS and asks.
func (a *app) consent(ctx context.Context, r *reporter, p *place, phase deploy.Phase, stack string, f runFlags, o deploy.Options) error {
	if p.sandbox || f.yes {
		return nil
	}
	switch phase {
	case deploy.PhaseUp:
		planned, err := a.runOne(ctx, r, p.engine, deploy.PhasePreview, stack, o)
		if err != nil {
			return err
		}
		if planned.Changed() == 0 {
			return nil
		}
		r.phase("")
		return a.ask(ctx, fmt.Sprintf("Bring up stack %q on AWS as shown above? Type yes to go on:", stack), "yes")
	case deploy.PhaseDestroy:
		held, err := p.engine.Resources(ctx, stack)
		if err != nil {
			return err
		}
		if len(held) == 0 {
			return nil
		}
		r.phase("")
		return a.ask(ctx, fmt.Sprintf("This deletes the %s of stack %q on AWS. Type the stack's name to go on:", plural(len(held), "resource"), stack), stack)
	case deploy.PhasePreview, deploy.PhaseRefresh:
	}
	return nil
}
