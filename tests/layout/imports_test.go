package layout

import (
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// Proves that no file imports against the layout, and so that no production
// package knows the sandbox.
func TestImportsFollowTheLayout(t *testing.T) {
	imports, err := importsOf(root)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(imports["."], module+"/stacks") {
		t.Fatalf("main.go was not read: %v", imports["."])
	}
	for _, v := range violations(imports) {
		t.Error(v)
	}
}

// Proves the rules can fail: each of these imports is refused, for the right reason.
func TestViolations(t *testing.T) {
	for name, tt := range map[string]struct {
		folder, imported, want string
	}{
		"production knows the sandbox":      {"deploy", module + "/sandbox/daemon", "deploy may import only"},
		"main knows the sandbox":            {".", module + "/sandbox", ". may import only"},
		"sandbox knows the stacks":          {"sandbox/daemon", module + "/stacks", "sandbox may import only"},
		"a layer up":                        {"components/network", module + "/stacks", "components may import only"},
		"internal imports a component":      {"internal/tags", module + "/components/network", "internal may import only"},
		"components import each other":      {"components/network", module + "/components/ekscluster", "do not import each other"},
		"a component reads configuration":   {"components/network", "github.com/pulumi/pulumi/sdk/v3/go/pulumi/config", "only stacks, internal/pulumitest may"},
		"a stack drives the engine":         {"stacks", "github.com/pulumi/pulumi/sdk/v3/go/auto/optup", "only deploy"},
		"a stack talks to a cluster":        {"stacks", "k8s.io/client-go/kubernetes", "only sandbox"},
		"a graph test starts the sandbox":   {"tests/stacks", module + "/sandbox", "tests may import only"},
		"a package that takes minutes":      {"stacks", "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/helm/v3", "takes minutes"},
		"a package below one":               {"stacks", "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/yaml/v2", "takes minutes"},
		"a folder that nobody placed":       {"utilities", "fmt", "is in no part of the layout"},
		"a command imported as a library":   {"deploy", module + "/cmd/strongroom", "deploy may import only"},
		"a component imports the root":      {"components/network", module, "components may import only"},
		"the VPN authority imports a stack": {"vpnca", module + "/stacks", "vpnca may import only"},
	} {
		t.Run(name, func(t *testing.T) {
			got := violations(map[string][]string{tt.folder: {tt.imported}})
			if len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("got %q, want one violation that says %q", got, tt.want)
			}
		})
	}
}

// Proves the rules do not refuse what the layout draws.
func TestNoViolations(t *testing.T) {
	got := violations(map[string][]string{
		".":                   {module + "/stacks", "github.com/pulumi/pulumi/sdk/v3/go/pulumi"},
		"cmd/strongroom":      {module + "/deploy", module + "/sandbox"},
		"deploy":              {module + "/stacks", "github.com/pulumi/pulumi/sdk/v3/go/auto"},
		"stacks":              {module + "/components/network", "github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"},
		"components/network":  {module + "/internal/cidr", module + "/components/network"},
		"sandbox/awsprovider": {module + "/sandbox/account", "k8s.io/client-go/rest"},
		"tests/sandbox":       {module + "/sandbox", module + "/deploy"},
		"tests/stacks":        {module + "/stacks", module + "/internal/pulumitest"},
	})
	if len(got) > 0 {
		t.Errorf("got %q, want none", got)
	}
}

// Proves that the program of the stacks compiles no forbidden package, and none that it
// avoids, through anything it imports either.
func TestProgramDoesNotCompileForbiddenPackages(t *testing.T) {
	if testing.Short() {
		t.Skip("lists the dependencies of the whole program")
	}
	deps := dependencies(t, ".")
	if !slices.Contains(deps, module+"/stacks") {
		t.Fatalf("the list of %d packages is not that of the program", len(deps))
	}
	heavy := func(d string) bool { return within(d, forbidden...) || within(d, avoided...) || d == eksSDK }
	if found := slices.DeleteFunc(deps, func(d string) bool { return !heavy(d) }); len(found) > 0 {
		t.Errorf("the program compiles %q", found)
	}
}

// Proves that buildorder.go only orders what the stacks import anyway: one that they no
// longer use would be compiled for nothing.
func TestBuildOrderAddsNoPackage(t *testing.T) {
	if testing.Short() {
		t.Skip("lists the dependencies of the stacks")
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "buildorder.go"), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Imports) == 0 {
		t.Fatal("buildorder.go imports nothing: delete it")
	}
	deps := dependencies(t, "./stacks")
	for _, i := range file.Imports {
		if path := strings.Trim(i.Path.Value, `"`); !slices.Contains(deps, path) {
			t.Errorf("buildorder.go imports %s, which package stacks does not need: take it out", path)
		}
	}
}

// dependencies lists everything that a package of the project compiles.
func dependencies(t *testing.T, pkg string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", pkg)
	cmd.Dir = root
	var messages strings.Builder
	cmd.Stderr = &messages
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, messages.String())
	}
	return strings.Fields(string(out))
}
