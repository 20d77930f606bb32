package awsprovider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

const (
	// defaultTimeout holds where the program sets no customTimeouts. It is the official
	// provider's for most types; nothing in the sandbox takes as long.
	defaultTimeout = 20 * time.Minute
	// narrateEvery is how often the engine is told how long a change has been going on.
	narrateEvery = 5 * time.Second

	clusterType = "aws:eks/cluster:Cluster"
)

// change is one operation on a resource, or the call of a function.
type change struct {
	verb     string // "create"
	urn      string
	function string  // token of a function; there is no URN then
	timeout  float64 // in seconds; 0 means the default
	// inputs are those whose secrets must not show in a message.
	inputs []resource.PropertyMap
}

// String names the change for people.
func (c *change) String() string {
	if c.function != "" {
		return c.verb + " " + c.function
	}
	return fmt.Sprintf("%s %s %q", c.verb, plugin.TypeOf(c.urn), plugin.NameOf(c.urn))
}

// doing says what a change that takes long is waiting for.
func (c *change) doing() string {
	if plugin.TypeOf(c.urn) == clusterType {
		if doing, ok := map[string]string{
			"create": "control plane starting", "update": "control plane changing", "delete": "control plane stopping",
		}[c.verb]; ok {
			return doing
		}
	}
	return c.verb + " under way"
}

// do makes a change within its time limit, again where the account throttles it, and
// tells the engine what it waits for. Its error is fit to be shown.
func (p *Provider) do(ctx context.Context, c *change, call func(context.Context) error) error {
	running, done := p.Running(ctx)
	defer done()
	limit := defaultTimeout
	if c.timeout > 0 {
		limit = time.Duration(c.timeout * float64(time.Second))
	}
	running, stop := context.WithTimeoutCause(running, limit,
		fmt.Errorf("timed out after %s; give the resource customTimeouts if it needs longer", limit))
	defer stop()
	defer p.narrate(running, c)()
	if err := p.retry(running, c, call); err != nil {
		if running.Err() != nil && isContextError(err) {
			err = context.Cause(running)
		}
		return explain(c, err)
	}
	return nil
}

// retry calls until the account no longer throttles.
func (p *Provider) retry(ctx context.Context, c *change, call func(context.Context) error) error {
	for attempt := 0; ; attempt++ {
		err := call(ctx)
		var refusal *account.Error
		if !errors.As(err, &refusal) || !refusal.Retryable || attempt >= p.maxRetries {
			return err
		}
		p.Status(ctx, c.urn, fmt.Sprintf("simulated AWS account: %s, retry %d", refusal.Code, attempt+1))
		timer := time.NewTimer(p.backoff(attempt))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			// What it waited for says more than that it waited.
			return fmt.Errorf("%w; %w", err, context.Cause(ctx))
		}
	}
}

// narrate tells the engine how long a change has been going on, until it is stopped.
func (p *Provider) narrate(ctx context.Context, c *change) (stop func()) {
	ctx, stop = context.WithCancel(ctx)
	go func() {
		started := time.Now()
		timer := time.NewTimer(p.narrateAfter)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
				p.Status(ctx, c.urn, fmt.Sprintf("simulated: %s (%s)", c.doing(), time.Since(started).Round(time.Second)))
				timer.Reset(narrateEvery)
			}
		}
	}()
	return stop
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// explained is an error with the words for people in front of its cause.
type explained struct {
	text  string
	cause error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.cause }

// explain starts with AWS's error code, as people search for it, and says that this is
// not AWS.
func explain(c *change, err error) error {
	text := fmt.Sprintf("simulated AWS account: %s: %s", c, err)
	var refusal *account.Error
	if errors.As(err, &refusal) {
		text = fmt.Sprintf("%s (simulated AWS account: %s)", err, c)
	}
	return &explained{withoutSecrets(text, c.inputs...), err}
}
