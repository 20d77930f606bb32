package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// crdSource is where a product's Go module holds the CRDs that its chart, or
// Flux's own installation, brings. They are pinned by tools/flux/crds and read
// from the module cache.
type crdSource struct {
	set    string // folder below CRDDir
	module string
	files  string // a pattern below the module
}

var crdSources = []crdSource{
	{"flux", "github.com/fluxcd/source-controller", "config/crd/bases/*.yaml"},
	{"flux", "github.com/fluxcd/kustomize-controller", "config/crd/bases/*.yaml"},
	{"flux", "github.com/fluxcd/helm-controller", "config/crd/bases/*.yaml"},
	{"flux", "github.com/fluxcd/notification-controller", "config/crd/bases/*.yaml"},
	{"flux", "github.com/fluxcd/image-reflector-controller", "config/crd/bases/*.yaml"},
	{"flux", "github.com/fluxcd/image-automation-controller", "config/crd/bases/*.yaml"},
	{"external-secrets", "github.com/external-secrets/external-secrets", "config/crds/bases/external-secrets.io_*.yaml"},
	// Those of the objects that a tree without Prometheus of its own holds; the
	// others are ten times as large.
	{"prometheus-operator", "github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd/*_podmonitors.yaml"},
	{"prometheus-operator", "github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd/*_servicemonitors.yaml"},
	{"prometheus-operator", "github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd/*_prometheusrules.yaml"},
	{"prometheus-operator", "github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd/*_probes.yaml"},
}

// crdJob lays the CRDs out.
func (o Options) crdJob(goPath string) (job, error) {
	dir := filepath.Join(o.RepoRoot, "tools", "flux", "crds")
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return job{}, fmt.Errorf("the pins of the CRDs: %w: is %s a checkout of strongroom?", err, o.RepoRoot)
	}
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return job{}, fmt.Errorf("the checksums of the CRDs: %w", err)
	}
	return job{
		name:   "crds",
		detail: "from the Go modules of the products",
		pin:    fingerprint(mod, sum, fmt.Append(nil, crdSources)),
		present: func() bool {
			_, err := os.Stat(o.CRDDir)
			return err == nil
		},
		make: func(ctx context.Context) error { return o.layOutCRDs(ctx, goPath, dir) },
	}, nil
}

// layOutCRDs copies the files into a folder beside CRDDir, which takes its
// place when it is whole.
func (o Options) layOutCRDs(ctx context.Context, goPath, dir string) error {
	staging, err := os.MkdirTemp(filepath.Dir(o.CRDDir), ".crds-")
	if err != nil {
		return fmt.Errorf("lay the CRDs out: %w", err)
	}
	defer func() { _ = os.RemoveAll(staging) }()
	for _, source := range crdSources {
		folder, err := moduleFolder(ctx, goPath, dir, source.module)
		if err != nil {
			return err
		}
		files, err := filepath.Glob(filepath.Join(folder, filepath.FromSlash(source.files)))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("lay the CRDs out: %s holds no %s", source.module, source.files)
		}
		to := filepath.Join(staging, source.set)
		if err := os.MkdirAll(to, 0o700); err != nil {
			return fmt.Errorf("lay the CRDs out: %w", err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(filepath.Join(to, filepath.Base(file)), data, 0o600)
			}
			if err != nil {
				return fmt.Errorf("lay the CRDs out: %w", err)
			}
		}
	}
	if err := os.RemoveAll(o.CRDDir); err != nil {
		return fmt.Errorf("lay the CRDs out: %w", err)
	}
	return os.Rename(staging, o.CRDDir)
}

// moduleFolder brings a pinned module into the module cache, its checksum
// checked, and says where it is.
func moduleFolder(ctx context.Context, goPath, dir, module string) (string, error) {
	cmd := exec.CommandContext(ctx, goPath, "mod", "download", "-json", module)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var answer struct{ Dir, Error string }
	if decoded := json.Unmarshal(out, &answer); err == nil {
		err = decoded
	}
	if answer.Error != "" {
		err = errors.New(answer.Error)
	}
	if err != nil {
		return "", fmt.Errorf("download %s, which %s pins: %w %s", module, filepath.Join(dir, "go.mod"), err, strings.TrimSpace(stderr.String()))
	}
	return answer.Dir, nil
}
