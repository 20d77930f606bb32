package deploy

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// What can stand in the way of a run. Each is wrapped in an error that names the
// stack and says what to do.
var (
	// ErrNoEngine: the Pulumi CLI was not found.
	ErrNoEngine = errors.New("no Pulumi engine")
	// ErrLocked: another run holds the stack.
	ErrLocked = errors.New("the stack is locked")
	// ErrPassphrase: the passphrase is missing or not the stack's.
	ErrPassphrase = errors.New("the passphrase is wrong")
	// ErrNoStack: the stack was never brought up.
	ErrNoStack = errors.New("the stack does not exist")
	// ErrPending: a killed run left creations of which nobody knows whether they
	// happened, and there is no way to look them up.
	ErrPending = errors.New("creations of unknown outcome")
	// ErrProtected: a destroy, or a change that replaces, met a resource that is
	// protected.
	ErrProtected = errors.New("a resource is protected")
)

// Failure is the error of a run that the engine began and did not finish.
type Failure struct {
	Stack string
	Phase Phase
	// Diagnostics are the engine's errors, in the order in which they came.
	Diagnostics []Event
	// Cancelled: the run ended because its context was cancelled.
	Cancelled bool
	// Cause is the Automation API's error, or one of this package's.
	Cause error
}

func (f *Failure) Unwrap() error { return f.Cause }

// Error names the stack and gives the engine's own reasons, one per line.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of stack %q ", f.Phase, f.Stack)
	if f.Cancelled {
		b.WriteString("was cancelled; run it again to finish")
		return b.String()
	}
	b.WriteString("failed")
	var known *hint
	if errors.As(f.Cause, &known) {
		fmt.Fprintf(&b, ": %s", known)
	}
	if len(f.Diagnostics) == 0 && known == nil && f.Cause != nil {
		fmt.Fprintf(&b, ": %s", f.Cause)
	}
	for _, d := range f.Diagnostics {
		b.WriteString("\n  ")
		if d.Name != "" && d.Type != StackType {
			fmt.Fprintf(&b, "%s %q: ", d.Type, d.Name)
		}
		b.WriteString(strings.ReplaceAll(d.Message, "\n", "\n    "))
	}
	return b.String()
}

// hint is an error that this package knows a way out of.
type hint struct {
	kind   error
	advice string
}

func (h *hint) Error() string { return h.kind.Error() + ": " + h.advice }
func (h *hint) Unwrap() error { return h.kind }

// The engine reports these as text only.
var (
	noStack    = regexp.MustCompile(`no stack named .* found`)
	passphrase = regexp.MustCompile(`incorrect passphrase|passphrase must be set|unable to find either .PULUMI_CONFIG_PASSPHRASE`)
	locked     = regexp.MustCompile(`the stack is currently locked by|Another update is currently in progress`)
	replaced   = regexp.MustCompile(`unable to replace resource "[^"]*::([^":]+)"\s+as it is currently marked for protection`)
	protected  = regexp.MustCompile(`cannot be deleted\s+because it is protected|is protected`)
)

// explain recognises what the engine's output says and adds the way out.
func explain(stack, output string) *hint {
	switch {
	case passphrase.MatchString(output):
		return &hint{ErrPassphrase, fmt.Sprintf("set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the one that stack %q was made with", stack)}
	case locked.MatchString(output):
		return &hint{ErrLocked, fmt.Sprintf("wait for the other run to end; if there is none any more, run `pulumi cancel --stack %s`", stack)}
	case noStack.MatchString(output):
		return &hint{ErrNoStack, fmt.Sprintf("run `strongroom up %s` first", stack)}
	case replaced.MatchString(output):
		return &hint{ErrProtected, fmt.Sprintf("the change would replace %s, which a change of its settings cannot do without losing it: "+
			"undo the change in Pulumi.%s.yaml, or, where it is meant, set strongroom:protect to false there for that one `up`",
			replaced.FindStringSubmatch(output)[1], stack)}
	case protected.MatchString(output):
		return &hint{ErrProtected, fmt.Sprintf("set strongroom:protect to false in Pulumi.%s.yaml and run `strongroom up %s`, then destroy", stack, stack)}
	}
	return nil
}

// failure turns the Automation API's error into one that a person can use.
func failure(ctx context.Context, stack string, phase Phase, diagnostics []Event, err error) error {
	f := &Failure{Stack: stack, Phase: phase, Diagnostics: diagnostics, Cause: err, Cancelled: ctx.Err() != nil}
	text := err.Error()
	for _, d := range diagnostics {
		text += "\n" + d.Message
	}
	if h := explain(stack, text); h != nil {
		f.Cause = h
	}
	return f
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
