package layout

import (
	"slices"
	"testing"

	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

// Proves that the sandbox runs the controllers of the Flux that the component pins,
// with the CRDs of all six.
func TestFluxIsOfThePinnedRelease(t *testing.T) {
	pins, err := fluxPins(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, built := range []string{"helm-controller", "kustomize-controller", "source-controller"} {
		if pins[built][built] == "" {
			t.Errorf("tools/flux/%s does not require it", built)
		}
	}
	for name := range fluxReleases[runtimeinfo.FluxVersion] {
		if pins["crds"][name] == "" {
			t.Errorf("tools/flux/crds has no CRDs of %s", name)
		}
	}
	for _, problem := range notOfRelease(pins, runtimeinfo.FluxVersion) {
		t.Error(problem)
	}
}

func TestNotOfRelease(t *testing.T) {
	pins := map[string]map[string]string{
		"crds":            {"helm-controller": "v1.6.3", "source-controller": "v1.9.5", "pkg": "v0.1.0"},
		"helm-controller": {"helm-controller": "v1.6.1"},
	}
	got, want := notOfRelease(pins, "2.9.4"), []string{
		"tools/flux/crds has source-controller v1.9.5, and Flux 2.9.4 has v1.9.4",
		"tools/flux/helm-controller has helm-controller v1.6.1, and Flux 2.9.4 has v1.6.3",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := notOfRelease(pins, "2.10.0"); len(got) != 1 {
		t.Errorf("a release that is not listed: got %q", got)
	}
}
