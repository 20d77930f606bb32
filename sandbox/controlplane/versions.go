package controlplane

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/process"
)

// binary is one built Kubernetes release: the API server and its controller
// manager.
type binary struct {
	apiServer         string
	controllerManager string
	version           string // as built, "v1.36.3"
	minor             int
}

var releasePattern = regexp.MustCompile(`v1\.(\d+)\.\d+\S*`)

// binaries lists what bin holds: kube-apiserver, and kube-apiserver-1.NN for
// further minors, each with the kube-controller-manager of the same suffix.
// Oldest first.
func binaries(ctx context.Context, bin string) ([]binary, error) {
	paths, err := filepath.Glob(filepath.Join(bin, "kube-apiserver*"))
	if err != nil {
		return nil, fmt.Errorf("look for kube-apiserver in %s: %w", bin, err)
	}
	var found []binary
	for _, path := range paths {
		suffix := strings.TrimPrefix(filepath.Base(path), "kube-apiserver")
		if suffix != "" && !regexp.MustCompile(`^-1\.\d+$`).MatchString(suffix) {
			continue // a file half built or set aside
		}
		b := binary{apiServer: path, controllerManager: filepath.Join(bin, "kube-controller-manager"+suffix)}
		if _, err := os.Stat(b.controllerManager); err != nil {
			return nil, fmt.Errorf("%s has no kube-controller-manager beside it: %w", path, err)
		}
		out, err := process.Output(ctx, path, "--version")
		if err != nil {
			return nil, fmt.Errorf("%s --version: %w", path, err)
		}
		match := releasePattern.FindStringSubmatch(string(out))
		if match == nil {
			return nil, fmt.Errorf("%s --version: expected a release such as v1.36.3, got %q: was it linked without its version?", path, strings.TrimSpace(string(out)))
		}
		b.version = match[0]
		if b.minor, err = strconv.Atoi(match[1]); err != nil {
			return nil, fmt.Errorf("%s --version: %w", path, err)
		}
		found = append(found, b)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no kube-apiserver in %s: `strongroom sandbox up` builds it", bin)
	}
	slices.SortFunc(found, func(a, b binary) int { return a.minor - b.minor })
	return found, nil
}

// pick chooses the binary for an EKS version ("1.35"): that minor, else the
// next newer one, else the newest. The note is empty where it is that minor.
func pick(found []binary, version string) (binary, string, error) {
	minor, err := parseMinor(version)
	if err != nil {
		return binary{}, "", err
	}
	chosen := found[len(found)-1]
	for _, b := range found {
		if b.minor >= minor {
			chosen = b
			break
		}
	}
	if chosen.minor == minor {
		return chosen, "", nil
	}
	which := "the nearest binary built"
	if len(found) == 1 {
		which = "the only binary built"
	}
	return chosen, fmt.Sprintf("simulated version %s: runs kube-apiserver %s, %s", version, chosen.version, which), nil
}

func parseMinor(version string) (int, error) {
	minor, found := strings.CutPrefix(version, "1.")
	n, err := strconv.Atoi(minor)
	if !found || err != nil {
		return 0, fmt.Errorf("kubernetes version %q: expected major and minor, such as \"1.36\"", version)
	}
	return n, nil
}
