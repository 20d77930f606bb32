// Package awsprovider is the sandbox's provider for the Pulumi package "aws". It stands
// between the engine and the simulated AWS account of package account, which it reaches
// through package accountapi. Nothing in it talks to AWS.
//
// What a resource may be given, what can change in place and what refers to what is the
// account's business. The provider follows the official one where the engine can see it:
// unknown values, secrets, previews, drift, timeouts and the retry of throttled calls.
package awsprovider

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/accountapi"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Version is the version of the official plugin that this provider stands for: the one
// the program's SDK and the EKS component ask for.
const Version = "6.83.2"

// Provider serves the package "aws" in one region.
type Provider struct {
	plugin.Base
	connect func() (*accountapi.Client, error)
	// backoff is the pause before a throttled call is made again, counted from 0.
	backoff func(attempt int) time.Duration
	// narrateAfter is how long a change may take before the engine is told what it waits for.
	narrateAfter time.Duration

	// Set once by Configure, before any resource is worked on.
	client     *accountapi.Client
	region     string
	maxRetries int
}

// New returns a provider that reaches the account through connect, which is called when
// the engine configures the provider.
func New(connect func() (*accountapi.Client, error)) *Provider {
	return &Provider{
		Base:         plugin.Base{Name: "aws", Version: Version},
		connect:      connect,
		backoff:      pause,
		narrateAfter: time.Second,
		maxRetries:   defaultMaxRetries,
	}
}

// Serve serves the provider of the sandbox in dir until the engine is done with it. args
// are the arguments that the engine gave the plugin.
func Serve(ctx context.Context, args []string, stdout io.Writer, dir string) error {
	return plugin.Serve(ctx, args, stdout, New(func() (*accountapi.Client, error) {
		return accountapi.Open(filepath.Join(dir, accountapi.ConnectionFile))
	}))
}

func (p *Provider) typeOf(urn string) (*account.Type, error) {
	t, err := account.Lookup(plugin.TypeOf(urn))
	if err != nil {
		return nil, status.Error(codes.Unimplemented, err.Error())
	}
	return t, nil
}

// account returns the client, once the provider is configured.
func (p *Provider) account() (*accountapi.Client, error) {
	if p.client == nil {
		return nil, errors.New("the provider of the simulated AWS account is not configured: give it a region")
	}
	return p.client, nil
}

const (
	// The AWS SDK's standard retryer, with which the official provider waits: exponential
	// backoff with full jitter up to 20 s. It starts lower here, because a throttled
	// account on loopback is one with an injected fault.
	firstPause = 100 * time.Millisecond
	maxPause   = 20 * time.Second
)

func pause(attempt int) time.Duration {
	limit := maxPause
	if attempt < 8 {
		limit = min(maxPause, firstPause<<attempt)
	}
	return rand.N(limit) + 1
}

var _ pulumirpc.ResourceProviderServer = (*Provider)(nil)
