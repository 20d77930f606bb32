package cli

import (
	"context"
	"fmt"
	"os"
)

// interruptible returns a context that the first ^C cancels: what is under way
// is finished in order. The second makes the engine stop at once, the third
// ends this process. Stop gives the signals back.
func (a *app) interruptible(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 3)
	unsubscribe := a.notify(signals)
	done := make(chan struct{})
	go func() {
		for count := 1; ; count++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			switch count {
			case 1:
				a.interrupted.Store(true)
				a.tell("interrupted: letting what is under way finish; ^C again stops at once")
				cancel()
			case 2:
				a.tell("stopping at once; the next run looks for what was under way")
				close(a.abort)
			default:
				a.exit(exitInterrupted)
				return
			}
		}
	}()
	return ctx, func() {
		unsubscribe()
		close(done)
		cancel()
	}
}

// tell says something to the person, between the lines of progress where there
// are any, and on standard error otherwise.
func (a *app) tell(message string) {
	a.mu.Lock()
	say := a.say
	a.mu.Unlock()
	if say == nil {
		// Nothing is left to do where even this cannot be written.
		_, _ = fmt.Fprintln(a.err, message)
		return
	}
	say(message)
}

// route sends what tell says elsewhere; nil: to standard error.
func (a *app) route(say func(string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.say = say
}
