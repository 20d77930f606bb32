package fluxbootstrap

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/kubeobject"
	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

// syncName is the name of the root objects, which the tree refers to.
const syncName = "flux-system"

// sync points Flux at the cluster's folder. A destroy goes through here backwards:
// the Kustomization first, whose finalizer makes Flux remove what it made; then the
// repository; then Flux itself. With the sync inside of the FluxInstance, Flux would be
// gone before it could, and what it made would stay with finalizers that nobody ends.
func (b *builder) sync(after ...pulumi.Resource) (pulumi.Resource, error) {
	repository, err := b.object("repository", "source.toolkit.fluxcd.io/v1", "GitRepository", map[string]any{
		"interval":  "1m",
		"timeout":   "60s",
		"url":       b.args.Git.URL,
		"ref":       map[string]any{"branch": b.args.Git.Branch},
		"secretRef": map[string]any{"name": readSecret},
	}, after...)
	if err != nil {
		return nil, err
	}
	return b.object("sync", "kustomize.toolkit.fluxcd.io/v1", "Kustomization", map[string]any{
		"interval":      "10m",
		"retryInterval": "1m",
		"timeout":       "5m",
		"prune":         true,
		"path":          "./" + b.args.path(),
		"sourceRef":     map[string]any{"kind": "GitRepository", "name": syncName},
		// The default service account has no rights: see multitenant in operator.go.
		"serviceAccountName": "kustomize-controller",
		// Gone means that all it made is gone.
		"deletionPolicy": "WaitForTermination",
	}, repository)
}

// object makes one of the two root objects.
func (b *builder) object(what, apiVersion, kind string, spec map[string]any, after ...pulumi.Resource) (pulumi.Resource, error) {
	made, err := kubeobject.NewCustom(b.ctx, apiVersion, kind, b.name+"-"+what, kubeobject.Metadata{
		Name:      pulumi.String(syncName),
		Namespace: pulumi.String(runtimeinfo.Namespace),
		Labels:    labels(),
	}, spec, b.child(
		pulumi.DependsOn(after),
		// A tree with Vault in it takes its time to go.
		pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: "20m"}),
	)...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return made, nil
}
