package awsprovider

import (
	"context"
	"net"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

func TestThrottlingIsRetried(t *testing.T) {
	w := newWorld(t, nil)
	w.fault(account.Fault{Type: vpc, Mode: account.Throttle, Count: 10})
	o := w.create(vpc, m{"cidrBlock": "10.0.0.0/16"})
	require.Len(t, w.account.FindByURN(urnOf(vpc)), 1)

	w.fault(account.Fault{Type: vpc, Op: account.OpDelete, Mode: account.Throttle, Count: 3})
	require.NoError(t, w.delete(o))

	w.maxRetries = 2
	w.fault(account.Fault{Type: vpc, Op: account.OpCreate, Mode: account.Throttle, Count: 3})
	err := ends(t, w.createAsync(t.Context(), vpc, m{"cidrBlock": "10.0.0.0/16"}, 0))
	require.ErrorContains(t, err, "ThrottlingException: ")
	require.Empty(t, w.account.Faults().List(), "one call and two retries")
}

func TestRefusalsAreNotRetried(t *testing.T) {
	w := newWorld(t, nil)
	w.fault(account.Fault{Type: vpc, Op: account.OpCreate, Mode: account.FailOnce})
	err := ends(t, w.createAsync(t.Context(), vpc, m{"cidrBlock": "10.0.0.0/16"}, 0))
	require.ErrorContains(t, err, "InternalFailure: injected fault")
	require.Empty(t, w.account.Objects())
	w.create(vpc, m{"cidrBlock": "10.0.0.0/16"})
}

func TestPauses(t *testing.T) {
	for attempt := range 70 {
		got := pause(attempt)
		require.Positive(t, got)
		require.LessOrEqual(t, got, maxPause+1)
		if attempt == 0 {
			require.LessOrEqual(t, got, firstPause+1)
		}
	}
}

func TestTimeout(t *testing.T) {
	w := newWorld(t, nil)
	w.fault(account.Fault{Type: vpc, Op: account.OpCreate, Mode: account.Hang})
	err := ends(t, w.createAsync(t.Context(), vpc, m{"cidrBlock": "10.0.0.0/16"}, 0.05))
	require.ErrorContains(t, err, `simulated AWS account: create aws:ec2/vpc:Vpc "thing": timed out after 50ms; give the resource customTimeouts`)
	w.account.Faults().Clear()
	require.Empty(t, w.account.Objects(), "what timed out was not made, and is not made later")
}

func TestTimeoutWhileThrottled(t *testing.T) {
	w := newWorld(t, nil)
	w.backoff = func(int) time.Duration { return time.Hour }
	w.fault(account.Fault{Type: vpc, Op: account.OpCreate, Mode: account.Throttle, Count: 1000})
	err := ends(t, w.createAsync(t.Context(), vpc, m{"cidrBlock": "10.0.0.0/16"}, 0.05))
	require.ErrorContains(t, err, "ThrottlingException: ")
	require.ErrorContains(t, err, "timed out after 50ms")
}

func TestCancelEndsACallThatHangs(t *testing.T) {
	for name, stop := range map[string]func(w *world, cancel context.CancelFunc){
		"the engine cancels":   func(w *world, _ context.CancelFunc) { _, _ = w.Cancel(w.t.Context(), &emptypb.Empty{}) },
		"the engine goes away": func(_ *world, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			messages := w.engine()
			w.narrateAfter = time.Millisecond
			w.fault(account.Fault{Type: vpc, Op: account.OpCreate, Mode: account.Hang})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			created := w.createAsync(ctx, vpc, m{"cidrBlock": "10.0.0.0/16"}, 0)
			message := <-messages
			require.Equal(t, urnOf(vpc), message.GetUrn())
			require.Equal(t, "simulated: create under way (0s)", message.GetMessage())
			require.True(t, message.GetEphemeral())
			stop(w, cancel)
			err := ends(t, created)
			require.ErrorContains(t, err, "simulated AWS account: create")
			require.ErrorContains(t, err, "cancel")
			w.account.Faults().Clear()
			found, err := w.client.FindByURN(t.Context(), urnOf(vpc))
			require.NoError(t, err)
			require.Empty(t, found)
		})
	}
}

func TestLongChangesSayWhatTheyWaitFor(t *testing.T) {
	for verb, want := range map[string]string{
		"create": "control plane starting", "update": "control plane changing", "delete": "control plane stopping", "read": "read under way",
	} {
		require.Equal(t, want, (&change{verb: verb, urn: urnOf(clusterType)}).doing())
	}
}

type engine struct {
	pulumirpc.UnimplementedEngineServer
	messages chan *pulumirpc.LogRequest
}

func (e *engine) Log(_ context.Context, req *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	select {
	case e.messages <- req:
	default: // the test has seen enough
	}
	return &emptypb.Empty{}, nil
}

// engine starts what stands for the engine and returns the messages it gets.
func (w *world) engine() <-chan *pulumirpc.LogRequest {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(w.t, err)
	e := &engine{messages: make(chan *pulumirpc.LogRequest, 100)}
	server := grpc.NewServer()
	pulumirpc.RegisterEngineServer(server, e)
	go func() { _ = server.Serve(listener) }()
	w.t.Cleanup(server.Stop)
	_, err = w.Attach(w.t.Context(), &pulumirpc.PluginAttach{Address: listener.Addr().String()})
	require.NoError(w.t, err)
	return e.messages
}
