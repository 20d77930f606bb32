// Package layout holds the project's import edges, as docs/architecture.md draws
// them: `main, cmd -> deploy -> stacks -> components -> internal`, and a sandbox
// that no production package knows.
package layout

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/strongroom-platform/strongroom"

// edges says, for each part of the project, what else of the project it may
// import. A part is a folder below the root, "." is main.go. Every folder with Go
// code must be in a part, so that a new one is placed on purpose.
var edges = map[string][]string{
	".":          {"stacks"},
	"cmd":        {"deploy", "stacks", "sandbox", "vpnca", "internal"},
	"deploy":     {"stacks", "internal"},
	"stacks":     {"components", "internal"},
	"components": {"internal"},
	"internal":   {"internal"},
	"vpnca":      {"internal"},
	"sandbox":    {"sandbox", "internal"},
	"tests":      {".", "deploy", "stacks", "components", "internal", "vpnca", "tests"},
	// The real OpenVPN is configured from what the component makes, with the
	// sandbox's tls provider.
	"tests/vpn":   {"components", "sandbox", "vpnca", "internal"},
	"tests/bench": {"deploy", "stacks", "components", "sandbox", "internal"},
	// The engine tests drive what a person drives, and parts of it on their own.
	"tests/sandbox": {"cmd", "deploy", "stacks", "components", "sandbox", "internal", "tests"},
}

// alone lists the parts whose packages may not import each other.
var alone = []string{"components"}

// forbidden lists packages of the SDKs that compile every Kubernetes or WAF type:
// each makes a cold build about three times as long (docs/benchmarks.md).
var forbidden = []string{
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/helm/v3",
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/yaml",
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/kustomize",
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2",
}

// avoided lists packages of the SDKs that the program does without, for the time and the
// memory that its build takes: internal/kubeobject and components/ekscluster/remote.go
// register what they would. Tests hold both against them, and so may import them.
var avoided = []string{
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions",
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core",
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta",
}

// eksSDK is avoided too; the package of its version, which is below it, is not.
const eksSDK = "github.com/pulumi/pulumi-eks/sdk/v2/go/eks"

// only says which packages may import a package that not everyone may.
var only = map[string][]string{
	// One reader of the configuration: a component is told, it does not look.
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config": {"stacks", "internal/pulumitest"},
	// One driver of the engine.
	"github.com/pulumi/pulumi/sdk/v3/go/auto": {"deploy", "tests/sandbox", "tests/bench"},
	// The program of the stacks never talks to AWS or a cluster on its own, but for the
	// one way to Vault.
	"k8s.io/client-go": {"sandbox", "deploy", "cmd", "internal/vaultaccess", "tests/sandbox", "tests/bench"},
}

// importsOf reads the imports of every Go package below root, test files included,
// by folder relative to root with slashes. Folders with a go.mod of their own and
// folders that Go ignores are left out.
func importsOf(root string) (map[string][]string, error) {
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			base := entry.Name()
			if rel != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
				base == "testdata" || base == "node_modules" || base == "tools") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(rel))
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", rel, err)
			}
			if !slices.Contains(imports[folder], imported) {
				imports[folder] = append(imports[folder], imported)
			}
		}
		return nil
	})
	return imports, err
}

// violations lists the imports that break the rules above, sorted.
func violations(imports map[string][]string) []string {
	var found []string
	for _, folder := range slices.Sorted(maps.Keys(imports)) {
		part := partOf(folder)
		if part == "" {
			found = append(found, fmt.Sprintf("%s: is in no part of the layout: add it to edges in tests/layout", folder))
			continue
		}
		for _, imported := range imports[folder] {
			if why := refused(part, folder, imported); why != "" {
				found = append(found, fmt.Sprintf("%s: imports %s: %s", folder, imported, why))
			}
		}
	}
	slices.Sort(found)
	return found
}

func refused(part, folder, imported string) string {
	if within(imported, forbidden...) {
		return "this package takes minutes to compile"
	}
	for _, key := range slices.Sorted(maps.Keys(only)) {
		if within(imported, key) && !within(folder, only[key]...) {
			return fmt.Sprintf("only %s may", strings.Join(only[key], ", "))
		}
	}
	if !within(imported, module) {
		return ""
	}
	target := strings.TrimPrefix(strings.TrimPrefix(imported, module), "/")
	if target == "" {
		target = "."
	}
	to := partOf(target)
	switch {
	case target == folder: // a test beside the code, in a package of its own
		return ""
	case slices.Contains(alone, part) && to == part && !within(target, folder) && !within(folder, target):
		return fmt.Sprintf("packages in %s do not import each other", part)
	case to == part && part != ".":
		return ""
	case !slices.Contains(edges[part], to):
		return fmt.Sprintf("%s may import only %s", part, strings.Join(edges[part], ", "))
	}
	return ""
}

// partOf returns the longest part that folder is in, or "".
func partOf(folder string) string {
	for at := folder; ; at = path.Dir(at) {
		if _, ok := edges[at]; ok && (at != "." || folder == ".") {
			return at
		}
		if at == "." || at == "/" {
			return ""
		}
	}
}

// within reports whether a path is one of the outer paths or below one.
func within(inner string, outer ...string) bool {
	return slices.ContainsFunc(outer, func(o string) bool {
		return inner == o || strings.HasPrefix(inner, o+"/")
	})
}
