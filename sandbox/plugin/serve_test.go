package plugin

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// slowProvider waits in Create until it is told to stop.
type slowProvider struct {
	Base
	creating chan struct{}
}

func (p *slowProvider) Create(ctx context.Context, _ *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	ctx, done := p.Running(ctx)
	defer done()
	close(p.creating)
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// engine stands for the engine: it answers health checks and collects log messages.
type engine struct {
	pulumirpc.UnimplementedEngineServer
	messages chan *pulumirpc.LogRequest
}

func (e *engine) Log(_ context.Context, req *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	e.messages <- req
	return &emptypb.Empty{}, nil
}

func startEngine(t *testing.T) (*engine, string, *grpc.Server) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := &engine{messages: make(chan *pulumirpc.LogRequest, 10)}
	server := grpc.NewServer()
	pulumirpc.RegisterEngineServer(server, e)
	healthpb.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return e, listener.Addr().String(), server
}

// serve starts the provider and returns a client of it and the channel on which Serve's
// result arrives.
func serve(t *testing.T, p Provider, args ...string) (pulumirpc.ResourceProviderClient, chan error) {
	t.Helper()
	r, w := io.Pipe()
	result := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() { result <- Serve(ctx, args, w, p) }()
	port, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)
	conn, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return pulumirpc.NewResourceProviderClient(conn), result
}

func TestServeTellsVersionAndLogsToTheEngine(t *testing.T) {
	e, address, _ := startEngine(t)
	p := &slowProvider{Base: Base{Name: "thing", Version: "1.2.3"}}
	client, _ := serve(t, p, "-v=3", "--tracing", "http://127.0.0.1:1", address)

	info, err := client.GetPluginInfo(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	require.Equal(t, "1.2.3", info.GetVersion())

	p.Log(t.Context(), Warning, "urn:x", "hello")
	select {
	case message := <-e.messages:
		require.Equal(t, "hello", message.GetMessage())
		require.Equal(t, "urn:x", message.GetUrn())
	case <-time.After(10 * time.Second):
		t.Fatal("the engine got no message")
	}
}

func TestHandshakeAgreesWithConfigure(t *testing.T) {
	_, address, _ := startEngine(t)
	client, _ := serve(t, &slowProvider{Base: Base{Name: "thing", SupportsAutonaming: true}})
	shake, err := client.Handshake(t.Context(), &pulumirpc.ProviderHandshakeRequest{EngineAddress: address})
	require.NoError(t, err)
	configured, err := client.Configure(t.Context(), &pulumirpc.ConfigureRequest{})
	require.NoError(t, err)
	require.True(t, shake.GetAcceptSecrets())
	require.Equal(t, shake.GetAcceptSecrets(), configured.GetAcceptSecrets())
	require.Equal(t, shake.GetAcceptResources(), configured.GetAcceptResources())
	require.Equal(t, shake.GetAcceptOutputs(), configured.GetAcceptOutputs())
	require.Equal(t, shake.GetSupportsAutonamingConfiguration(), configured.GetSupportsAutonamingConfiguration())
	require.True(t, configured.GetSupportsPreview())
}

func TestServeEndsWhenTheEngineIsGone(t *testing.T) {
	_, address, server := startEngine(t)
	_, result := serve(t, &slowProvider{Base: Base{Name: "thing"}}, address)
	server.Stop()
	select {
	case err := <-result:
		require.NoError(t, err)
	case <-time.After(stopGrace + 4*engineWatchInterval):
		t.Fatal("the provider outlived its engine")
	}
}

func TestCancelEndsARunningCall(t *testing.T) {
	p := &slowProvider{Base: Base{Name: "thing"}, creating: make(chan struct{})}
	client, _ := serve(t, p)
	failed := make(chan error, 1)
	go func() {
		_, err := client.Create(context.Background(), &pulumirpc.CreateRequest{})
		failed <- err
	}()
	<-p.creating
	_, err := client.Cancel(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	select {
	case err := <-failed:
		require.ErrorContains(t, err, `provider "thing": the operation was cancelled`)
	case <-time.After(10 * time.Second):
		t.Fatal("Create did not end")
	}
}

func TestWhatIsNotServedIsNamed(t *testing.T) {
	client, _ := serve(t, &slowProvider{Base: Base{Name: "thing"}})
	_, err := client.Check(t.Context(), &pulumirpc.CheckRequest{Urn: "urn:pulumi:dev::proj::thing:a/b:C::name"})
	require.Equal(t, codes.Unimplemented, status.Code(err))
	require.ErrorContains(t, err, `no resource type "thing:a/b:C"`)
	_, err = client.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "thing:index:getIt"})
	require.ErrorContains(t, err, `no function "thing:index:getIt"`)
}

func TestEngineAddress(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, ""},
		{[]string{"127.0.0.1:5"}, "127.0.0.1:5"},
		{[]string{"--logtostderr", "-v=9", "127.0.0.1:5"}, "127.0.0.1:5"},
		{[]string{"--tracing", "http://x", "127.0.0.1:5"}, "127.0.0.1:5"},
		{[]string{"--tracing", "http://x"}, ""},
		{[]string{"--tracing=http://x", "-v=1"}, ""},
	} {
		require.Equal(t, c.want, engineAddress(c.args), "%v", c.args)
	}
}

// The port is all a plugin may print on stdout.
func TestNothingElseOnStdout(t *testing.T) {
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		result <- Serve(ctx, nil, w, &slowProvider{Base: Base{Name: "thing"}})
		_ = w.Close()
	}()
	reader := bufio.NewReader(r)
	_, err := reader.ReadString('\n')
	require.NoError(t, err)
	cancel()
	rest, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Empty(t, rest)
	require.NoError(t, <-result)
}
