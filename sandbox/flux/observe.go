package flux

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
)

// Object is the state of one of Flux's objects.
type Object = fluxstatus.Object

// observer keeps the state of Flux's objects in a cluster, and when each was ready
// for the first time, which no object tells of itself.
type observer struct {
	dynamic dynamic.Interface
	times   *times

	mu      sync.Mutex
	state   map[string]Object // by kind and ID
	cancel  context.CancelFunc
	watches sync.WaitGroup
}

func newObserver(client dynamic.Interface, file string) *observer {
	return &observer{dynamic: client, times: &times{file: file}, state: map[string]Object{}}
}

// start begins to watch. What was noted of an earlier life of the daemon still holds.
func (o *observer) start() error {
	o.stop()
	if err := o.times.load(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.mu.Lock()
	o.cancel = cancel
	o.mu.Unlock()
	for kind, resource := range fluxstatus.Kinds {
		o.watches.Go(func() {
			wait.UntilWithContext(ctx, func(ctx context.Context) { o.follow(ctx, kind, resource) }, interval)
		})
	}
	return nil
}

// stop ends the watches.
func (o *observer) stop() {
	o.mu.Lock()
	cancel := o.cancel
	o.cancel = nil
	o.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	o.watches.Wait()
	o.mu.Lock()
	o.state = map[string]Object{}
	o.mu.Unlock()
}

// forget is stop, and all that was noted goes too: Flux is gone from the cluster.
func (o *observer) forget() error {
	o.stop()
	return o.times.forget()
}

// follow lists and watches one kind until the watch ends.
func (o *observer) follow(ctx context.Context, kind string, resource schema.GroupVersionResource) {
	list, err := o.dynamic.Resource(resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return // the kind is not served yet, or no more
	}
	there := map[string]bool{}
	for i := range list.Items {
		there[key(kind, &list.Items[i])] = true
		o.see(kind, &list.Items[i])
	}
	o.mu.Lock()
	maps.DeleteFunc(o.state, func(k string, v Object) bool { return v.Kind == kind && !there[k] })
	o.mu.Unlock()
	events, err := o.dynamic.Resource(resource).Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		return
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		object, ok := event.Object.(*unstructured.Unstructured)
		if !ok || event.Type == watch.Error {
			return
		}
		if event.Type == watch.Deleted {
			o.mu.Lock()
			delete(o.state, key(kind, object))
			o.mu.Unlock()
			continue
		}
		o.see(kind, object)
	}
}

// see takes one state of an object in.
func (o *observer) see(kind string, object *unstructured.Unstructured) {
	seen := fluxstatus.Describe(kind, object)
	if kind == fluxstatus.HelmRelease {
		seen.Chart, seen.Stub = chartOf(object)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	seen.Seen, seen.ReadyAt = o.times.note(string(object.GetUID()), seen.Ready)
	o.state[key(kind, object)] = seen
}

// objects in the order in which they became ready, those that did not last.
func (o *observer) objects() []Object {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := slices.Collect(maps.Values(o.state))
	fluxstatus.Sort(all)
	return all
}

func key(kind string, object *unstructured.Unstructured) string {
	return kind + " " + object.GetNamespace() + "/" + object.GetName()
}

// chartOf is the chart that a release has installed last, and whether that is a stub,
// as the release itself tells it.
func chartOf(release *unstructured.Unstructured) (chart string, stub bool) {
	history, _, _ := unstructured.NestedSlice(release.Object, "status", "history")
	if len(history) == 0 {
		return "", false
	}
	last, _ := history[0].(map[string]any)
	name, _ := last["chartName"].(string)
	version, _ := last["chartVersion"].(string)
	// The helm controller adds the digest of an OCI artifact.
	version, _, _ = strings.Cut(version, "+")
	return name + " " + version, last["appVersion"] == charts.StubAppVersion
}
