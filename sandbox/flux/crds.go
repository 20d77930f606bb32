package flux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
)

// partOf labels what the operator installs; the uninstallation finds it by that.
const (
	partOf     = "app.kubernetes.io/part-of"
	partOfFlux = "flux"
)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// establishLimit is how long the API server may take to serve a new kind.
const establishLimit = 30 * time.Second

// applyCRDs installs a set of the toolchain's CRDs and returns when they serve.
func (f *Flux) applyCRDs(ctx context.Context, set string) error {
	crds, err := readCRDs(filepath.Join(f.options.CRDDir, set))
	if err != nil {
		return err
	}
	for _, crd := range crds {
		if set == "flux" {
			crd.SetLabels(map[string]string{partOf: partOfFlux})
		}
		if err := f.apply(ctx, definitions, crd); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, establishLimit, fmt.Errorf("not served after %s", establishLimit))
	defer cancel()
	for _, crd := range crds {
		if err := f.established(ctx, crd.GetName()); err != nil {
			return err
		}
	}
	return nil
}

func (f *Flux) established(ctx context.Context, name string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		crd, err := f.dynamic.Resource(definitions).Get(ctx, name, metav1.GetOptions{})
		if err == nil && fluxstatus.ConditionOf(crd, "Established").Status == "True" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the CRD %q: %w", name, errors.Join(context.Cause(ctx), err))
		case <-tick.C:
		}
	}
}

// readCRDs reads the CRDs in a folder.
func readCRDs(dir string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no CRDs in %s: `strongroom sandbox tools` lays them out", dir)
	}
	var crds []*unstructured.Unstructured
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the CRDs: %w", err)
		}
		crd := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(data, &crd.Object); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if crd.GetKind() == "CustomResourceDefinition" {
			crds = append(crds, crd)
		}
	}
	return crds, nil
}

// apply is a server-side apply of an object without a namespace, or with one.
func (f *Flux) apply(ctx context.Context, kind schema.GroupVersionResource, object *unstructured.Unstructured) error {
	_, err := f.dynamic.Resource(kind).Namespace(object.GetNamespace()).Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: manager, Force: true})
	if err != nil {
		return fmt.Errorf("%s %q: %w", strings.ToLower(object.GetKind()), object.GetName(), err)
	}
	return nil
}
