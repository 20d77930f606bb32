package plugin

import (
	"context"
	"fmt"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Base answers the parts of the protocol that are the same for every provider and
// refuses the rest with codes.Unimplemented and the name of what was asked.
type Base struct {
	pulumirpc.UnimplementedResourceProviderServer

	// Name is the Pulumi package, for example "tls".
	Name string
	// Version is the version of the official plugin whose resources are served, without
	// a leading "v". The engine compares it with the version the program's SDK asks for.
	Version string
	// SupportsAutonaming tells the engine that Check honours CheckRequest.Autonaming.
	SupportsAutonaming bool
	// OnCancel runs once when the engine cancels the operation, after the calls that
	// are running were told to stop. Optional.
	OnCancel func()

	mu        sync.Mutex
	engine    *grpc.ClientConn
	watch     func(*grpc.ClientConn)
	cancelled chan struct{}

	cancelOnce sync.Once
}

func (b *Base) base() *Base { return b }

func (b *Base) onEngine(watch func(*grpc.ClientConn)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watch = watch
}

func (b *Base) connect(address string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.engine != nil && b.engine.Target() == address {
		return nil
	}
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes), grpc.MaxCallSendMsgSize(maxMessageBytes)))
	if err != nil {
		return fmt.Errorf("provider %q cannot reach the engine at %q: %w", b.Name, address, err)
	}
	if b.engine != nil {
		if err := b.engine.Close(); err != nil {
			return fmt.Errorf("provider %q cannot leave the engine at %q: %w", b.Name, b.engine.Target(), err)
		}
	}
	b.engine = conn
	if b.watch != nil {
		b.watch(conn)
	}
	return nil
}

func (b *Base) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.engine != nil {
		_ = b.engine.Close() // the process ends, there is nobody left to tell
	}
}

// Engine is the connection to the engine, nil when none was made (a provider called
// directly by a test).
func (b *Base) Engine() *grpc.ClientConn {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.engine
}

// Running returns a context that also ends when the engine cancels the operation or the
// plugin stops. Every call that waits for something uses it.
func (b *Base) Running(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := b.stopped()
	go func() {
		select {
		case <-stop:
			cancel(fmt.Errorf("provider %q: the operation was cancelled", b.Name))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

func (b *Base) stopped() chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cancelled == nil {
		b.cancelled = make(chan struct{})
	}
	return b.cancelled
}

func (b *Base) cancelCalls() {
	stop := b.stopped()
	b.cancelOnce.Do(func() {
		close(stop)
		if b.OnCancel != nil {
			b.OnCancel()
		}
	})
}

// Handshake keeps the engine's address and says what this provider accepts: secrets as
// secrets, resource references as plain ids, outputs as plain values.
func (b *Base) Handshake(_ context.Context, req *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	if req.GetEngineAddress() != "" {
		if err := b.connect(req.GetEngineAddress()); err != nil {
			return nil, err
		}
	}
	return &pulumirpc.ProviderHandshakeResponse{
		AcceptSecrets:                   true,
		SupportsAutonamingConfiguration: b.SupportsAutonaming,
	}, nil
}

// Attach keeps the address of an engine that attaches to a provider that already runs.
func (b *Base) Attach(_ context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	if err := b.connect(req.GetAddress()); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// GetPluginInfo returns the version.
func (b *Base) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: b.Version}, nil
}

// GetSchema returns a schema with the package's name and version only: the sandbox's
// programs use compiled SDKs, which carry the types.
func (b *Base) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: fmt.Sprintf(`{"name":%q,"version":%q}`, b.Name, b.Version)}, nil
}

// Cancel tells running calls to stop.
func (b *Base) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	b.cancelCalls()
	return &emptypb.Empty{}, nil
}

// CheckConfig accepts every configuration as it is.
func (b *Base) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

// DiffConfig reports changed configuration as an update of the provider, which never
// replaces the resources it manages.
func (b *Base) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := Unmarshal(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	news, err := Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	return Diff(olds, news, nil), nil
}

// Configure accepts every configuration. A provider that overrides it returns Configured.
func (b *Base) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return b.Configured(), nil
}

// Configured is the answer to Configure. It has to agree with Handshake.
func (b *Base) Configured() *pulumirpc.ConfigureResponse {
	return &pulumirpc.ConfigureResponse{
		AcceptSecrets:                   true,
		SupportsPreview:                 true,
		SupportsAutonamingConfiguration: b.SupportsAutonaming,
	}
}

// Unsupported is the error for a token this provider does not serve: what is the kind
// of thing, for example "resource type" or "function".
func (b *Base) Unsupported(what, token string) error {
	return status.Errorf(codes.Unimplemented,
		"the sandbox's %q provider has no %s %q; use the official plugin (--plugins official) or add it to the sandbox",
		b.Name, what, token)
}

func (b *Base) Parameterize(context.Context, *pulumirpc.ParameterizeRequest) (*pulumirpc.ParameterizeResponse, error) {
	return nil, b.Unsupported("method", "Parameterize")
}

func (b *Base) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	return nil, b.Unsupported("function", req.GetTok())
}

func (b *Base) Call(_ context.Context, req *pulumirpc.CallRequest) (*pulumirpc.CallResponse, error) {
	return nil, b.Unsupported("method", req.GetTok())
}

func (b *Base) Construct(_ context.Context, req *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	return nil, b.Unsupported("component", req.GetType())
}

func (b *Base) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return nil, b.Unsupported("resource type", TypeOf(req.GetUrn()))
}

func (b *Base) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return nil, b.Unsupported("resource type", TypeOf(req.GetUrn()))
}

func (b *Base) Create(_ context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	return nil, b.Unsupported("resource type", TypeOf(req.GetUrn()))
}

func (b *Base) Read(_ context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	return nil, b.Unsupported("resource type", TypeOf(req.GetUrn()))
}

func (b *Base) Update(_ context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	return nil, b.Unsupported("resource type", TypeOf(req.GetUrn()))
}

func (b *Base) Delete(_ context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	return nil, b.Unsupported("resource type", TypeOf(req.GetUrn()))
}

// unmarshalOptions keeps everything the engine sends apart from null.
var unmarshalOptions = plugin.MarshalOptions{
	KeepUnknowns:     true,
	KeepSecrets:      true,
	KeepResources:    true,
	KeepOutputValues: true,
}
