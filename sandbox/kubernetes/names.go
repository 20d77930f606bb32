package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// Annotations that people and this provider write on objects, as the official plugin
// names them: https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/
const (
	annotationAutonamed   = "pulumi.com/autonamed"
	annotationSkipAwait   = "pulumi.com/skipAwait"
	annotationTimeout     = "pulumi.com/timeoutSeconds"
	annotationWaitFor     = "pulumi.com/waitFor"
	annotationPatchForce  = "pulumi.com/patchForce"
	annotationManager     = "pulumi.com/patchFieldManager"
	annotationPropagation = "pulumi.com/deletionPropagationPolicy"

	annotationReplaceUnready = "pulumi.com/replaceUnready"
)

// setName gives an object without a name one: that of its previous inputs when they were
// named here, else the engine's proposal, else the Pulumi name and eight random digits.
func setName(metadata resource.PropertyMap, olds resource.PropertyMap, req *pulumirpc.CheckRequest) error {
	if v, ok := metadata["name"]; ok && !v.IsNull() {
		return nil
	}
	if v, ok := metadata["generateName"]; ok && !v.IsNull() {
		return errors.New("metadata.generateName does not work with server-side apply: " +
			"leave metadata.name out to have a name made, or set it")
	}
	if previous, ok := metadataOf(olds); ok && isAutonamed(olds) {
		markAutonamed(metadata, textIn(previous, "name"))
		return nil
	}
	switch options := req.GetAutonaming(); {
	case options == nil:
	case options.GetMode() == pulumirpc.CheckRequest_AutonamingOptions_DISABLE:
		return errors.New("metadata.name is required, because automatic names are switched off")
	case options.GetProposedName() != "":
		markAutonamed(metadata, options.GetProposedName())
		return nil
	}
	name, err := resource.NewUniqueName(req.GetRandomSeed(), plugin.NameOf(req.GetUrn())+"-", 0, 0, nil)
	if err != nil {
		return err
	}
	markAutonamed(metadata, name)
	return nil
}

func markAutonamed(metadata resource.PropertyMap, name string) {
	metadata["name"] = resource.NewProperty(name)
	annotations := resource.PropertyMap{}
	if v, ok := metadata["annotations"]; ok && !v.IsNull() {
		if !v.IsObject() {
			return // unknown or secret: nothing can be put into it
		}
		annotations = v.ObjectValue().Copy()
	}
	annotations[annotationAutonamed] = resource.NewProperty("true")
	metadata["annotations"] = resource.NewProperty(annotations)
}

// isAutonamed reports whether the name was made here.
func isAutonamed(inputs resource.PropertyMap) bool {
	metadata, ok := metadataOf(inputs)
	if !ok || textIn(metadata, "name") == "" {
		return false
	}
	annotations, _ := plugin.Plain(metadata["annotations"])
	values, _ := annotations.(map[string]any)
	return values[annotationAutonamed] == "true"
}

// fieldManager is the name under which a resource's fields are applied. The official
// plugin draws one at random and keeps it in the state; here it follows from the URN, so
// that a run after one that was killed between the creation and the state owns what that
// run made, instead of conflicting with it.
func fieldManager(urn string, state resource.PropertyMap, annotation string) string {
	if annotation != "" {
		return annotation
	}
	if kept := textIn(state, fieldManagerKey); kept != "" {
		return kept
	}
	sum := sha256.Sum256([]byte(urn))
	return "pulumi-kubernetes-" + hex.EncodeToString(sum[:4])
}
