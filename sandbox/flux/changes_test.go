package flux

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
)

// Proves that a cluster in which nothing happens is not looked at again, and one in
// which something does is.
func TestChanges(t *testing.T) {
	deployments := appsv1.SchemeGroupVersion.WithResource("deployments")
	scheme := runtime.NewScheme()
	require.NoError(t, appsv1.AddToScheme(scheme))
	client := fake.NewSimpleDynamicClient(scheme)
	watches := make(chan *watch.FakeWatcher, 10)
	client.PrependWatchReactor("*", func(clienttesting.Action) (bool, watch.Interface, error) {
		w := watch.NewFake()
		watches <- w
		return true, w, nil
	})
	c := &changes{dynamic: client, kinds: []schema.GroupVersionResource{deployments}}
	c.start()
	defer c.stop()
	events := <-watches

	looks := 0
	look := func(waiting bool, err error) func() (bool, error) {
		return func() (bool, error) {
			looks++
			return waiting, err
		}
	}
	again := func() bool {
		before := looks
		require.NoError(t, c.do(look(false, nil)))
		return looks > before
	}
	require.True(t, again(), "what is there at the start")
	require.False(t, again(), "nothing happened")

	deployment := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "a", "namespace": "b"}}}
	for what, event := range map[string]func(){
		"made":    func() { events.Add(deployment) },
		"changed": func() { events.Modify(deployment) },
		"deleted": func() { events.Delete(deployment) },
	} {
		event()
		require.Eventually(t, again, time.Minute, time.Millisecond, what)
		require.False(t, again(), "after one that was %s", what)
	}

	events.Add(deployment)
	require.Eventually(t, c.happened.Load, time.Minute, time.Millisecond)
	failure := errors.New("no")
	require.ErrorIs(t, c.do(look(false, failure)), failure)
	require.NoError(t, c.do(look(true, nil)), "it failed: once more")
	require.True(t, again(), "it was waiting: once more")
	require.False(t, again())

	events.Stop()
	<-watches
	require.True(t, again(), "what was deleted before the next watch shows in no event")
	require.False(t, again())
}
