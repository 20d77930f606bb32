package toolchain

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/process"
)

// module is a Go module of tools/ and what is built from it.
type module struct {
	name     string // folder below tools/, with slashes
	pins     string // the module path whose version is the tool's
	programs []program
	// tags are build tags, in the form of `go build -tags`.
	tags string
	// link makes the linker flags from the version.
	link func(version string) string
}

// program is one package with the name its program gets.
type program struct{ name, pkg string }

var (
	etcdModule = module{
		name:     "etcd",
		pins:     "go.etcd.io/etcd/server/v3",
		programs: []program{{"etcd", "go.etcd.io/etcd/server/v3"}},
		link:     func(string) string { return "" },
	}
	// pulumiModule: the Automation API refuses a CLI that does not know its
	// version. What describes the API of Pulumi Cloud is left out (tools/pulumi/without).
	pulumiModule = module{
		name:     "pulumi",
		pins:     "github.com/pulumi/pulumi/pkg/v3",
		programs: []program{{"pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"}},
		link: func(version string) string {
			return "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=" + version
		},
	}
	kubernetesModule = module{
		name: "kubernetes",
		pins: "k8s.io/kubernetes",
		programs: []program{
			{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"},
			{"kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"},
		},
		link: kubernetesVersion,
	}
	// fluxModules have a module each, as their replacements do not agree, and are
	// built one after the other, as the rest does.
	fluxModules = []module{fluxModule("source-controller"), fluxModule("kustomize-controller"), fluxModule("helm-controller")}
	// vaultModule has a main of its own (tools/vault): all plugins of the full Vault
	// would make the build three times as long and the program as large.
	vaultModule = module{
		name:     "vault",
		pins:     "github.com/hashicorp/vault",
		programs: []program{{"vault", "github.com/strongroom-platform/strongroom/tools/vault"}},
		tags:     "minimal",
		link:     func(string) string { return "" },
	}
	kubectl = program{"kubectl", "k8s.io/kubernetes/cmd/kubectl"}
)

func fluxModule(name string) module {
	return module{
		name:     "flux/" + name,
		pins:     "github.com/fluxcd/" + name,
		programs: []program{{name, "github.com/fluxcd/" + name}},
		link:     func(string) string { return "" },
	}
}

// kubernetesVersion sets what `kubectl version` and /version show. Without
// major and minor, the API server does not know which APIs it may remove.
func kubernetesVersion(version string) string {
	const pkg = "k8s.io/component-base/version"
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	return fmt.Sprintf("-X %s.gitVersion=%s -X %s.gitMajor=%s -X %s.gitMinor=%s -X %s.gitTreeState=clean", pkg, version, pkg, major, pkg, minor, pkg)
}

// compilerFlags are those of everything that is built here, by `make` too, so that
// what strongroom and the tools share is compiled once: no debug information. The
// programs are linked without it, and a large package takes a fifth less time and
// memory to compile.
const compilerFlags = "-gcflags=all=-dwarf=false"

// minGo is the least Go that the modules build with.
const minGo = 26

var goVersion = regexp.MustCompile(`^go1\.(\d+)`)

// goTool finds Go and its version ("go1.26.8 linux/amd64").
func (o Options) goTool(ctx context.Context) (path, version string, err error) {
	const install = "install Go 1.26 or newer: https://go.dev/doc/install (macOS: brew install go; Fedora: dnf install golang; Debian's own is older)"
	path, found := o.lookPath("go")
	if !found {
		return "", "", fmt.Errorf("no go on PATH, and the sandbox builds its tools with it: %s", install)
	}
	out, err := process.Output(ctx, path, "env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return "", "", fmt.Errorf("%s env: %w: is this a working Go? %s", path, err, install)
	}
	version = strings.Join(strings.Fields(string(out)), " ")
	match := goVersion.FindStringSubmatch(version)
	if match == nil {
		return path, version, nil // a development version: the build will tell
	}
	if atLeast(match[1], minGo) {
		return path, version, nil
	}
	return "", "", fmt.Errorf("%s is %s: %s", path, version, install)
}

// job makes the module's programs.
func (m module) job(o Options, goPath, goVersion string) (job, error) {
	dir := filepath.Join(o.RepoRoot, "tools", filepath.FromSlash(m.name))
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return job{}, fmt.Errorf("the pins of the tools: %w: is %s a checkout of strongroom?", err, o.RepoRoot)
	}
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return job{}, fmt.Errorf("the checksums of the tools: %w", err)
	}
	version, err := pinned(mod, m.pins)
	if err != nil {
		return job{}, fmt.Errorf("%s: %w", filepath.Join(dir, "go.mod"), err)
	}
	// No -trimpath, and no cgo below: what strongroom itself and the tools share is
	// then compiled once, as long as their go.mod files agree (tests/layout).
	flags := []string{"build", "-buildvcs=false", "-mod=readonly", compilerFlags, "-ldflags", strings.TrimSpace("-s -w " + m.link(version))}
	if m.tags != "" {
		flags = append(flags, "-tags", m.tags)
	}
	own, err := readSources(dir)
	if err != nil {
		return job{}, err
	}
	names := make([]string, len(m.programs))
	packages := make([]string, len(m.programs))
	for i, p := range m.programs {
		names[i], packages[i] = p.name, p.pkg
	}
	pin := fingerprint(mod, sum, own, []byte(strings.Join(flags, " ")), []byte(strings.Join(packages, " ")), []byte(goVersion))
	return job{
		name:   strings.Join(names, "+"),
		heavy:  true,
		detail: version,
		pin:    pin,
		present: func() bool {
			for _, name := range names {
				if !executable(filepath.Join(o.BinDir, name)) {
					return false
				}
			}
			return true
		},
		make: func(ctx context.Context) error { return o.build(ctx, goPath, dir, flags, m.programs) },
	}, nil
}

// readSources reads the Go files of our own beside go.mod and below: a main, or what
// stands in for a module that is left out.
func readSources(dir string) ([]byte, error) {
	var all []byte
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(all, data...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the sources in %s: %w", dir, err)
	}
	return all, nil
}

// pinned finds the version of a module in go.mod.
func pinned(mod []byte, path string) (string, error) {
	match := regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(path) + `\s+(v\S+)`).FindSubmatch(mod)
	if match == nil {
		return "", fmt.Errorf("no version of %s: expected a require line", path)
	}
	return string(match[1]), nil
}

// build compiles into a folder of its own and renames the programs into place.
func (o Options) build(ctx context.Context, goPath, dir string, flags []string, programs []program) error {
	if err := requireDisk(o.BinDir, 1<<30); err != nil {
		return err
	}
	staging, err := os.MkdirTemp(o.BinDir, ".building-")
	if err != nil {
		return fmt.Errorf("build %s: %w", programs[0].name, err)
	}
	defer func() { _ = os.RemoveAll(staging) }()
	for _, p := range programs {
		// One by one: most of the work is shared and comes from Go's cache,
		// and two large links at once would cost memory.
		args := append(append([]string{}, flags...), fmt.Sprintf("-p=%d", runtime.NumCPU()), "-o", filepath.Join(staging, p.name), p.pkg)
		cmd := exec.CommandContext(ctx, goPath, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
		if err := runQuiet(cmd, "build "+p.name); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(staging, p.name), filepath.Join(o.BinDir, p.name)); err != nil {
			return fmt.Errorf("build %s: %w", p.name, err)
		}
	}
	return nil
}
