package accountapi

import (
	"context"
	"sync"
)

// underway holds the changes that are being made.
type underway struct {
	mu         sync.Mutex
	operations map[*operation]struct{}
}

type operation struct {
	urn, token string
	cancel     context.CancelFunc
	done       chan struct{}
}

func newUnderway() *underway { return &underway{operations: map[*operation]struct{}{}} }

// begin notes a change for a resource. Its context also ends when the change is
// cancelled by its token. end must be called when the account has answered.
func (u *underway) begin(ctx context.Context, urn, token string) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	o := &operation{urn, token, cancel, make(chan struct{})}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.operations[o] = struct{}{}
	return ctx, func() {
		cancel()
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.operations, o)
		close(o.done)
	}
}

// cancel tells the change with this token to stop, and whether there is one.
func (u *underway) cancel(token string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for o := range u.operations {
		if o.token == token && token != "" {
			o.cancel()
			return true
		}
	}
	return false
}

// wait returns when no change for the resource is under way.
func (u *underway) wait(ctx context.Context, urn string) error {
	for {
		o := u.first(urn)
		if o == nil {
			return nil
		}
		select {
		case <-o.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (u *underway) first(urn string) *operation {
	u.mu.Lock()
	defer u.mu.Unlock()
	for o := range u.operations {
		if o.urn == urn {
			return o
		}
	}
	return nil
}
