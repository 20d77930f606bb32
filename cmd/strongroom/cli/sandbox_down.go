package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/deploy"
)

// downSummary is the last line of JSON of `sandbox down`.
type downSummary struct {
	Time    time.Time   `json:"time"`
	Kind    string      `json:"kind"` // "result"
	OK      bool        `json:"ok"`
	Error   string      `json:"error,omitempty"`
	Dir     string      `json:"dir"`
	Stacks  []stackLine `json:"stacks"`
	Left    []leftover  `json:"left"`
	Seconds float64     `json:"seconds"`
}

func (a *app) sandboxDownCommand() *cobra.Command {
	var asJSON, discarded bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Destroy both stacks, prove the simulated account empty, stop everything",
		Long: `Destroy application and then tooling, prove that the simulated account is empty,
stop every process and prove that none is left, and remove the data. The tools,
which take minutes to build, and the logs are kept.

What is left in the account is listed, and then nothing is stopped or removed.
It works when nothing is up, and after a kill.`,
		Example: `  strongroom sandbox down

  # Throw everything away without destroying it, where that cannot succeed
  strongroom sandbox down --discard`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sandboxDown(cmd.Context(), asJSON, discarded) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per line: what happens, then a result; for machines")
	cmd.Flags().BoolVar(&discarded, "discard", false, "do not destroy the stacks: stop everything and remove the simulated account as it is")
	return cmd
}

func (a *app) sandboxDown(parent context.Context, asJSON, discarded bool) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	r := a.newReporter(asJSON)
	defer a.close(r)
	r.sandbox = true
	begun := a.now()
	s := &downSummary{Kind: "result", Stacks: []stackLine{}, Left: []leftover{}}
	err := a.takeDown(ctx, r, s, discarded)
	s.Time, s.OK, s.Seconds = a.now(), err == nil, round(a.now().Sub(begun))
	if err != nil {
		s.Error = err.Error()
	}
	if r.json != nil {
		r.encode(s)
		return errors.Join(err, r.broken)
	}
	return err
}

func (a *app) takeDown(ctx context.Context, r *reporter, s *downSummary, discarded bool) error {
	b, err := a.open("")
	if err != nil {
		return err
	}
	s.Dir = b.Folder()
	if _, err := os.Stat(b.Folder()); errors.Is(err, os.ErrNotExist) {
		r.say(fmt.Sprintf("there is no sandbox in %s", b.Folder()))
		return nil
	}
	unlock, err := b.Lock(ctx, waitingFor(r))
	if err != nil {
		return err
	}
	defer unlock()
	if !discarded && inUse(b) {
		if err := a.destroyAll(ctx, r, b, s); err != nil {
			return err
		}
	}
	r.phase("stopping the sandbox")
	if err := b.Remove(ctx, r.say); err != nil {
		return err
	}
	if discarded {
		r.say("the simulated account was thrown away as it was")
	}
	r.say(fmt.Sprintf("the sandbox is down: no process of it is left; the tools and logs in %s are kept", b.Folder()))
	return nil
}

// inUse reports whether there may be stacks: the sandbox has been started since
// it was last taken down.
func inUse(b box) bool {
	_, err := os.Stat(filepath.Join(b.Folder(), "state"))
	return err == nil
}

// destroyAll destroys every stack and proves that the account is empty.
func (a *app) destroyAll(ctx context.Context, r *reporter, b box, s *downSummary) error {
	if err := requireTools(b); err != nil {
		return fmt.Errorf("%w; or throw the simulated account away as it is: `strongroom sandbox down --discard`", err)
	}
	r.phase("starting the sandbox")
	if err := b.Start(ctx, r.say); err != nil {
		return err
	}
	// The copies of the configuration decide: the checkout may be gone.
	e, err := a.sandboxEngine(b, "")
	if err != nil {
		return err
	}
	var ordered []string
	if len(e.Configured()) > 0 {
		if ordered, err = e.Order(); err != nil {
			return err
		}
	}
	for _, stack := range deploy.Reversed(ordered) {
		result, err := a.runOne(ctx, r, e, deploy.PhaseDestroy, stack, deploy.Options{Events: r.event})
		if err != nil {
			return err
		}
		s.Stacks = append(s.Stacks, lineOf(result))
	}
	left, err := b.Left(ctx)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		s.Left = left
		return leftError(left)
	}
	r.say("the simulated account is empty: 0 objects")
	return nil
}

// leftError lists what should not be there any more.
func leftError(left []leftover) error {
	var b strings.Builder
	fmt.Fprintf(&b, "the stacks are destroyed, and the simulated account still holds %s:", plural(len(left), "object"))
	for _, o := range left {
		fmt.Fprintf(&b, "\n  %s %s", o.Type, o.ID)
		if o.URN != "" {
			fmt.Fprintf(&b, " (%s)", o.URN)
		}
	}
	b.WriteString("\nNothing was stopped, so that you can look (`strongroom sandbox env`). To throw them away: `strongroom sandbox down --discard`")
	return errors.New(b.String())
}
