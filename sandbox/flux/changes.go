package flux

import (
	"context"
	"sync"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
)

// simulated are the kinds in which a step looks for something to do.
var simulated = []schema.GroupVersionResource{
	{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"},
	{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"},
	{Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "apps", Version: "v1", Resource: "statefulsets"},
	{Group: "apps", Version: "v1", Resource: "daemonsets"},
	{Group: "batch", Version: "v1", Resource: "jobs"},
}

// changes tells whether anything in the cluster was changed that a step looks at. Most
// of the time nothing was, and an API server that is asked for everything twice a
// second takes a tenth of a core for it.
type changes struct {
	dynamic   dynamic.Interface
	kinds     []schema.GroupVersionResource
	namespace string // empty: all of them

	happened atomic.Bool
	cancel   context.CancelFunc
	watches  sync.WaitGroup
}

// start begins to watch. What is there already counts as changed.
func (c *changes) start() {
	c.stop()
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(context.Background())
	c.happened.Store(true)
	for _, kind := range c.kinds {
		c.watches.Go(func() {
			wait.UntilWithContext(ctx, func(ctx context.Context) { c.follow(ctx, kind) }, interval)
		})
	}
}

func (c *changes) stop() {
	if c.cancel != nil {
		c.cancel()
		c.watches.Wait()
	}
	c.cancel = nil
}

// follow watches one kind until the watch ends.
func (c *changes) follow(ctx context.Context, kind schema.GroupVersionResource) {
	// What is deleted before the next watch shows in no event.
	defer c.happened.Store(true)
	// Without a version, a watch begins with all that is there: nothing is missed
	// between two of them.
	events, err := c.dynamic.Resource(kind).Namespace(c.namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	defer events.Stop()
	defer context.AfterFunc(ctx, events.Stop)()
	for range events.ResultChan() {
		c.happened.Store(true)
	}
}

// do looks at what was changed since the last time: once, and again until it succeeds
// and says that nothing is left to wait for.
func (c *changes) do(look func() (waiting bool, err error)) error {
	if !c.happened.Swap(false) {
		return nil
	}
	waiting, err := look()
	if waiting || err != nil {
		c.happened.Store(true)
	}
	return err
}
