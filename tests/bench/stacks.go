package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// measureUp clones the repository and brings both stacks up with every cache
// empty, as on a machine that has only Go, Node, git and make.
func measureUp(ctx context.Context, b bench) (string, error) {
	clone, env, remove, err := bareClone(ctx, b.root)
	if err != nil {
		return "", err
	}
	defer remove()
	up, err := measureCommand(ctx, clone, env, "make", "up")
	if err != nil {
		return "", err
	}
	fmt.Printf("  make up: %s, %s\n", up.seconds(), up.gigabytes())
	if _, err := measureCommand(ctx, clone, env, "make", "down"); err != nil {
		return "", err
	}
	return "Empty build, module and npm caches; downloads included.\n\n" + table([]row{
		b.timed("bare machine to both stacks up (`make up`)", 15*time.Minute, up.elapsed),
		promise("peak memory of it", "at most 6 GB", up.gigabytes(), up.peak <= 6e9),
	}), nil
}

// measureTest runs the tests with every cache empty.
func measureTest(ctx context.Context, b bench) (string, error) {
	clone, env, remove, err := bareClone(ctx, b.root)
	if err != nil {
		return "", err
	}
	defer remove()
	bare, err := measureCommand(ctx, clone, env, "make", "test")
	if err != nil {
		return "", err
	}
	return "Empty build, module and npm caches; downloads included.\n\n" + table([]row{
		b.timed("`make test` on a bare machine", 25*time.Minute, bare.elapsed),
	}), nil
}

// measureRetest runs the tests in this checkout, where all is built, and once more as a
// person does who changed nothing. It makes Go forget the results of all tests, of other
// programs too.
func measureRetest(ctx context.Context, b bench) (string, error) {
	run := func(env []string, name string, args ...string) (time.Duration, error) {
		u, err := measureCommand(ctx, b.root, env, name, args...)
		fmt.Printf("  %s %v: %s\n", name, args, u.seconds())
		return u.elapsed, err
	}
	if _, err := run([]string{"GOFLAGS=-run=^$"}, "make", "test"); err != nil { // compiles them
		return "", err
	}
	if _, err := run(nil, "go", "clean", "-testcache"); err != nil {
		return "", err
	}
	every, err := run(nil, "make", "test")
	if err != nil {
		return "", err
	}
	again, err := run(nil, "make", "test")
	if err != nil {
		return "", err
	}
	return `What is built is reused. Go runs no test again whose program, files and environment are as they were; a change of what the stacks or the sandbox are made of runs those of the engine again, which are most of the first figure.

` + table([]row{
		b.timed("`make test` warm, every test run", 6*time.Minute, every),
		b.timed("`make test` warm, nothing changed", 6*time.Minute, again),
	}), nil
}

// bareClone clones the repository into a folder of its own, and makes the
// environment in which every cache lies there and is empty.
func bareClone(ctx context.Context, root string) (clone string, env []string, remove func(), err error) {
	tmp, err := os.MkdirTemp("", "strongroom-bench-")
	if err != nil {
		return "", nil, nil, err
	}
	remove = func() { _ = os.RemoveAll(tmp) }
	clone = filepath.Join(tmp, "clone")
	if _, err := measureCommand(ctx, tmp, nil, "git", "clone", "--quiet", root, clone); err != nil {
		remove()
		return "", nil, nil, err
	}
	return clone, []string{
		"GOCACHE=" + filepath.Join(tmp, "gocache"),
		"GOMODCACHE=" + filepath.Join(tmp, "gomod"),
		// The module cache is read-only by default; this lets it be removed.
		"GOFLAGS=-modcacherw",
		"npm_config_cache=" + filepath.Join(tmp, "npm"),
		"STRONGROOM_SANDBOX_DIR=" + filepath.Join(clone, ".sandbox"),
		"STRONGROOM_TOOLS_BIN=" + filepath.Join(clone, ".sandbox", "bin"),
	}, remove, nil
}

// measureWarm uses a sandbox of its own with the tools already built.
func measureWarm(ctx context.Context, b bench) (string, error) {
	command, env, remove, err := sandboxWithTools(ctx, b.root)
	if err != nil {
		return "", err
	}
	defer remove()
	run := func(args ...string) (usage, error) {
		u, err := measureCommand(ctx, b.root, env, command, args...)
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
		b.timed("`sandbox up`: both stacks up from nothing", time.Minute, up.elapsed),
		b.timed("no-change `preview` of both", 15*time.Second, preview.elapsed),
		figure("no-change `up` of both", again.seconds()),
		figure("`sandbox down`: both destroyed, account proven empty", down.seconds()),
	}), nil
}
