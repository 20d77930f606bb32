package process_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/process"
)

func TestOutput(t *testing.T) {
	out, err := process.Output(t.Context(), "/bin/sh", "-c", "echo said; echo aside >&2")
	require.NoError(t, err)
	require.Equal(t, "said\n", string(out))
}

func TestOutputOfAFailure(t *testing.T) {
	_, err := process.Output(t.Context(), "/bin/sh", "-c", "echo what is wrong >&2; exit 3")
	require.EqualError(t, err, "exit status 3: what is wrong")
	_, err = process.Output(t.Context(), "/bin/sh", "-c", "exit 3")
	require.EqualError(t, err, "exit status 3")
	_, err = process.Output(t.Context(), "/bin/there-is-no-such-program")
	require.ErrorContains(t, err, "no such file or directory")
}

func TestOutputCutOffSaysWhy(t *testing.T) {
	why := errors.New("somebody changed their mind")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, why)
	defer cancel()
	_, err := process.Output(ctx, "/bin/sh", "-c", "exec sleep 60")
	require.ErrorIs(t, err, why)
}
