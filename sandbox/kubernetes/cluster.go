package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

const (
	// contactTimeout is how long one attempt to reach a cluster may take.
	contactTimeout = 15 * time.Second
	// contactAttempts bridge a control plane that is being restarted.
	contactAttempts = 4
	contactPause    = time.Second
	// pollInterval is how often an object is looked at while waiting for it. The
	// control planes are on the same machine.
	pollInterval = 100 * time.Millisecond

	// The official plugin's limits.
	defaultQPS   = 50
	defaultBurst = 120
)

// unreachableError says that the cluster does not answer.
type unreachableError struct{ reason error }

func (e *unreachableError) Error() string {
	return fmt.Sprintf("the Kubernetes cluster is unreachable: %v. If it was deleted, run again with "+
		"PULUMI_K8S_DELETE_UNREACHABLE=true to take its objects out of the state", e.reason)
}

func (e *unreachableError) Unwrap() error { return e.reason }

func isUnreachable(err error) bool {
	var unreachable *unreachableError
	return errors.As(err, &unreachable)
}

// cluster is a connection to an API server.
type cluster struct {
	config    *rest.Config
	objects   dynamic.Interface
	discovery discovery.CachedDiscoveryInterface
	mapper    *restmapper.DeferredDiscoveryRESTMapper
}

// connect makes a client, whose warnings are given to show, and asks the API server who it is. A server that answers, if
// only with a refusal, is reached.
func connect(ctx context.Context, s settings, show func(ctx context.Context, urn, text string)) (*cluster, error) {
	c, err := newCluster(s, show)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		err = c.ping(ctx)
		if err == nil || attempt == contactAttempts {
			return c, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(contactPause):
		}
	}
}

func newCluster(s settings, show func(ctx context.Context, urn, text string)) (*cluster, error) {
	kubeconfig, err := clientConfig(s)
	if err != nil {
		return nil, err
	}
	config, err := kubeconfig.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	config.QPS, config.Burst = defaultQPS, defaultBurst
	if s.client.QPS != nil {
		config.QPS = *s.client.QPS
	}
	if s.client.Burst != nil {
		config.Burst = *s.client.Burst
	}
	if s.client.Timeout != nil {
		config.Timeout = time.Duration(*s.client.Timeout) * time.Second
	}
	config.UserAgent = "strongroom-sandbox/" + Version
	config.WarningHandlerWithContext = &warnings{show: show, deprecations: !s.suppressDeprecationWarnings, seen: map[string]bool{}}

	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	cached := memory.NewMemCacheClient(client)
	return &cluster{
		config: config, objects: objects, discovery: cached,
		mapper: restmapper.NewDeferredDiscoveryRESTMapper(cached),
	}, nil
}

func (c *cluster) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, contactTimeout)
	defer cancel()
	err := c.discovery.RESTClient().Get().AbsPath("/version").Do(ctx).Error()
	var answered apierrors.APIStatus
	if errors.As(err, &answered) && !apierrors.IsServiceUnavailable(err) {
		return nil
	}
	return err
}

// mapping finds a kind in the API. A kind that the cluster does not know is asked for
// again before it is missing: another provider, or Flux, may have brought it since.
func (c *cluster) mapping(gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		c.forget()
		mapping, err = c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	}
	return mapping, err
}

// resource returns the API of an object's kind. A kind the cluster does not know is a
// NoMatch error.
func (c *cluster) resource(obj *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	mapping, err := c.mapping(obj.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.objects.Resource(mapping.Resource).Namespace(canonicalNamespace(obj.GetNamespace())), nil
	}
	return c.objects.Resource(mapping.Resource), nil
}

// namespaced reports the scope of a kind, and whether the cluster knows it.
func (c *cluster) namespaced(gvk schema.GroupVersionKind) (namespaced, known bool) {
	mapping, err := c.mapping(gvk)
	if err != nil {
		return false, false
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace, true
}

// forget drops what is known of the server's kinds.
func (c *cluster) forget() { c.mapper.Reset() }

// canonicalNamespace is "default" for an object that names none.
func canonicalNamespace(namespace string) string {
	if namespace == "" {
		return "default"
	}
	return namespace
}
