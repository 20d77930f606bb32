// Package tls is the sandbox's provider for the Pulumi package "tls": private keys,
// certificate requests and certificates, made with crypto/x509. Nothing in it is
// simulated. Defaults, validation, replacement and renewal follow
// https://registry.terraform.io/providers/hashicorp/tls/latest/docs, which the official
// plugin wraps.
package tls

import (
	"context"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Version is the version of the official plugin that this provider stands for: the one
// the program's SDK asks for.
const Version = "5.1.0"

// Provider serves the package "tls".
type Provider struct {
	plugin.Base
	// now is the clock that validity and renewal are counted from.
	now func() time.Time
}

// New returns a provider ready to be served.
func New() *Provider {
	return &Provider{Base: plugin.Base{Name: "tls", Version: Version}, now: time.Now}
}

func (p *Provider) kind(urn string) (*kind, error) {
	token := plugin.TypeOf(urn)
	if k, ok := kinds[token]; ok {
		return k, nil
	}
	return nil, p.Unsupported("resource type", token)
}

// Check validates the inputs and returns them as they are: defaults belong to the outputs.
func (p *Provider) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	k, err := p.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	for name, input := range k.inputs {
		if v, ok := news[resource.PropertyKey(name)]; ok && input.secret && !v.IsNull() && !v.ContainsSecrets() {
			news[resource.PropertyKey(name)] = resource.MakeSecret(v)
		}
	}
	inputs, err := plugin.Marshal(news)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: inputs, Failures: k.check(news)}, nil
}

// Diff replaces on every changed input but earlyRenewalHours, and replaces a certificate
// whose time for renewal has come.
func (p *Provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	k, err := p.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	oldInputs, err := plugin.Unmarshal(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	diff := plugin.Diff(k.withDefaults(oldInputs), k.withDefaults(news), func(path resource.PropertyPath) bool {
		return path[0] != earlyRenewalHours
	})
	if !k.expires {
		return diff, nil
	}
	olds, err := plugin.Unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	state, _ := plugin.PlainMap(olds)
	desired, known := plugin.PlainMap(k.withDefaults(news))
	if !known && desired[earlyRenewalHours] == nil {
		return diff, nil
	}
	due, err := renewalDue(state["validityEndTime"], desired[earlyRenewalHours], p.now())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", plugin.NameOf(req.GetUrn()), err)
	}
	if due {
		diff.Changes = pulumirpc.DiffResponse_DIFF_SOME
		diff.Diffs = append(diff.Diffs, readyForRenewal)
		diff.Replaces = append(diff.Replaces, readyForRenewal)
		diff.DetailedDiff[readyForRenewal] = &pulumirpc.PropertyDiff{Kind: pulumirpc.PropertyDiff_UPDATE_REPLACE}
	}
	return diff, nil
}

// Create makes the key, request or certificate. In a preview everything computed is
// unknown, because every run draws other random bits.
func (p *Provider) Create(_ context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	k, err := p.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := plugin.Unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	inputs = k.withDefaults(inputs)
	if req.GetPreview() {
		for _, name := range k.computed {
			inputs[resource.PropertyKey(name)] = resource.MakeComputed(resource.NewProperty(""))
		}
		properties, err := plugin.Marshal(k.withSecrets(inputs))
		if err != nil {
			return nil, err
		}
		return &pulumirpc.CreateResponse{Properties: properties}, nil
	}
	plain, known := plugin.PlainMap(inputs)
	if !known {
		return nil, fmt.Errorf("%s: an input is unknown, which can only happen in a preview", plugin.NameOf(req.GetUrn()))
	}
	id, outputs, err := k.create(plain, p.now())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", plugin.NameOf(req.GetUrn()), err)
	}
	for name, v := range outputs {
		inputs[resource.PropertyKey(name)] = plugin.PropertyOf(v)
	}
	properties, err := plugin.Marshal(k.withSecrets(inputs))
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CreateResponse{Id: id, Properties: properties}, nil
}

// Read returns the state as it is, with readyForRenewal brought up to date: keys and
// certificates live nowhere else.
func (p *Provider) Read(_ context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	k, err := p.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	state, err := plugin.Unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	if len(state) == 0 {
		return nil, fmt.Errorf("%s: %s cannot be imported, because it exists only in the state that made it",
			plugin.NameOf(req.GetUrn()), plugin.TypeOf(req.GetUrn()))
	}
	if k.expires {
		plain, _ := plugin.PlainMap(state)
		due, err := renewalDue(plain["validityEndTime"], plain[earlyRenewalHours], p.now())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", plugin.NameOf(req.GetUrn()), err)
		}
		state[readyForRenewal] = resource.NewProperty(due)
	}
	properties, err := plugin.Marshal(state)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: properties, Inputs: req.GetInputs()}, nil
}

// Update is only reached for earlyRenewalHours, which is not part of the certificate.
func (p *Provider) Update(_ context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	k, err := p.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	state, err := plugin.Unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	for name, v := range k.withDefaults(news) {
		state[name] = v
	}
	if k.expires {
		// Diff would have asked for a replacement if it were due.
		state[readyForRenewal] = resource.NewProperty(false)
	}
	properties, err := plugin.Marshal(k.withSecrets(state))
	if err != nil {
		return nil, err
	}
	return &pulumirpc.UpdateResponse{Properties: properties}, nil
}

// Delete forgets the key or certificate. A certificate stays valid until it expires.
func (p *Provider) Delete(context.Context, *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Invoke serves getPublicKey, and getCertificate for a given content.
func (p *Provider) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	function, ok := functions[req.GetTok()]
	if !ok {
		return nil, p.Unsupported("function", req.GetTok())
	}
	args, err := plugin.Unmarshal(req.GetArgs())
	if err != nil {
		return nil, err
	}
	plain, _ := plugin.PlainMap(args)
	result, err := function(plain)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.GetTok(), err)
	}
	properties, err := plugin.Marshal(resource.NewPropertyMapFromMap(result))
	if err != nil {
		return nil, err
	}
	return &pulumirpc.InvokeResponse{Return: properties}, nil
}
