package layout

import (
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
