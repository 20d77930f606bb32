// Package fluxstatus reads how Flux's objects in a cluster are, in one line each.
package fluxstatus

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The kinds that a person asks about first.
const (
	GitRepository  = "GitRepository"
	HelmRepository = "HelmRepository"
	Kustomization  = "Kustomization"
	HelmRelease    = "HelmRelease"
)

// Kinds are the kinds that are looked at, in the versions of Flux 2.9.
var Kinds = map[string]schema.GroupVersionResource{
	GitRepository:   {Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"},
	HelmRepository:  {Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "helmrepositories"},
	"OCIRepository": {Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "ocirepositories"},
	"HelmChart":     {Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "helmcharts"},
	Kustomization:   {Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Resource: "kustomizations"},
	HelmRelease:     {Group: "helm.toolkit.fluxcd.io", Version: "v2", Resource: "helmreleases"},
}

// Object is the state of one of Flux's objects.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Ready is what its condition says of its newest generation.
	Ready bool `json:"ready"`
	// Failed says that it was tried and did not succeed; what is neither ready nor
	// failed is under way.
	Failed    bool `json:"failed,omitempty"`
	Suspended bool `json:"suspended,omitempty"`
	// Reason says in one line how it is: the condition's reason and message, with
	// what to do about it in front where that is known.
	Reason string `json:"reason,omitempty"`
	// Revision is the last one that was fetched or applied.
	Revision string `json:"revision,omitempty"`
	// DependsOn are the objects of the same kind that come first, as
	// "namespace/name".
	DependsOn []string `json:"dependsOn,omitempty"`
	// Chart is what a release has installed last, "vault 0.34.1", and Stub says that it
	// is a stub chart, both only in the sandbox.
	Chart string `json:"chart,omitempty"`
	Stub  bool   `json:"stub,omitempty"`
	// Seen is when it was there, ReadyAt when it was ready for the first time,
	// both only where somebody watches.
	Seen    time.Time `json:"seen,omitzero"`
	ReadyAt time.Time `json:"readyAt,omitzero"`
}

// ID is "namespace/name".
func (o Object) ID() string { return o.Namespace + "/" + o.Name }

// Describe reads an object of a kind.
func Describe(kind string, object *unstructured.Unstructured) Object {
	ready := ConditionOf(object, "Ready")
	current := ready.Generation == object.GetGeneration()
	o := Object{
		Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName(),
		Ready:    ready.Status == "True" && current,
		Failed:   ready.Status == "False" && current && !waits(ready.Reason),
		Reason:   reasonOf(ready),
		Revision: revisionOf(object),
	}
	switch {
	case ready.Status == "" && kind == HelmRepository:
		// One of type oci has no state of its own: https://fluxcd.io/flux/components/source/helmrepositories/#helm-oci-repository
		o.Ready, o.Reason = true, "of type oci"
	case ready.Status == "":
		o.Reason = "was not looked at yet"
	case !current:
		o.Reason = "its change was not looked at yet"
	}
	o.Suspended, _, _ = unstructured.NestedBool(object.Object, "spec", "suspend")
	before, _, _ := unstructured.NestedSlice(object.Object, "spec", "dependsOn")
	for _, entry := range before {
		reference, _ := entry.(map[string]any)
		name, _ := reference["name"].(string)
		namespace, _ := reference["namespace"].(string)
		o.DependsOn = append(o.DependsOn, cmp.Or(namespace, o.Namespace)+"/"+name)
	}
	return o
}

// waits says whether a reason for not being ready is that something else comes first.
func waits(reason string) bool {
	return slices.Contains([]string{"DependencyNotReady", "Progressing", "ProgressingWithRetry"}, reason)
}

// revisionOf is what an object last took in, in the place where its kind has it.
func revisionOf(object *unstructured.Unstructured) string {
	for _, path := range [][]string{
		{"status", "lastAppliedRevision"},
		{"status", "artifact", "revision"},
		{"status", "lastAttemptedRevision"},
	} {
		if text, found, _ := unstructured.NestedString(object.Object, path...); found {
			return text
		}
	}
	return ""
}

// Condition is one of an object's conditions, and the generation that it is of.
type Condition struct {
	Status, Reason, Message string
	Generation              int64
}

// ConditionOf finds a condition of an object. One that it does not have is empty.
func ConditionOf(object *unstructured.Unstructured, kind string) Condition {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, entry := range conditions {
		c, _ := entry.(map[string]any)
		if c["type"] != kind {
			continue
		}
		s := Condition{}
		s.Status, _ = c["status"].(string)
		s.Reason, _ = c["reason"].(string)
		s.Message, _ = c["message"].(string)
		s.Generation, _ = c["observedGeneration"].(int64)
		return s
	}
	return Condition{}
}

// lineLimit is what fits into one line of a table.
const lineLimit = 240

// OneLine makes one line of a message.
func OneLine(message string) string {
	line := []rune(strings.Join(strings.Fields(message), " "))
	if len(line) > lineLimit {
		return string(line[:lineLimit-1]) + "…"
	}
	return string(line)
}

// Sort puts objects into the order in which they became ready, those that are not
// last; by kind and name where nobody watched.
func Sort(objects []Object) {
	slices.SortFunc(objects, func(a, b Object) int {
		if a.ReadyAt.IsZero() != b.ReadyAt.IsZero() {
			if a.ReadyAt.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(a.ReadyAt.Compare(b.ReadyAt), strings.Compare(a.Kind, b.Kind), strings.Compare(a.ID(), b.ID()))
	})
}
