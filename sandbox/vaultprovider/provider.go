// Package vaultprovider is the sandbox's provider for the Pulumi package "vault". It
// speaks to a real Vault over Vault's own API client; nothing in it is simulated.
//
// Defaults, replacement and what is written follow terraform-provider-vault 4.8, which
// the official plugin 6.7 wraps, for the resource types and properties that strongroom
// uses. Any other type or property is refused by name.
package vaultprovider

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/vault/api"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Version is the version of the official plugin that this provider stands for: the one
// the program's SDK asks for.
const Version = "6.7.4"

// Provider serves the package "vault" for one Vault.
type Provider struct {
	plugin.Base

	mu     sync.Mutex
	config settings
	client *api.Client
}

// New returns a provider ready to be served.
func New() *Provider {
	return &Provider{Base: plugin.Base{Name: "vault", Version: Version}}
}

// Configure keeps the settings. Vault is first spoken to when a resource needs it, so
// that a preview, and a destroy of what goes with its Vault, contact nothing.
func (p *Provider) Configure(_ context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	args, err := plugin.Unmarshal(req.GetArgs())
	if err != nil {
		return nil, err
	}
	config, err := readSettings(args)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.config, p.client = config, nil
	return p.Configured(), nil
}

// vault returns the client, which is logged in.
func (p *Provider) vault(ctx context.Context) (*api.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client != nil {
		return p.client, nil
	}
	client, err := p.config.connect(ctx)
	if err != nil {
		return nil, err
	}
	p.client = client
	return client, nil
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
	for name, f := range k.fields {
		key := resource.PropertyKey(name)
		if v, ok := news[key]; ok && f.secret && !v.IsNull() && !v.ContainsSecrets() {
			news[key] = resource.MakeSecret(v)
		}
	}
	inputs, err := plugin.Marshal(news)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: inputs, Failures: k.check(news)}, nil
}

// Diff compares the inputs with defaults filled in.
func (p *Provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	k, err := p.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	olds, err := plugin.Unmarshal(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	olds, news = k.normal(olds), k.normal(news)
	diff := plugin.Diff(olds, news, func(path resource.PropertyPath) bool {
		name, _ := path[0].(string)
		return k.fields[name].replaces
	})
	if len(diff.Replaces) > 0 {
		// What has the same path in Vault cannot be there twice: the new one would be
		// written over the old one, and then deleted as the old one.
		plain, known := plugin.PlainMap(news)
		diff.DeleteBeforeReplace = !known || k.id(plain) == req.GetId()
	}
	return diff, nil
}

// Create writes the object and reads what Vault made of it.
func (p *Provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	k, inputs, err := p.desired(req.GetUrn(), req.GetProperties())
	if err != nil {
		return nil, err
	}
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
	ctx, done := p.Running(ctx)
	defer done()
	plain, known := plugin.PlainMap(inputs)
	if !known {
		return nil, fmt.Errorf("%s: an input is unknown, which can only happen in a preview", plugin.NameOf(req.GetUrn()))
	}
	client, err := p.vault(ctx)
	if err != nil {
		return nil, named(req.GetUrn(), err)
	}
	if err := k.create(ctx, client, plain); err != nil {
		if err = k.takeOver(ctx, client, plain, err); err != nil {
			return nil, named(req.GetUrn(), err)
		}
	}
	id := k.id(plain)
	properties, err := p.outputs(ctx, client, k, plain, inputs)
	if err != nil {
		return nil, named(req.GetUrn(), err)
	}
	return &pulumirpc.CreateResponse{Id: id, Properties: properties}, nil
}

// Update writes the object again.
func (p *Provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	k, inputs, err := p.desired(req.GetUrn(), req.GetNews())
	if err != nil {
		return nil, err
	}
	state, err := plugin.Unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	if req.GetPreview() {
		for _, name := range k.computed {
			inputs[resource.PropertyKey(name)] = state[resource.PropertyKey(name)]
		}
		properties, err := plugin.Marshal(k.withSecrets(inputs))
		if err != nil {
			return nil, err
		}
		return &pulumirpc.UpdateResponse{Properties: properties}, nil
	}
	ctx, done := p.Running(ctx)
	defer done()
	plain, known := plugin.PlainMap(inputs)
	if !known {
		return nil, fmt.Errorf("%s: an input is unknown, which can only happen in a preview", plugin.NameOf(req.GetUrn()))
	}
	olds, _ := plugin.PlainMap(k.normal(state))
	client, err := p.vault(ctx)
	if err != nil {
		return nil, named(req.GetUrn(), err)
	}
	if err := k.update(ctx, client, olds, plain); err != nil {
		return nil, named(req.GetUrn(), err)
	}
	properties, err := p.outputs(ctx, client, k, plain, inputs)
	if err != nil {
		return nil, named(req.GetUrn(), err)
	}
	return &pulumirpc.UpdateResponse{Properties: properties}, nil
}

// Read brings the state up to date, so that what another hand changed in Vault is a
// difference. Secrets, which Vault never tells, stay as they are.
func (p *Provider) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	k, err := p.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := plugin.Unmarshal(req.GetInputs())
	if err != nil {
		return nil, err
	}
	if len(inputs) == 0 {
		return nil, fmt.Errorf("%s: the sandbox cannot import a %s: declare it, and it is written as declared",
			plugin.NameOf(req.GetUrn()), plugin.TypeOf(req.GetUrn()))
	}
	ctx, done := p.Running(ctx)
	defer done()
	client, err := p.vault(ctx)
	if err != nil {
		return nil, named(req.GetUrn(), err)
	}
	complete := k.normal(inputs)
	plain, _ := plugin.PlainMap(complete)
	found, err := k.read(ctx, client, plain)
	if err != nil {
		return nil, named(req.GetUrn(), err)
	}
	if found == nil {
		return &pulumirpc.ReadResponse{}, nil
	}
	for name, f := range k.fields {
		key := resource.PropertyKey(name)
		value, told := found[name]
		if !told || f.secret {
			continue
		}
		now := resource.NewPropertyValue(value)
		// An input that was left out, and that Vault has as left out, stays so.
		if old, given := complete[key]; !given && (f.vaultDecides || f.zero(value)) || given && f.same(old, now) {
			continue
		}
		inputs[key], complete[key] = now, now
	}
	for _, name := range k.computed {
		complete[resource.PropertyKey(name)] = resource.NewPropertyValue(found[name])
	}
	properties, err := plugin.Marshal(k.withSecrets(complete))
	if err != nil {
		return nil, err
	}
	inputStruct, err := plugin.Marshal(inputs)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: properties, Inputs: inputStruct}, nil
}

// Delete removes the object. One that is gone already is as good.
func (p *Provider) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	k, err := p.kind(req.GetUrn())
	if err != nil {
		return nil, err
	}
	if k.remove == nil {
		return &emptypb.Empty{}, nil
	}
	state, err := plugin.Unmarshal(req.GetProperties())
	if err != nil {
		return nil, err
	}
	ctx, done := p.Running(ctx)
	defer done()
	client, err := p.vault(ctx)
	if err != nil {
		return nil, named(req.GetUrn(), err)
	}
	plain, _ := plugin.PlainMap(state)
	if err := k.remove(ctx, client, plain); err != nil && !gone(err) {
		return nil, named(req.GetUrn(), err)
	}
	return &emptypb.Empty{}, nil
}

// desired returns the kind of a resource and its inputs with defaults.
func (p *Provider) desired(urn string, properties *structpb.Struct) (*kind, resource.PropertyMap, error) {
	k, err := p.kind(urn)
	if err != nil {
		return nil, nil, err
	}
	inputs, err := plugin.Unmarshal(properties)
	if err != nil {
		return nil, nil, err
	}
	return k, k.normal(inputs), nil
}

// outputs are the inputs and what Vault computed.
func (p *Provider) outputs(ctx context.Context, client *api.Client, k *kind, plain map[string]any, inputs resource.PropertyMap) (*structpb.Struct, error) {
	if len(k.computed) > 0 {
		found, err := k.read(ctx, client, plain)
		if err != nil {
			return nil, err
		}
		if found == nil {
			return nil, fmt.Errorf("%s was written and is not there", k.id(plain))
		}
		for _, name := range k.computed {
			inputs[resource.PropertyKey(name)] = resource.NewPropertyValue(found[name])
		}
	}
	return plugin.Marshal(k.withSecrets(inputs))
}

func named(urn string, err error) error { return fmt.Errorf("%s: %w", plugin.NameOf(urn), err) }
