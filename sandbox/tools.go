package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/toolchain"
)

// Tools makes what is missing of the tools that a stack without Flux needs, from the
// pins in the checkout repoRoot. See toolchain.Ensure.
func (s *Sandbox) Tools(ctx context.Context, repoRoot string, progress func(toolchain.Event)) error {
	return s.tools(ctx, repoRoot, false, progress)
}

// FluxTools is Tools, and the Flux controllers with their CRDs: all that `up` needs.
func (s *Sandbox) FluxTools(ctx context.Context, repoRoot string, progress func(toolchain.Event)) error {
	return s.tools(ctx, repoRoot, true, progress)
}

func (s *Sandbox) tools(ctx context.Context, repoRoot string, flux bool, progress func(toolchain.Event)) error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := s.makeFolder(); err != nil {
		return err
	}
	err := toolchain.Ensure(ctx, toolchain.Options{
		RepoRoot: repoRoot,
		BinDir:   s.BinDir(),
		EKSDir:   s.EKSDir(),
		CRDDir:   s.CRDDir(),
		Flux:     flux,
		Command:  s.Command,
		OwnAWS:   s.OwnAWS,
		Progress: progress,
	})
	if err != nil {
		return err
	}
	return s.layOutVaultInit(repoRoot)
}

// FindRepo finds the checkout of strongroom that start lies in.
func FindRepo(start string) (string, error) {
	dir, err := filepath.Abs(start)
	if err != nil {
		return "", fmt.Errorf("find the checkout of strongroom: %w", err)
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module github.com/strongroom-platform/strongroom\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("this is no checkout of strongroom, nor a folder in one, and the sandbox builds its tools from one: change to it and run the command again")
		}
		dir = parent
	}
}
