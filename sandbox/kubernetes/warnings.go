package kubernetes

import (
	"context"
	"strings"
	"sync"
)

// urnKey carries the URN of the resource that a request is made for.
type urnKey struct{}

func withURN(ctx context.Context, urn string) context.Context {
	return context.WithValue(ctx, urnKey{}, urn)
}

// warnings passes the API server's warnings on: a version that is deprecated, a field
// that does not exist. Each is shown once per resource and run, though a dry run and the
// apply after it both bring it.
type warnings struct {
	show func(ctx context.Context, urn, text string)
	// deprecations is off when they are suppressed.
	deprecations bool

	mu   sync.Mutex
	seen map[string]bool
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext. Only code 299
// is a warning for people: RFC 7234, section 5.5.
func (w *warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	urn, _ := ctx.Value(urnKey{}).(string)
	if code != 299 || text == "" || urn == "" || !w.deprecations && strings.Contains(text, "deprecated") {
		return
	}
	w.mu.Lock()
	known := w.seen[urn+text]
	w.seen[urn+text] = true
	w.mu.Unlock()
	if !known {
		w.show(ctx, urn, text)
	}
}
