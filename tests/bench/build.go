package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// withHelmV3 is laid over the program to build what it would cost to import
// the Kubernetes SDK's helm/v3 package, which pulls in every Kubernetes type.
const withHelmV3 = `package main

import _ "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/helm/v3"
`

// measureBuild builds the Pulumi program twice, each with an empty build cache
// and a warm module cache: as it is, and with helm/v3 imported.
func measureBuild(ctx context.Context, b bench) (string, error) {
	tmp, err := os.MkdirTemp("", "strongroom-bench-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	extra := filepath.Join(tmp, "helmv3.go")
	if err := os.WriteFile(extra, []byte(withHelmV3), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(b.root, "helmv3.go"): extra}})
	if err != nil {
		return "", err
	}
	overlayFile := filepath.Join(tmp, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return "", err
	}
	build := func(cache string, args ...string) (usage, error) {
		env := []string{"GOCACHE=" + filepath.Join(tmp, cache)}
		args = append(append([]string{"build"}, args...), "-o", filepath.Join(tmp, cache+".bin"), ".")
		return measureCommand(ctx, b.root, env, "go", args...)
	}
	ours, err := build("ours")
	if err != nil {
		return "", err
	}
	fmt.Printf("  as it is: %s, %s\n", ours.seconds(), ours.gigabytes())
	theirs, err := build("helmv3", "-overlay", overlayFile)
	if err != nil {
		return "", err
	}
	fmt.Printf("  with helm/v3: %s, %s\n", theirs.seconds(), theirs.gigabytes())
	slower := ours.elapsed.Seconds() / theirs.elapsed.Seconds()
	larger := float64(ours.peak) / float64(theirs.peak)
	return "Memory is the largest sum over all processes of the build. " + yardstickText(theirs.elapsed, time.Now()) + "\n\n" + table([]row{
		promise("time, of the same program importing `kubernetes/helm/v3`", "at most 0.42", fmt.Sprintf("%.2f (%s / %s)", slower, ours.seconds(), theirs.seconds()), slower <= 0.42),
		promise("peak memory, of the same", "at most 0.75", fmt.Sprintf("%.2f (%s / %s)", larger, ours.gigabytes(), theirs.gigabytes()), larger <= 0.75),
	}), nil
}
