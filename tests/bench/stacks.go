package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// measureBare clones the repository and runs the README's two commands with
// every cache empty, as on a machine that has only Go, Node, git and make.
func measureBare(ctx context.Context, root string) (string, error) {
	tmp, err := os.MkdirTemp("", "strongroom-bench-")
	if err != nil {
		return "", err
	}
	// The module cache is read-only by default: -modcacherw lets it be removed.
	defer os.RemoveAll(tmp)
	clone := filepath.Join(tmp, "clone")
	if _, err := measureCommand(ctx, tmp, nil, "git", "clone", "--quiet", root, clone); err != nil {
		return "", err
	}
	env := []string{
		"GOCACHE=" + filepath.Join(tmp, "gocache"),
		"GOMODCACHE=" + filepath.Join(tmp, "gomod"),
		"GOFLAGS=-modcacherw",
		"npm_config_cache=" + filepath.Join(tmp, "npm"),
		"STRONGROOM_SANDBOX_DIR=" + filepath.Join(clone, ".sandbox"),
		"STRONGROOM_TOOLS_BIN=" + filepath.Join(clone, ".sandbox", "bin"),
	}
	up, err := measureCommand(ctx, clone, env, "make", "up")
	if err != nil {
		return "", err
	}
	fmt.Printf("  make up: %s, %s\n", up.seconds(), up.gigabytes())
	if _, err := measureCommand(ctx, clone, env, "make", "down"); err != nil {
		return "", err
	}
	// The tests on a bare machine pay for the same builds once more: they are
	// measured with the tools and the build cache thrown away again.
	for _, gone := range []string{filepath.Join(clone, ".sandbox"), filepath.Join(tmp, "gocache"), filepath.Join(tmp, "gomod"), filepath.Join(tmp, "npm")} {
		if err := os.RemoveAll(gone); err != nil {
			return "", err
		}
	}
	cold, err := measureCommand(ctx, clone, env, "make", "test")
	if err != nil {
		return "", err
	}
	fmt.Printf("  make test, bare: %s\n", cold.seconds())
	warmEnv := append(env, "GOFLAGS=-modcacherw -count=1")
	warm, err := measureCommand(ctx, clone, warmEnv, "make", "test")
	if err != nil {
		return "", err
	}
	return "Empty build, module and npm caches; downloads included. The warm run of the tests reuses built code but runs every test again.\n\n" + table([]row{
		{"bare machine to both stacks up (`make up`)", "at most 15 min", minutes(up.elapsed), up.elapsed <= 15*time.Minute},
		{"peak memory of it", "at most 6 GB", up.gigabytes(), up.peak <= 6e9},
		{"`make test` on a bare machine", "at most 25 min", minutes(cold.elapsed), cold.elapsed <= 25*time.Minute},
		{"`make test` warm", "at most 6 min", minutes(warm.elapsed), warm.elapsed <= 6*time.Minute},
	}), nil
}

// measureWarm uses a sandbox of its own with the tools already built.
func measureWarm(ctx context.Context, root string) (string, error) {
	sandbox, err := os.MkdirTemp("", "strongroom-bench-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(sandbox)
	tools := os.Getenv("STRONGROOM_SANDBOX_DIR")
	if tools == "" {
		tools = filepath.Join(root, ".sandbox")
	}
	for _, shared := range []string{"bin", "eks"} {
		if _, err := measureCommand(ctx, root, nil, "cp", "-a", filepath.Join(tools, shared), sandbox); err != nil {
			return "", fmt.Errorf("copy the built tools (run make tools first): %w", err)
		}
	}
	command := filepath.Join(sandbox, "bin", "strongroom")
	env := []string{"STRONGROOM_SANDBOX_DIR=" + sandbox}
	run := func(args ...string) (usage, error) {
		u, err := measureCommand(ctx, root, env, command, args...)
		fmt.Printf("  strongroom %v: %s\n", args, u.seconds())
		return u, err
	}
	up, err := run("sandbox", "up")
	if err != nil {
		return "", err
	}
	preview, err := run("preview")
	if err != nil {
		return "", err
	}
	again, err := run("up", "--yes")
	if err != nil {
		return "", err
	}
	down, err := run("sandbox", "down")
	if err != nil {
		return "", err
	}
	return table([]row{
		{"`sandbox up`: both stacks up from nothing", "at most 60 s", up.seconds(), up.elapsed <= time.Minute},
		{"no-change `preview` of both", "at most 15 s", preview.seconds(), preview.elapsed <= 15*time.Second},
		{"no-change `up` of both", "", again.seconds(), true},
		{"`sandbox down`: both destroyed, account proven empty", "", down.seconds(), true},
	}), nil
}

func minutes(d time.Duration) string { return fmt.Sprintf("%.1f min", d.Minutes()) }
