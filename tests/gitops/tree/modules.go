package tree

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

// definitions are where each module of tools/crds has its definitions.
var definitions = map[string][]string{
	"github.com/controlplaneio-fluxcd/flux-operator": {
		"config/data/flux/v" + runtimeinfo.FluxVersion + "/*-controller.yaml", "config/crd/bases/*.yaml",
	},
	"github.com/external-secrets/external-secrets":            {"config/crds/bases/external-secrets.io_*.yaml"},
	"github.com/kubernetes-sigs/aws-load-balancer-controller": {"config/crd/bases/*.yaml"},
	"github.com/prometheus-operator/prometheus-operator":      {"example/prometheus-operator-crd/*.yaml"},
}

// requirement is a line of a go.mod.
var requirement = regexp.MustCompile(`(?m)^\t(\S+) (v\S+)$`)

// definitionFiles returns the files with the definitions of resource types, from the
// module cache. Modules that are not there yet are fetched, at the versions and with
// the checksums of tools/crds.
func definitionFiles(ctx context.Context, checkout string) ([]string, error) {
	folder := filepath.Join(checkout, "tools", "crds")
	mod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return nil, err
	}
	args := []string{"mod", "download", "-json"}
	for _, r := range requirement.FindAllStringSubmatch(string(mod), -1) {
		args = append(args, r[1]+"@"+r[2])
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = folder
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, runErr := cmd.Output()
	var files []string
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var module struct{ Path, Dir, Error string }
		if err := dec.Decode(&module); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go mod download: %w: %s", err, stderr.String())
		}
		if module.Error != "" {
			return nil, fmt.Errorf("tools/crds: %s: check the network and GOPROXY, and run it again", module.Error)
		}
		for _, pattern := range definitions[module.Path] {
			found, err := filepath.Glob(filepath.Join(module.Dir, filepath.FromSlash(pattern)))
			if err != nil || len(found) == 0 {
				return nil, fmt.Errorf("tools/crds: %s has no %s: did the module move its definitions? (%w)", module.Path, pattern, errors.Join(err, os.ErrNotExist))
			}
			files = append(files, found...)
		}
	}
	if runErr != nil {
		return nil, fmt.Errorf("tools/crds: go mod download: %w: %s", runErr, stderr.String())
	}
	return files, nil
}
