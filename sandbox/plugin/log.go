package plugin

import (
	"context"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Severities of a message, in the words of the engine.
const (
	Debug   = pulumirpc.LogSeverity_DEBUG
	Info    = pulumirpc.LogSeverity_INFO
	Warning = pulumirpc.LogSeverity_WARNING
	Error   = pulumirpc.LogSeverity_ERROR
)

// Log shows a message in the engine's output, beside the resource with this URN when it
// is not empty. Without an engine, or when the engine does not take it, the message is
// dropped: no operation fails because of its commentary.
func (b *Base) Log(ctx context.Context, severity pulumirpc.LogSeverity, urn, message string) {
	b.log(ctx, severity, urn, message, false)
}

// Status shows a passing message beside the resource while it is being worked on. It is
// not kept in the output.
func (b *Base) Status(ctx context.Context, urn, message string) {
	b.log(ctx, Info, urn, message, true)
}

func (b *Base) log(ctx context.Context, severity pulumirpc.LogSeverity, urn, message string, ephemeral bool) {
	conn := b.Engine()
	if conn == nil {
		return
	}
	_, _ = pulumirpc.NewEngineClient(conn).Log(ctx, &pulumirpc.LogRequest{
		Severity:  severity,
		Message:   strings.ToValidUTF8(message, "?"),
		Urn:       urn,
		Ephemeral: ephemeral,
	})
}
