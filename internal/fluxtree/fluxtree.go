// Package fluxtree builds the folders of gitops/ as Flux does.
package fluxtree

import (
	"fmt"
	"path"

	"sigs.k8s.io/kustomize/api/krusty"
	kustypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Build makes the objects of a folder with a kustomization.yaml, as kustomize-controller
// does, before its variables are filled in. root is where the checkout lies in files,
// folder is below it, with slashes.
func Build(files filesys.FileSystem, root, folder string) ([]map[string]any, error) {
	at := path.Join(root, folder)
	if !files.Exists(path.Join(at, "kustomization.yaml")) {
		return nil, fmt.Errorf("path %s: there is no kustomization.yaml: Flux would take every file there, add one that lists them", folder)
	}
	options := krusty.MakeDefaultOptions()
	// As in kustomize-controller, which keeps inside of the repository by other means.
	options.LoadRestrictions = kustypes.LoadRestrictionsNone
	built, err := krusty.MakeKustomizer(options).Run(files, at)
	if err != nil {
		return nil, fmt.Errorf("path %s: kustomize: %w", folder, err)
	}
	var objects []map[string]any
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, fmt.Errorf("path %s: %w", folder, err)
		}
		var o map[string]any
		if err := yaml.Unmarshal(text, &o); err != nil {
			return nil, fmt.Errorf("path %s: %w", folder, err)
		}
		objects = append(objects, o)
	}
	return objects, nil
}
