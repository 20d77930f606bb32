package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/grpclog"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

const (
	// maxMessageBytes is the limit the engine uses for its own messages (400 MiB).
	maxMessageBytes = 400 << 20
	// engineWatchInterval is how often the engine is asked whether it is alive. An engine
	// that was killed must not leave providers behind for longer than this plus stopGrace.
	engineWatchInterval = 2 * time.Second
	// stopGrace is how long running calls may take to end after the provider was told to stop.
	stopGrace = 10 * time.Second
)

// Provider is a resource provider that embeds Base.
type Provider interface {
	pulumirpc.ResourceProviderServer
	base() *Base
}

// Serve runs the provider until the engine is done with it, ctx ends, or SIGINT or
// SIGTERM arrives. args are the arguments the engine gave the plugin: flags, then the
// engine's address, which is absent when the engine attaches to a running provider.
// The port is written to stdout as the engine expects, so nothing else may write there.
func Serve(ctx context.Context, args []string, stdout io.Writer, p Provider) error {
	// gRPC logs to stdout by default, which the engine would read as a port.
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, os.Stderr))
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	b := p.base()
	b.onEngine(func(conn *grpc.ClientConn) { go watchEngine(ctx, conn, cancel) })
	defer b.close()
	if address := engineAddress(args); address != "" {
		if err := b.connect(address); err != nil {
			return err
		}
	}

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("provider %q cannot listen on loopback: %w", b.Name, err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes), grpc.MaxSendMsgSize(maxMessageBytes))
	pulumirpc.RegisterResourceProviderServer(server, p)
	alive := health.NewServer()
	alive.SetServingStatus("pulumirpc.ResourceProvider", healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, alive)

	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if _, err := fmt.Fprintf(stdout, "%d\n", listener.Addr().(*net.TCPAddr).Port); err != nil {
		server.Stop()
		return fmt.Errorf("provider %q cannot tell the engine its port: %w", b.Name, err)
	}

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	b.cancelCalls()
	force := time.AfterFunc(stopGrace, server.Stop)
	defer force.Stop()
	server.GracefulStop()
	if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// engineAddress is the last argument that is not a flag. The engine gives flags of the
// form `--logtostderr`, `-v=9` and `--tracing <endpoint>` before it.
func engineAddress(args []string) string {
	for i := len(args) - 1; i >= 0; i-- {
		if strings.HasPrefix(args[i], "-") {
			continue
		}
		if i > 0 && strings.TrimLeft(args[i-1], "-") == "tracing" {
			continue
		}
		return args[i]
	}
	return ""
}

// watchEngine calls gone when the engine no longer answers. An engine that does not
// implement health checks is alive as long as it says so.
func watchEngine(ctx context.Context, conn *grpc.ClientConn, gone func()) {
	client := healthpb.NewHealthClient(conn)
	ticker := time.NewTicker(engineWatchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_, err := client.Check(ctx, &healthpb.HealthCheckRequest{})
			if err != nil && status.Code(err) == codes.Unavailable {
				gone()
				return
			}
		}
	}
}
