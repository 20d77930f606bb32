package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
	"github.com/strongroom-platform/strongroom/sandbox/flux"
)

// measureFlux takes the time from the start of Flux to everything ready, as `sandbox
// up` reports it, and that of make gitops-check with everything built.
func measureFlux(ctx context.Context, b bench) (_ string, err error) {
	command, env, remove, err := sandboxWithTools(ctx, b.root)
	if err != nil {
		return "", err
	}
	defer remove()
	reported, err := upReport(ctx, b.root, env, command)
	_, downErr := measureCommand(ctx, b.root, env, command, "sandbox", "down")
	if err := errors.Join(err, downErr); err != nil {
		return "", err
	}
	var rows []row
	for _, f := range reported {
		took := allReady(f)
		fmt.Printf("  flux of %s: %s\n", f.Cluster, took)
		rows = append(rows, b.timed(fmt.Sprintf("from the start of Flux to all ready, cluster %s, stub charts", f.Cluster), time.Minute, took))
	}
	// Once for what must be built.
	var check usage
	for range 2 {
		if check, err = measureCommand(ctx, b.root, nil, "make", "gitops-check"); err != nil {
			return "", err
		}
	}
	rows = append(rows, b.timed("`make gitops-check`", 10*time.Second, check.elapsed))
	return table(rows), nil
}

// upReport brings both stacks up and returns what the last line says of Flux.
func upReport(ctx context.Context, root string, env []string, command string) ([]flux.Status, error) {
	cmd := exec.CommandContext(ctx, command, "sandbox", "up", "--json")
	cmd.Dir, cmd.Env, cmd.Stderr = root, append(os.Environ(), env...), os.Stderr
	out, err := cmd.Output()
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	result := struct {
		Error string        `json:"error"`
		Flux  []flux.Status `json:"flux"`
	}{}
	if err := errors.Join(err, json.Unmarshal(lines[len(lines)-1], &result)); err != nil {
		return nil, fmt.Errorf("sandbox up: %w: %s", err, result.Error)
	}
	if len(result.Flux) == 0 {
		return nil, errors.New("sandbox up reports nothing of Flux")
	}
	return result.Flux, nil
}

// allReady is how long after its start everything of Flux was ready.
func allReady(f flux.Status) time.Duration {
	var last time.Duration
	for _, o := range f.Objects {
		if o.Kind == fluxstatus.Kustomization {
			last = max(last, o.ReadyAt.Sub(f.Since))
		}
	}
	return last
}

// sandboxWithTools is a sandbox of its own with the tools already built.
func sandboxWithTools(ctx context.Context, root string) (command string, env []string, remove func(), err error) {
	sandbox, err := os.MkdirTemp("", "strongroom-bench-")
	if err != nil {
		return "", nil, nil, err
	}
	remove = func() { _ = os.RemoveAll(sandbox) }
	tools := os.Getenv("STRONGROOM_SANDBOX_DIR")
	if tools == "" {
		tools = filepath.Join(root, ".sandbox")
	}
	for _, shared := range []string{"bin", "eks", "crds"} {
		if _, err := measureCommand(ctx, root, nil, "cp", "-a", filepath.Join(tools, shared), sandbox); err != nil {
			remove()
			return "", nil, nil, fmt.Errorf("copy the built tools (run make tools first): %w", err)
		}
	}
	return filepath.Join(sandbox, "bin", "strongroom"), []string{"STRONGROOM_SANDBOX_DIR=" + sandbox}, remove, nil
}
