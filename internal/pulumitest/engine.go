package pulumitest

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

const stackReferenceType = "pulumi:pulumi:StackReference"

// engine is the simulated resource monitor: it records registrations and
// answers with the outputs of the table.
type engine struct {
	pulumirpc.UnimplementedResourceMonitorServer
	opts Options

	mu        sync.Mutex
	resources []*Resource
	byURN     map[string]*Resource
	calls     []CallRecord
	logs      []string
	root      string
}

func newEngine(opts Options) *engine {
	return &engine{opts: opts, byURN: map[string]*Resource{}}
}

func (e *engine) finish() *Graph {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := &Graph{byURN: e.byURN, Calls: e.calls, Logs: e.logs, Outputs: resource.PropertyMap{}}
	for _, r := range e.resources {
		if r.Type == string(resource.RootStackType) {
			g.root = r.URN
			if r.Outputs != nil {
				g.Outputs = r.Outputs
			}
			continue
		}
		g.Resources = append(g.Resources, r)
	}
	return g
}

func (e *engine) SupportsFeature(
	_ context.Context, req *pulumirpc.SupportsFeatureRequest,
) (*pulumirpc.SupportsFeatureResponse, error) {
	switch req.GetId() {
	case "transforms", "invokeTransforms", "resourceHooks", "errorHooks", "parameterization":
		return &pulumirpc.SupportsFeatureResponse{HasSupport: false}, nil
	}
	return &pulumirpc.SupportsFeatureResponse{HasSupport: true}, nil
}

// newURN forms the URN as the engine does: the types of all parents but the
// stack, then the type itself.
func (e *engine) newURN(parent, typ, name string) string {
	var parentType tokens.Type
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		parentType = p.QualifiedType()
	}
	return string(resource.NewURN(
		tokens.QName(e.opts.Stack), tokens.PackageName(e.opts.Project), parentType, tokens.Type(typ), name))
}

// record adds r, refusing what the real engine refuses.
func (e *engine) record(r *Resource) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, twice := e.byURN[r.URN]; twice {
		return fmt.Errorf("duplicate resource URN %q: two resources of one type and parent have one name", r.URN)
	}
	if r.Parent != "" {
		if _, known := e.byURN[r.Parent]; !known {
			return fmt.Errorf("resource %q has the parent %q, which was not registered", r.URN, r.Parent)
		}
	}
	e.byURN[r.URN] = r
	if !r.implicit {
		e.resources = append(e.resources, r)
	}
	return nil
}

func (e *engine) RegisterResource(
	_ context.Context, req *pulumirpc.RegisterResourceRequest,
) (*pulumirpc.RegisterResourceResponse, error) {
	inputs, err := unmarshal(req.GetObject())
	if err != nil {
		return nil, fmt.Errorf("%s %q: reading the inputs: %w", req.GetType(), req.GetName(), err)
	}
	r := &Resource{
		Type:                    req.GetType(),
		Name:                    req.GetName(),
		URN:                     e.newURN(req.GetParent(), req.GetType(), req.GetName()),
		Parent:                  req.GetParent(),
		Custom:                  req.GetCustom(),
		Remote:                  req.GetRemote(),
		Inputs:                  inputs,
		Protect:                 req.GetProtect(),
		Provider:                req.GetProvider(),
		Providers:               req.GetProviders(),
		Version:                 req.GetVersion(),
		Dependencies:            req.GetDependencies(),
		PropertyDependencies:    map[string][]string{},
		DeleteBeforeReplace:     req.GetDeleteBeforeReplace(),
		IgnoreChanges:           req.GetIgnoreChanges(),
		ReplaceOnChanges:        req.GetReplaceOnChanges(),
		AdditionalSecretOutputs: req.GetAdditionalSecretOutputs(),
		RetainOnDelete:          req.GetRetainOnDelete(),
		DeletedWith:             req.GetDeletedWith(),
		ImportID:                req.GetImportId(),
	}
	if timeouts := req.GetCustomTimeouts(); timeouts != nil {
		r.CreateTimeout, r.UpdateTimeout, r.DeleteTimeout = timeouts.GetCreate(), timeouts.GetUpdate(), timeouts.GetDelete()
	}
	for property, deps := range req.GetPropertyDependencies() {
		r.PropertyDependencies[property] = deps.GetUrns()
	}
	if r.ReplacementTrigger, err = plainProto(req.GetReplacementTrigger()); err != nil {
		return nil, fmt.Errorf("%s %q: reading the replacement trigger: %w", r.Type, r.Name, err)
	}
	children, err := e.compute(r)
	if err != nil {
		return nil, err
	}
	if err := e.record(r); err != nil {
		return nil, err
	}
	answer := &pulumirpc.RegisterResourceResponse{
		Urn: r.URN, Id: r.ID, PropertyDependencies: map[string]*pulumirpc.RegisterResourceResponse_PropertyDependencies{},
	}
	for property, child := range children {
		if err := e.record(child); err != nil {
			return nil, err
		}
		// As the real engine answers: the output depends on what it refers to.
		answer.PropertyDependencies[property] = &pulumirpc.RegisterResourceResponse_PropertyDependencies{Urns: []string{child.URN}}
	}
	if answer.Object, err = marshal(r.State); err != nil {
		return nil, fmt.Errorf("%s %q: answering: %w", r.Type, r.Name, err)
	}
	return answer, nil
}

// compute sets the id and the state of r as its provider would, and returns the
// resources that a remote component made, by the output that refers to them.
func (e *engine) compute(r *Resource) (map[string]*Resource, error) {
	switch {
	case r.Type == string(resource.RootStackType):
		return nil, nil
	case strings.HasPrefix(r.Type, "pulumi:providers:"):
		r.ID = e.knownID("provider-" + r.Name)
		r.State = r.Inputs
		return nil, nil
	case !r.Custom && !r.Remote:
		// A component that runs in this program: the engine gives its inputs back.
		r.State = r.Inputs
		return nil, nil
	}
	typ, err := e.lookup(r.Type)
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", r.Type, r.Name, err)
	}
	args := TypeArgs{Name: r.Name, Inputs: plain(r.Inputs)}
	if r.Custom {
		r.ID = e.knownID(r.Name + "-id")
		if typ.ID != nil {
			r.ID = e.knownID(typ.ID(args))
		}
		args.ID = r.ID
	}
	r.State = resource.PropertyMap{}
	for key, value := range r.Inputs {
		r.State[key] = value
	}
	children := map[string]*Resource{}
	for property, childType := range typ.Children {
		child, err := e.implicitChild(r, property, childType, args)
		if err != nil {
			return nil, err
		}
		children[property] = child
		r.State[resource.PropertyKey(property)] = resource.MakeCustomResourceReference(
			resource.URN(child.URN), resource.ID(child.ID), "")
	}
	if typ.Outputs == nil || e.opts.Unknown {
		return children, nil
	}
	for key, value := range typ.Outputs(args) {
		// What the program set wins: a computed output is a default.
		if _, set := r.State[key]; !set {
			r.State[key] = value
		}
	}
	return children, nil
}

// implicitChild makes the resource that a remote component made for itself and
// refers to in its outputs. It is found by its URN but is no part of the graph,
// because the program under test did not register it.
func (e *engine) implicitChild(r *Resource, property, childType string, args TypeArgs) (*Resource, error) {
	typ, err := e.lookup(childType)
	if err != nil {
		return nil, fmt.Errorf("%s %q, output %q: %w", r.Type, r.Name, property, err)
	}
	child := &Resource{
		Type: childType, Name: r.Name + "-" + property, Parent: r.URN, Custom: true, implicit: true,
		Inputs: resource.PropertyMap{}, State: resource.PropertyMap{},
	}
	child.URN = e.newURN(r.URN, childType, child.Name)
	childArgs := TypeArgs{Name: child.Name, Inputs: args.Inputs}
	id := child.Name + "-id"
	if typ.ID != nil {
		id = typ.ID(childArgs)
	}
	child.ID = e.knownID(id)
	childArgs.ID = child.ID
	if typ.Outputs != nil && !e.opts.Unknown {
		child.State = typ.Outputs(childArgs)
	}
	return child, nil
}

func (e *engine) knownID(id string) string {
	if e.opts.Unknown {
		return ""
	}
	return id
}

func (e *engine) lookup(token string) (Type, error) {
	if typ, ok := e.opts.Types[token]; ok {
		return typ, nil
	}
	if typ, ok := types[token]; ok {
		return typ, nil
	}
	return Type{}, fmt.Errorf(
		"resource type %q is not in the table of internal/pulumitest/types.go: add it with every output that the provider computes",
		token)
}

func (e *engine) RegisterResourceOutputs(
	_ context.Context, req *pulumirpc.RegisterResourceOutputsRequest,
) (*emptypb.Empty, error) {
	outputs, err := unmarshal(req.GetOutputs())
	if err != nil {
		return nil, fmt.Errorf("outputs of %q: %w", req.GetUrn(), err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r, ok := e.byURN[req.GetUrn()]
	if !ok {
		return nil, fmt.Errorf("outputs registered for %q, which was not registered", req.GetUrn())
	}
	if r.outputsRegistered {
		return nil, fmt.Errorf("outputs registered twice for %q", req.GetUrn())
	}
	r.outputsRegistered = true
	r.Outputs = outputs
	return &emptypb.Empty{}, nil
}

func (e *engine) ReadResource(
	_ context.Context, req *pulumirpc.ReadResourceRequest,
) (*pulumirpc.ReadResourceResponse, error) {
	inputs, err := unmarshal(req.GetProperties())
	if err != nil {
		return nil, fmt.Errorf("%s %q: reading the properties: %w", req.GetType(), req.GetName(), err)
	}
	r := &Resource{
		Type:         req.GetType(),
		Name:         req.GetName(),
		URN:          e.newURN(req.GetParent(), req.GetType(), req.GetName()),
		Parent:       req.GetParent(),
		Custom:       true,
		Read:         true,
		ID:           req.GetId(),
		Inputs:       inputs,
		Provider:     req.GetProvider(),
		Dependencies: req.GetDependencies(),
	}
	if r.Type == stackReferenceType {
		outputs, ok := e.opts.StackOutputs[r.ID]
		if !ok {
			return nil, fmt.Errorf("unknown stack %q", r.ID)
		}
		r.State = resource.PropertyMap{
			"name":    resource.NewProperty(r.ID),
			"outputs": resource.NewProperty(outputs),
		}
	} else {
		if _, err := e.compute(r); err != nil {
			return nil, err
		}
		r.ID = req.GetId()
	}
	if err := e.record(r); err != nil {
		return nil, err
	}
	state, err := marshal(r.State)
	if err != nil {
		return nil, fmt.Errorf("%s %q: answering: %w", r.Type, r.Name, err)
	}
	return &pulumirpc.ReadResourceResponse{Urn: r.URN, Properties: state}, nil
}

func (e *engine) Invoke(
	_ context.Context, req *pulumirpc.ResourceInvokeRequest,
) (*pulumirpc.InvokeResponse, error) {
	args, err := unmarshal(req.GetArgs())
	if err != nil {
		return nil, fmt.Errorf("%s: reading the arguments: %w", req.GetTok(), err)
	}
	if req.GetTok() == "pulumi:pulumi:getResource" {
		return e.getResource(args["urn"].StringValue())
	}
	e.mu.Lock()
	e.calls = append(e.calls, CallRecord{Token: req.GetTok(), Args: args, Provider: req.GetProvider()})
	e.mu.Unlock()
	call, ok := e.opts.Calls[req.GetTok()]
	if !ok {
		call, ok = calls[req.GetTok()]
	}
	if !ok {
		return nil, fmt.Errorf("function %q is not in the table of internal/pulumitest/calls.go: add it", req.GetTok())
	}
	result, err := call(plain(args))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.GetTok(), err)
	}
	out, err := marshal(result)
	if err != nil {
		return nil, fmt.Errorf("%s: answering: %w", req.GetTok(), err)
	}
	return &pulumirpc.InvokeResponse{Return: out}, nil
}

func (e *engine) getResource(urn string) (*pulumirpc.InvokeResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, ok := e.byURN[urn]
	if !ok {
		return nil, fmt.Errorf("unknown resource %q", urn)
	}
	out, err := marshal(resource.PropertyMap{
		"urn":   resource.NewProperty(r.URN),
		"id":    resource.NewProperty(r.ID),
		"state": resource.NewProperty(r.State),
	})
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", urn, err)
	}
	return &pulumirpc.InvokeResponse{Return: out}, nil
}

func (e *engine) RegisterPackage(
	context.Context, *pulumirpc.RegisterPackageRequest,
) (*pulumirpc.RegisterPackageResponse, error) {
	return nil, fmt.Errorf("parameterized packages are not part of the simulated engine")
}

func (e *engine) SignalAndWaitForShutdown(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// engineLog is the other service of the engine: messages and the root resource.
type engineLog struct {
	pulumirpc.UnimplementedEngineServer
	e *engine
}

func (l *engineLog) Log(_ context.Context, req *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	l.e.logs = append(l.e.logs, strings.ToLower(req.GetSeverity().String())+": "+req.GetMessage())
	return &emptypb.Empty{}, nil
}

func (l *engineLog) GetRootResource(
	context.Context, *pulumirpc.GetRootResourceRequest,
) (*pulumirpc.GetRootResourceResponse, error) {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	return &pulumirpc.GetRootResourceResponse{Urn: l.e.root}, nil
}

func (l *engineLog) SetRootResource(
	_ context.Context, req *pulumirpc.SetRootResourceRequest,
) (*pulumirpc.SetRootResourceResponse, error) {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	l.e.root = req.GetUrn()
	return &pulumirpc.SetRootResourceResponse{}, nil
}

func unmarshal(s *structpb.Struct) (resource.PropertyMap, error) {
	props, err := plugin.UnmarshalProperties(s, plugin.MarshalOptions{
		KeepUnknowns: true, KeepSecrets: true, KeepResources: true, KeepOutputValues: true,
	})
	if err != nil {
		return nil, err
	}
	return withoutOutputValues(resource.NewProperty(props)).ObjectValue(), nil
}

// plainProto reads a single value in plain Go values; nil when there is none.
func plainProto(v *structpb.Value) (any, error) {
	if v == nil {
		return nil, nil
	}
	props, err := unmarshal(&structpb.Struct{Fields: map[string]*structpb.Value{"value": v}})
	if err != nil {
		return nil, err
	}
	return plain(props)["value"], nil
}

func marshal(props resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(props, plugin.MarshalOptions{
		KeepUnknowns: true, KeepSecrets: true, KeepResources: true,
	})
}

// withoutOutputValues turns the output values in which remote components get
// their inputs into the plain, secret or unknown values they stand for, so that
// tests read all resources alike.
func withoutOutputValues(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsOutput():
		o := v.OutputValue()
		if !o.Known {
			return resource.MakeComputed(resource.NewProperty(""))
		}
		element := withoutOutputValues(o.Element)
		if o.Secret {
			return resource.MakeSecret(element)
		}
		return element
	case v.IsSecret():
		return resource.MakeSecret(withoutOutputValues(v.SecretValue().Element))
	case v.IsArray():
		out := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			out[i] = withoutOutputValues(e)
		}
		return resource.NewProperty(out)
	case v.IsObject():
		out := resource.PropertyMap{}
		for k, e := range v.ObjectValue() {
			out[k] = withoutOutputValues(e)
		}
		return resource.NewProperty(out)
	}
	return v
}
