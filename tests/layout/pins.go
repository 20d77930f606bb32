package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// costly are the modules that take longest to compile among those that strongroom
// and its tools share. Where the go.mod files agree on them, and the build flags do
// (sandbox/toolchain), Go compiles them once: without that, `make up` on a bare
// machine takes half as long again.
var costly = []string{
	"github.com/aws/aws-sdk-go-v2",
	"github.com/google/cel-go",
	"github.com/prometheus/client_golang",
	"go.opentelemetry.io/otel",
	"golang.org/x/crypto",
	"golang.org/x/net",
	"golang.org/x/sys",
	"golang.org/x/text",
	"google.golang.org/grpc",
	"google.golang.org/protobuf",
	"k8s.io/api",
	"k8s.io/apiextensions-apiserver",
	"k8s.io/apimachinery",
	"k8s.io/apiserver",
	"k8s.io/client-go",
	"k8s.io/kube-openapi",
	"sigs.k8s.io/structured-merge-diff/v6",
}

// apart are modules of tools/ that nobody builds on the way to a running sandbox.
var apart = []string{"tools/golangci-lint", "tools/crds", "tools/flux/crds"}

// pinsOf reads the versions of the costly modules from every go.mod of the
// repository: folder -> module -> version, replacements counted.
func pinsOf(root string) (map[string]map[string]string, error) {
	pins := map[string]map[string]string{}
	files := []string{filepath.Join(root, "go.mod")}
	for _, pattern := range []string{"tools/*/go.mod", "tools/*/*/go.mod"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	for _, file := range files {
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return nil, err
		}
		if slices.Contains(apart, filepath.ToSlash(folder)) {
			continue
		}
		versions, err := required(file)
		if err != nil {
			return nil, err
		}
		pins[filepath.ToSlash(folder)] = versions
	}
	return pins, nil
}

// required reads the versions out of one go.mod: module -> version, replacements
// counted.
func required(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse(file, text, nil)
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for _, r := range mod.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	for _, r := range mod.Replace {
		if _, required := versions[r.Old.Path]; required {
			versions[r.Old.Path] = r.New.Version
		}
	}
	return versions, nil
}

// disagreements says for each costly module that has more than one version who
// wants which.
func disagreements(pins map[string]map[string]string) []string {
	var out []string
	for _, module := range costly {
		folders := map[string][]string{}
		for folder, versions := range pins {
			if v := versions[module]; v != "" {
				folders[v] = append(folders[v], folder)
			}
		}
		if len(folders) < 2 {
			continue
		}
		var wants []string
		for version, who := range folders {
			slices.Sort(who)
			wants = append(wants, version+" in "+strings.Join(who, ", "))
		}
		slices.Sort(wants)
		out = append(out, fmt.Sprintf("%s is compiled %d times: %s; `go get %s@<the newest of them>` in the others", module, len(folders), strings.Join(wants, "; "), module))
	}
	return out
}
