package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// Output runs a program that says something and ends, and gives what it said on
// its standard output. Where ctx cut it off, the error is ctx's cause and not
// "signal: killed"; where the program failed, the error has what it said on its
// error output.
func Output(ctx context.Context, path string, args ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, path, args...).Output()
	if err == nil {
		return out, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(bytes.TrimSpace(exit.Stderr)) > 0 {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
	}
	return nil, err
}
