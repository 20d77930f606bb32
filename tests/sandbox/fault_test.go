package sandbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox/account"
)

// tick is how often a condition is looked at while a test waits for it.
const tick = 20 * time.Millisecond

// What goes wrong in the account: throttling is waited out, an error names the
// resource and is mended by the next run, a call that hangs can be interrupted.
func TestFaults(t *testing.T) {
	p := newPlace(t)
	p.run(networkOnly)
	const subnet = "aws:ec2/subnet:Subnet"
	fault := func(f account.Fault) { require.NoError(p, p.client.SetFault(p.ctx, f)) }
	clear := func() { require.NoError(p, p.client.ClearFaults(p.ctx)) }

	p.sub("throttled calls are made again", func() {
		fault(account.Fault{Op: account.OpCreate, Mode: account.Throttle, Count: 5})
		p.up("tooling")
		p.consistent("tooling")
		fault(account.Fault{Op: account.OpDelete, Mode: account.Throttle, Count: 5})
		p.destroy("tooling")
		p.empty()
	})
	p.sub("a failure names the resource, and the next run goes on", func() {
		fault(account.Fault{Type: subnet, Op: account.OpCreate, Mode: account.FailOnce})
		_, err := p.target.Up(p.ctx, "tooling", deploy.Options{})
		require.ErrorContains(p, err, subnet)
		require.ErrorContains(p, err, "InternalFailure")
		p.consistent("tooling")
		p.up("tooling")
		p.consistent("tooling")
	})
	p.sub("a failure that stays leaves the rest as it is", func() {
		fault(account.Fault{Type: subnet, Op: account.OpDelete, Mode: account.FailAlways})
		_, err := p.target.Destroy(p.ctx, "tooling", deploy.Options{})
		require.ErrorContains(p, err, subnet)
		p.consistent("tooling")
		clear()
		p.up("tooling")
		p.consistent("tooling")
	})
	p.sub("a call that hangs can be interrupted", func() {
		fault(account.Fault{Type: subnet, Op: account.OpDelete, Mode: account.Hang})
		ctx, cancel := context.WithCancel(p.ctx)
		defer cancel()
		_, err := p.target.Destroy(ctx, "tooling", deploy.Options{Events: func(e deploy.Event) {
			if e.Type == subnet && e.Status == deploy.StatusStarted {
				cancel()
			}
		}})
		require.ErrorContains(p, err, "cancelled")
		clear()
		p.consistent("tooling")
		p.destroy("tooling")
		p.empty()
	})
}
