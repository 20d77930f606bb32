package charts

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/strongroom-platform/strongroom/internal/fluxtree"
	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

// Pin is a chart of one version, and where it is published.
type Pin struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Source is the repository: "https://charts.example.com", or
	// "oci://ghcr.io/example/charts", to which the chart's name is added.
	Source string `json:"source"`
}

func (p Pin) String() string { return p.Name + " " + p.Version }

// repository is the source as the registry of the sandbox has it in its paths.
func (p Pin) repository() string {
	_, place, _ := strings.Cut(p.Source, "://")
	return strings.Trim(place, "/")
}

// operatorNames are the charts that the component fluxbootstrap installs.
var operatorNames = []string{"flux-operator", "flux-instance"}

func operatorPin(name string) Pin {
	return Pin{Name: name, Version: runtimeinfo.OperatorVersion, Source: runtimeinfo.OperatorCharts}
}

// Pinned lists the charts that the component fluxbootstrap and the trees of all
// clusters in a checkout pin, each once.
func Pinned(checkout string) ([]Pin, error) {
	var pins []Pin
	for _, name := range operatorNames {
		pins = append(pins, operatorPin(name))
	}
	for _, cluster := range runtimeinfo.Clusters() {
		objects, err := treeOf(checkout, cluster)
		if err != nil {
			return nil, fmt.Errorf("charts of cluster %s: %w", cluster, err)
		}
		of, err := pinsOf(objects)
		if err != nil {
			return nil, fmt.Errorf("charts of cluster %s: %w", cluster, err)
		}
		pins = append(pins, of...)
	}
	slices.SortFunc(pins, func(a, b Pin) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version), strings.Compare(a.Source, b.Source))
	})
	return slices.Compact(pins), nil
}

// treeOf builds what Flux's Kustomizations of a cluster point at.
func treeOf(checkout, cluster string) ([]unstructured.Unstructured, error) {
	files := filesys.MakeFsOnDisk()
	units, err := fluxtree.Build(files, checkout, "gitops/clusters/"+cluster)
	if err != nil {
		return nil, err
	}
	var all []unstructured.Unstructured
	for _, u := range units {
		unit := unstructured.Unstructured{Object: u}
		built, err := fluxtree.Build(files, checkout, path.Clean(text(unit, "spec", "path")))
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", unit.GetKind(), unit.GetName(), err)
		}
		for _, o := range built {
			all = append(all, unstructured.Unstructured{Object: o})
		}
	}
	return all, nil
}

// pinsOf finds the chart of every HelmRelease. One that lies in Git has no host.
func pinsOf(objects []unstructured.Unstructured) ([]Pin, error) {
	var pins []Pin
	for _, o := range objects {
		if o.GetKind() != "HelmRelease" {
			continue
		}
		reference, _, _ := unstructured.NestedStringMap(o.Object, "spec", "chartRef")
		if reference == nil {
			reference, _, _ = unstructured.NestedStringMap(o.Object, "spec", "chart", "spec", "sourceRef")
		}
		if reference["kind"] == "GitRepository" {
			continue
		}
		id := reference["kind"] + " " + cmp.Or(reference["namespace"], o.GetNamespace()) + "/" + reference["name"]
		at := slices.IndexFunc(objects, func(s unstructured.Unstructured) bool {
			return s.GetKind()+" "+s.GetNamespace()+"/"+s.GetName() == id
		})
		if at < 0 {
			return nil, fmt.Errorf("HelmRelease %s/%s: its source %s is not in the tree", o.GetNamespace(), o.GetName(), id)
		}
		pin := Pin{Name: text(o, "spec", "chart", "spec", "chart"), Version: text(o, "spec", "chart", "spec", "version"), Source: text(objects[at], "spec", "url")}
		if reference["kind"] == "OCIRepository" {
			pin.Source, pin.Name = path.Split(pin.Source)
			pin.Version = text(objects[at], "spec", "ref", "tag")
		}
		pin.Source = strings.TrimRight(pin.Source, "/")
		if err := pin.check(); err != nil {
			return nil, fmt.Errorf("HelmRelease %s/%s: %w", o.GetNamespace(), o.GetName(), err)
		}
		pins = append(pins, pin)
	}
	return pins, nil
}

// check refuses what no one archive can be fetched for.
func (p Pin) check() error {
	if !nameForm.MatchString(p.Name) {
		return fmt.Errorf("%q is no name of a chart", p.Name)
	}
	if !versionForm.MatchString(p.Version) {
		return fmt.Errorf("chart %s: version %q: expected an exact one, such as 1.2.3", p.Name, p.Version)
	}
	scheme, place, found := strings.Cut(p.Source, "://")
	if !found || place == "" || scheme != "https" && scheme != "oci" {
		return fmt.Errorf("chart %s: source %q: expected an https:// or oci:// address", p.Name, p.Source)
	}
	return nil
}

func text(o unstructured.Unstructured, keys ...string) string {
	s, _, _ := unstructured.NestedString(o.Object, keys...)
	return s
}
