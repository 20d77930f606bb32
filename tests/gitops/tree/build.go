package tree

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	kustypes "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/internal/fluxtree"
)

// object is a Kubernetes object.
type object map[string]any

// cluster is what Flux makes of the tree in one cluster.
type cluster struct {
	name string
	// units are Flux's Kustomizations by name.
	units map[string]*unit
}

// unit is a Kustomization of Flux, with the objects that it makes.
type unit struct {
	name, path string
	spec       object
	objects    []object
}

// names returns the units' names, sorted.
func (c *cluster) names() []string {
	var names []string
	for name := range c.units {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// build makes a cluster: its folder, then what the Kustomizations in it point at, with
// the values substituted. The folders that took part are added to used.
func (t *Tree) build(name string, values map[string]string, used map[string]bool) (*cluster, error) {
	root := Root + "/clusters/" + name
	first, err := t.kustomize(root, used)
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	c := &cluster{name: name, units: map[string]*unit{}}
	// The folder itself is a unit too, the one that Pulumi declares.
	c.units[rootUnit] = &unit{name: rootUnit, path: root, objects: first, spec: object{}}
	for _, o := range first {
		if o.group() != fluxKustomize || o.kind() != "Kustomization" {
			return nil, fmt.Errorf("cluster %s: %s: %s: only Kustomizations of Flux belong here, in their order: put it into a folder that one of them points at", name, root, o)
		}
		u := &unit{name: o.name(), path: clean(o.text("spec", "path")), spec: o.object("spec")}
		c.units[u.name] = u
		built, err := t.kustomize(u.path, used)
		if err != nil {
			return nil, fmt.Errorf("cluster %s: Kustomization %s: %w", name, u.name, err)
		}
		for _, raw := range built {
			filled, err := substitute(raw, values)
			if err != nil {
				return nil, fmt.Errorf("cluster %s: Kustomization %s: %s: %w", name, u.name, raw, err)
			}
			u.objects = append(u.objects, filled)
		}
	}
	return c, nil
}

// rootUnit is the name of the Kustomization that Pulumi declares.
const rootUnit = "flux-system"

const fluxKustomize = "kustomize.toolkit.fluxcd.io"

// kustomize builds a folder as Flux does.
func (t *Tree) kustomize(folder string, used map[string]bool) ([]object, error) {
	built, err := fluxtree.Build(t.files, "/", folder)
	if err != nil {
		return nil, err
	}
	if err := t.mark(folder, used); err != nil {
		return nil, err
	}
	objects := make([]object, len(built))
	for i, o := range built {
		objects[i] = o
	}
	return objects, nil
}

// mark adds all files that a folder's kustomization takes part in to used.
func (t *Tree) mark(folder string, used map[string]bool) error {
	file := folder + "/kustomization.yaml"
	used[file] = true
	text, err := t.Read(file)
	if err != nil {
		return err
	}
	var k kustypes.Kustomization
	if err := yaml.Unmarshal([]byte(text), &k); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	names := slices.Concat(k.Resources, k.Components)
	for _, p := range k.Patches {
		names = append(names, p.Path)
	}
	for _, g := range k.ConfigMapGenerator {
		for _, source := range g.FileSources {
			_, after, renamed := strings.Cut(source, "=")
			if renamed {
				source = after
			}
			names = append(names, source)
		}
	}
	for _, name := range names {
		at := path.Join(folder, name)
		switch {
		case name == "" || used[at]:
		case t.files.IsDir("/" + at):
			if err := t.mark(at, used); err != nil {
				return err
			}
		case t.files.Exists("/" + at):
			used[at] = true
		default:
			return fmt.Errorf("%s: lists %s: %w", file, name, os.ErrNotExist)
		}
	}
	return nil
}
