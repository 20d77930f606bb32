// Package kubernetes is the sandbox's provider for the Pulumi package "kubernetes":
// objects by server-side apply through client-go, and helm/v4 charts rendered by the
// Helm SDK. It talks to real API servers; what is simulated is what would run behind
// them, so it does not wait for what needs nodes or load balancers, and says so.
//
// Names, defaults, replacement and waiting follow the official plugin,
// https://github.com/pulumi/pulumi-kubernetes, at Version.
package kubernetes

import (
	"context"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Version is the version of the official plugin that this provider stands for: the one
// the program's SDK asks for.
const Version = "4.24.1"

// Provider serves the package "kubernetes".
type Provider struct {
	plugin.Base

	mu       sync.Mutex
	settings settings
	// connected is the cluster once it was reached, unreached why it was not.
	connected *cluster
	unreached error
	// declared is the scope of the custom resources whose definitions this program
	// declares: in a preview the cluster does not know them yet.
	declared map[schema.GroupKind]bool
}

// quiet stops the client library from logging what it also returns: a plugin's stderr is
// shown to people.
var quiet = sync.OnceFunc(func() { klog.SetLogger(logr.Discard()) })

// New returns a provider ready to be served.
func New() *Provider {
	quiet()
	return &Provider{
		Base:     plugin.Base{Name: "kubernetes", Version: Version, SupportsAutonaming: true},
		declared: map[schema.GroupKind]bool{},
	}
}

// Configure keeps the settings. The cluster is contacted by the first call that needs it.
func (p *Provider) Configure(_ context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	config, err := plugin.Unmarshal(req.GetArgs())
	if err != nil {
		return nil, err
	}
	if failures := checkSettings(config); len(failures) > 0 {
		return nil, fmt.Errorf("provider %q: %s: %s", p.Name, failures[0].GetProperty(), failures[0].GetReason())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings = settingsOf(config)
	p.connected, p.unreached = nil, nil
	return p.Configured(), nil
}

// cluster returns the cluster the settings name, and connects to it on the first call.
// A cluster that cannot be reached is tried once per run: every object would otherwise
// wait for it again.
func (p *Provider) cluster(ctx context.Context) (*cluster, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.connected != nil || p.unreached != nil {
		return p.connected, p.unreached
	}
	c, err := connect(ctx, p.settings, p.warn)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		p.unreached = &unreachableError{reason: err}
		p.Log(ctx, plugin.Warning, "", p.unreached.Error()) // a preview goes on, with less to show
		return nil, p.unreached
	}
	p.connected = c
	return c, nil
}

// warn shows a warning of the API server.
func (p *Provider) warn(ctx context.Context, urn, text string) {
	p.Log(ctx, plugin.Warning, urn, "the API server warns: "+text)
}

// options returns the settings for a call that does not need the cluster.
func (p *Provider) options() settings {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settings
}

// label names a resource in errors: its type and its Pulumi name.
func label(urn string) string { return plugin.TypeOf(urn) + " " + plugin.NameOf(urn) }

// failed puts the resource's name before an error, and says "cancelled" instead of
// what the cancellation broke.
func failed(ctx context.Context, urn string, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("%s: %w", label(urn), err)
}

// marshalled is Marshal for a state that goes back to the engine.
func marshalled(state resource.PropertyMap) (*pulumirpc.CreateResponse, error) {
	properties, err := plugin.Marshal(state)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CreateResponse{Properties: properties}, nil
}
