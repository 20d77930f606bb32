package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// Lock keeps others from bringing the sandbox up or down at the same time. It
// waits for whoever does, and calls waiting once, with who that is, if so. The
// system gives the lock back when its holder ends, however that happens.
func (s *Sandbox) Lock(ctx context.Context, waiting func(holder string)) (unlock func(), err error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := s.makeFolder(); err != nil {
		return nil, err
	}
	return lockFile(ctx, s.path("lock"), waiting)
}

// lockFile takes the lock at path and writes into it who has it.
func lockFile(ctx context.Context, path string, waiting func(holder string)) (unlock func(), err error) {
	file, err := files.Lock(ctx, path, func() { waiting(holderOf(path)) })
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("waiting for %s, which holds the sandbox: %w", holderOf(path), err)
	}
	if err != nil {
		return nil, fmt.Errorf("the sandbox: %w", err)
	}
	holder := fmt.Sprintf("process %d (%s)", os.Getpid(), strings.Join(os.Args, " "))
	err = errors.Join(file.Truncate(0), writeAt(file, holder))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock of the sandbox, %s: %w", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

func holderOf(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return "another process"
	}
	defer func() { _ = file.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(file, 300))
	if err != nil || len(text) == 0 {
		return "another process"
	}
	return string(text)
}
