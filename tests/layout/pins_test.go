package layout

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Proves that strongroom and its tools agree on what they share and what is slow
// to compile.
func TestPinsAgree(t *testing.T) {
	pins, err := pinsOf(root)
	if err != nil {
		t.Fatal(err)
	}
	if pins["."]["k8s.io/client-go"] == "" || pins["tools/kubernetes"]["k8s.io/client-go"] == "" {
		t.Fatalf("the go.mod files were not read: %v", pins)
	}
	for _, d := range disagreements(pins) {
		t.Error(d)
	}
}

func TestDisagreements(t *testing.T) {
	got := disagreements(map[string]map[string]string{
		".":          {"golang.org/x/net": "v0.1.0", "k8s.io/api": "v0.1.0", "example.com/cheap": "v1.0.0"},
		"tools/etcd": {"golang.org/x/net": "v0.2.0", "k8s.io/api": "v0.1.0", "example.com/cheap": "v2.0.0"},
	})
	want := "golang.org/x/net is compiled 2 times: v0.1.0 in .; v0.2.0 in tools/etcd"
	if len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("got %q, want one that begins with %q", got, want)
	}
}

// Proves that make compiles with the flags that the tools are compiled with.
func TestCompilerFlagsAgree(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	tools, err := os.ReadFile(filepath.Join(root, "sandbox", "toolchain", "modules.go"))
	if err != nil {
		t.Fatal(err)
	}
	ours := regexp.MustCompile(`(?m)^COMPILER := (.+)$`).FindSubmatch(makefile)
	theirs := regexp.MustCompile(`(?m)^const compilerFlags = "(.+)"$`).FindSubmatch(tools)
	if ours == nil || theirs == nil || string(ours[1]) != string(theirs[1]) {
		t.Errorf("COMPILER in Makefile is %q, compilerFlags in sandbox/toolchain is %q: what strongroom and its tools share would be compiled twice", ours, theirs)
	}
	compiles := regexp.MustCompile(`(?m)^\t@?go (?:build|run|test|vet) (.*)$`)
	commands := compiles.FindAllStringSubmatch(string(makefile), -1)
	if len(commands) < 5 {
		t.Fatalf("Makefile: found %d commands that compile: %q", len(commands), commands)
	}
	for _, command := range commands {
		if !strings.HasPrefix(command[1], "$(COMPILER) ") {
			t.Errorf("Makefile: %q lacks $(COMPILER): it compiles everything once more", strings.TrimSpace(command[0]))
		}
	}
}
