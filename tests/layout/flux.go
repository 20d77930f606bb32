package layout

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
)

// fluxReleases are the controllers of each release of Flux that the tree may be
// written for: https://github.com/fluxcd/flux2/tree/main/manifests/bases at its tag.
var fluxReleases = map[string]map[string]string{
	"2.9.4": {
		"helm-controller":             "v1.6.3",
		"image-automation-controller": "v1.2.4",
		"image-reflector-controller":  "v1.2.4",
		"kustomize-controller":        "v1.9.4",
		"notification-controller":     "v1.9.3",
		"source-controller":           "v1.9.4",
	},
}

// fluxModules are the folders whose go.mod says which controllers the sandbox
// builds, and whose CRDs it takes.
const fluxModules = "tools/flux/*/go.mod"

// fluxPins reads them: folder -> controller -> version.
func fluxPins(root string) (map[string]map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(fluxModules)))
	if err != nil {
		return nil, err
	}
	pins := map[string]map[string]string{}
	for _, file := range files {
		versions, err := required(file)
		if err != nil {
			return nil, err
		}
		folder := filepath.Base(filepath.Dir(file))
		pins[folder] = map[string]string{}
		for module, version := range versions {
			if dir, name := path.Split(module); dir == "github.com/fluxcd/" {
				pins[folder][name] = version
			}
		}
	}
	return pins, nil
}

// notOfRelease says which pins are not those of a release of Flux.
func notOfRelease(pins map[string]map[string]string, release string) []string {
	want, known := fluxReleases[release]
	if !known {
		return []string{fmt.Sprintf("Flux %s: its controllers are not listed: add them to fluxReleases, and build them in tools/flux", release)}
	}
	var problems []string
	for _, folder := range slices.Sorted(maps.Keys(pins)) {
		for _, name := range slices.Sorted(maps.Keys(pins[folder])) {
			if version := pins[folder][name]; want[name] != "" && version != want[name] {
				problems = append(problems, fmt.Sprintf("tools/flux/%s has %s %s, and Flux %s has %s", folder, name, version, release, want[name]))
			}
		}
	}
	return problems
}
