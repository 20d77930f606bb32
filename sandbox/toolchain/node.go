package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/eks"
	"github.com/strongroom-platform/strongroom/sandbox/process"
)

// minNode is what @pulumi/pulumi of the lockfile asks for.
const minNode = 20

const installNode = "install Node 20 or newer with npm: https://nodejs.org/en/download (Debian and Fedora: package nodejs and npm; macOS: brew install node)"

var nodeVersion = regexp.MustCompile(`^v(\d+)\.`)

// nodeTool finds Node and its version ("v20.20.2").
func (o Options) nodeTool(ctx context.Context) (path, version string, err error) {
	path, found := o.lookPath("node")
	if !found {
		return "", "", fmt.Errorf("no node on PATH, and the EKS component runs under it: %s", installNode)
	}
	out, err := process.Output(ctx, path, "--version")
	if err != nil {
		return "", "", fmt.Errorf("%s --version: %w: %s", path, err, installNode)
	}
	version = strings.TrimSpace(string(out))
	if match := nodeVersion.FindStringSubmatch(version); match == nil || !atLeast(match[1], minNode) {
		return "", "", fmt.Errorf("%s is %s, too old for the EKS component: %s", path, version, installNode)
	}
	return path, version, nil
}

// componentEntry is what Node runs, relative to EKSDir.
const componentEntry = "node_modules/@pulumi/eks/cmd/provider/index.js"

// component is the job that installs the EKS component.
func (o Options) component(ctx context.Context) (job, error) {
	node, version, err := o.nodeTool(ctx)
	if err != nil {
		return job{}, err
	}
	npm, found := o.lookPath("npm")
	if !found {
		return job{}, fmt.Errorf("no npm on PATH, and it installs the EKS component: %s", installNode)
	}
	// The major version alone: packages without compiled parts do not care.
	major := nodeVersion.FindString(version)
	return job{
		name:    "eks",
		detail:  "under Node " + version,
		pin:     fingerprint(eks.Package, eks.Lock, []byte(major)),
		present: func() bool { _, err := os.Stat(filepath.Join(o.EKSDir, componentEntry)); return err == nil },
		make:    func(ctx context.Context) error { return o.installComponent(ctx, node, npm) },
	}, nil
}

// installComponent installs beside EKSDir and swaps.
func (o Options) installComponent(ctx context.Context, node, npm string) error {
	const what = "install @pulumi/eks"
	if err := requireDisk(filepath.Dir(o.EKSDir), 600<<20); err != nil {
		return err
	}
	staging, former := o.EKSDir+".new", o.EKSDir+".old"
	for _, dir := range []string{staging, former} {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := os.Mkdir(staging, 0o700); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer func() { _ = os.RemoveAll(staging) }()
	for name, data := range map[string][]byte{"package.json": eks.Package, "package-lock.json": eks.Lock} {
		if err := os.WriteFile(filepath.Join(staging, name), data, 0o600); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	// No scripts: they would fetch plugins that the sandbox serves itself.
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
	cmd.Dir = staging
	// npm is a script that looks for the node on PATH.
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(node)+string(os.PathListSeparator)+o.Path)
	if err := runQuiet(cmd, what); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(staging, componentEntry)); err != nil {
		return fmt.Errorf("%s: npm ended well, but the component is not there: %w", what, err)
	}
	if err := os.Rename(o.EKSDir, former); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := os.Rename(staging, o.EKSDir); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := os.RemoveAll(former); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
