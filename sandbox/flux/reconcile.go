package flux

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
)

// rootName is the name of the two root objects, the repository and the Kustomization.
const rootName = "flux-system"

// Reconcile makes Flux look at its repository now, as `flux reconcile` does. A
// cluster that was not handed over is left alone.
func (f *Flux) Reconcile(ctx context.Context) error {
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":%q}}}`, time.Now().Format(time.RFC3339Nano))
	_, err := f.dynamic.Resource(fluxstatus.Kinds[fluxstatus.GitRepository]).Namespace(Namespace).
		Patch(ctx, rootName, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: manager})
	if err != nil && !gone(err) {
		return fmt.Errorf("flux of cluster %q: %w", f.options.Cluster, err)
	}
	return nil
}

// Unready lists what must still become ready before the tree of a revision is in
// place. It is empty when every Kustomization has applied it and is ready. What a
// person has suspended is not waited for.
func (s Status) Unready(revision string) []Object {
	suspended := false
	for _, o := range s.Objects {
		suspended = suspended || o.Kind == fluxstatus.GitRepository && o.ID() == Namespace+"/"+rootName && o.Suspended
	}
	var left []Object
	root := false
	for _, o := range s.Objects {
		if o.Kind != fluxstatus.Kustomization {
			continue
		}
		root = root || o.ID() == Namespace+"/"+rootName
		if o.Suspended {
			continue
		}
		if o.Ready && !suspended && o.Revision != revision {
			o.Ready, o.Reason = false, "has "+o.Revision+", and the working tree is "+revision
		}
		if !o.Ready {
			left = append(left, o)
		}
	}
	if !root {
		left = append(left, Object{Kind: fluxstatus.Kustomization, Namespace: Namespace, Name: rootName, Reason: "is not there yet"})
	}
	return left
}
