package flux

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// observed are the kinds whose state is shown.
var observed = map[string]schema.GroupVersionResource{
	"GitRepository":  {Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"},
	"HelmRepository": {Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "helmrepositories"},
	"OCIRepository":  {Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "ocirepositories"},
	"HelmChart":      {Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "helmcharts"},
	"Kustomization":  {Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Resource: "kustomizations"},
	"HelmRelease":    {Group: "helm.toolkit.fluxcd.io", Version: "v2", Resource: "helmreleases"},
}

// Object is the state of one of Flux's objects.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Ready is what its condition says of its newest generation.
	Ready     bool `json:"ready"`
	Suspended bool `json:"suspended,omitempty"`
	// Reason says in one line how it is: the condition's reason and message.
	Reason string `json:"reason,omitempty"`
	// Revision is the last one that was fetched or applied.
	Revision string `json:"revision,omitempty"`
	// DependsOn are the objects of the same kind that come first, as
	// "namespace/name".
	DependsOn []string `json:"dependsOn,omitempty"`
	// Stub says that a release is of a stub chart.
	Stub bool `json:"stub,omitempty"`
	// Seen is when it was there, ReadyAt when it was ready for the first time
	// since Flux runs.
	Seen    time.Time `json:"seen"`
	ReadyAt time.Time `json:"readyAt,omitzero"`
}

// ID is "namespace/name".
func (o Object) ID() string { return o.Namespace + "/" + o.Name }

// observer keeps the state of Flux's objects in a cluster.
type observer struct {
	dynamic dynamic.Interface

	mu      sync.Mutex
	state   map[string]Object // by kind and ID
	cancel  context.CancelFunc
	watches sync.WaitGroup
}

func newObserver(client dynamic.Interface) *observer {
	return &observer{dynamic: client, state: map[string]Object{}}
}

// start begins to watch, with nothing known.
func (o *observer) start() {
	o.stop()
	ctx, cancel := context.WithCancel(context.Background())
	o.mu.Lock()
	o.cancel = cancel
	o.mu.Unlock()
	for kind, resource := range observed {
		o.watches.Go(func() { o.follow(ctx, kind, resource) })
	}
}

// stop ends the watches and forgets what was seen.
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

func (o *observer) close() { o.stop() }

// follow lists and watches one kind, again whenever the watch ends.
func (o *observer) follow(ctx context.Context, kind string, resource schema.GroupVersionResource) {
	const pause = 500 * time.Millisecond
	for {
		o.once(ctx, kind, resource)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (o *observer) once(ctx context.Context, kind string, resource schema.GroupVersionResource) {
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
	now := time.Now()
	seen := describe(kind, object)
	o.mu.Lock()
	defer o.mu.Unlock()
	former, known := o.state[key(kind, object)]
	seen.Seen, seen.ReadyAt = now, former.ReadyAt
	if known {
		seen.Seen = former.Seen
	}
	if seen.Ready && seen.ReadyAt.IsZero() {
		seen.ReadyAt = now
	}
	o.state[key(kind, object)] = seen
}

// describe reads an object.
func describe(kind string, object *unstructured.Unstructured) Object {
	ready := readyOf(object)
	d := Object{
		Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName(),
		Ready:  ready.status == "True" && ready.generation == object.GetGeneration(),
		Reason: oneLine(strings.TrimSpace(ready.reason + ": " + ready.message)),
	}
	switch {
	case ready.status == "" && kind == "HelmRepository":
		// One of type oci has no state of its own: https://fluxcd.io/flux/components/source/helmrepositories/#helm-oci-repository
		d.Ready, d.Reason = true, "of type oci"
	case ready.status == "":
		d.Reason = "was not looked at yet"
	case ready.generation != object.GetGeneration():
		d.Reason = "its change was not looked at yet"
	}
	d.Suspended, _, _ = unstructured.NestedBool(object.Object, "spec", "suspend")
	d.Revision = revision(object)
	before, _, _ := unstructured.NestedSlice(object.Object, "spec", "dependsOn")
	for _, entry := range before {
		reference, _ := entry.(map[string]any)
		name, _ := reference["name"].(string)
		namespace, _ := reference["namespace"].(string)
		d.DependsOn = append(d.DependsOn, cmp.Or(namespace, d.Namespace)+"/"+name)
	}
	d.Stub = kind == "HelmRelease"
	return d
}

// revision is what an object last took in, in the place where its kind has it.
func revision(object *unstructured.Unstructured) string {
	for _, path := range [][]string{
		{"status", "lastAppliedRevision"},
		{"status", "artifact", "revision"},
		{"status", "lastAttemptedRevision"},
	} {
		if text, found, _ := unstructured.NestedString(object.Object, path...); found {
			return text
		}
	}
	return ""
}

// objects in the order in which they became ready, those that did not last.
func (o *observer) objects() []Object {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.SortedFunc(maps.Values(o.state), func(a, b Object) int {
		if a.ReadyAt.IsZero() != b.ReadyAt.IsZero() {
			if a.ReadyAt.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(a.ReadyAt.Compare(b.ReadyAt), strings.Compare(a.Kind, b.Kind), strings.Compare(a.ID(), b.ID()))
	})
}

func key(kind string, object *unstructured.Unstructured) string {
	return kind + " " + object.GetNamespace() + "/" + object.GetName()
}

// state of a condition.
type state struct {
	status, reason, message string
	generation              int64
}

func readyOf(object *unstructured.Unstructured) state { return condition(object, "Ready") }

// condition finds a condition of an object, and the generation that it is of.
func condition(object *unstructured.Unstructured, kind string) state {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, entry := range conditions {
		c, _ := entry.(map[string]any)
		if c["type"] != kind {
			continue
		}
		s := state{}
		s.status, _ = c["status"].(string)
		s.reason, _ = c["reason"].(string)
		s.message, _ = c["message"].(string)
		s.generation, _ = c["observedGeneration"].(int64)
		return s
	}
	return state{}
}

// lineLimit is what fits into one line of a table.
const lineLimit = 240

// oneLine makes one line of a message.
func oneLine(message string) string {
	line := []rune(strings.Join(strings.Fields(message), " "))
	if len(line) > lineLimit {
		return string(line[:lineLimit-1]) + "…"
	}
	return string(line)
}
