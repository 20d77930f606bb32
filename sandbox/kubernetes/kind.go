package kubernetes

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// notObjects are modules of the package that hold no Kubernetes objects.
var notObjects = map[string]bool{
	"helm.sh/v2": true, "helm.sh/v3": true, "helm.sh/v4": true,
	"yaml": true, "yaml/v2": true, "kustomize": true, "kustomize/v2": true,
}

// kindOf reads the kind from a type token, for example "kubernetes:core/v1:Namespace" or
// "kubernetes:source.toolkit.fluxcd.io/v1:GitRepository".
func (p *Provider) kindOf(urn string) (schema.GroupVersionKind, error) {
	token := plugin.TypeOf(urn)
	parts := strings.Split(token, ":")
	if len(parts) != 3 || parts[0] != p.Name || parts[2] == "" || notObjects[parts[1]] {
		return schema.GroupVersionKind{}, p.Unsupported("resource type", token)
	}
	group, version, ok := strings.Cut(parts[1], "/")
	if !ok || version == "" || strings.Contains(version, "/") {
		return schema.GroupVersionKind{}, p.Unsupported("resource type", token)
	}
	if group == "core" {
		group = ""
	}
	return schema.GroupVersionKind{Group: group, Version: version, Kind: parts[2]}, nil
}

// refusedKind says why objects of this type cannot be made, or "".
func refusedKind(token schema.GroupVersionKind, inputs resource.PropertyMap) string {
	kind := ""
	if v := plugin.Open(inputs)["kind"]; v.IsString() {
		kind = v.StringValue()
	}
	switch {
	case strings.HasSuffix(token.Kind, "Patch") && kind == strings.TrimSuffix(token.Kind, "Patch"):
		return fmt.Sprintf("the sandbox's provider does not patch objects that others own: declare the %s itself, "+
			"or use the official plugin (--plugins official)", kind)
	case strings.HasSuffix(token.Kind, "List") && inputs.HasValue("items"):
		return fmt.Sprintf("a list is not an object of the cluster: declare its items, each as a %s",
			strings.TrimSuffix(token.Kind, "List"))
	case kind != "" && kind != token.Kind:
		return fmt.Sprintf("kind: expected %q as in the type, got %q", token.Kind, kind)
	}
	return ""
}

// clusterScoped are the built-in kinds outside namespaces, for when no cluster can be
// asked. https://kubernetes.io/docs/reference/kubernetes-api/
var clusterScoped = map[schema.GroupKind]bool{
	{Kind: "Namespace"}:        true,
	{Kind: "Node"}:             true,
	{Kind: "PersistentVolume"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:     true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}:   true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"}:        true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicy"}:          true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicyBinding"}:   true,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:                 true,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:                             true,
	{Group: "certificates.k8s.io", Kind: "CertificateSigningRequest"}:                 true,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "FlowSchema"}:                       true,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "PriorityLevelConfiguration"}:       true,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                                true,
	{Group: "networking.k8s.io", Kind: "IPAddress"}:                                   true,
	{Group: "networking.k8s.io", Kind: "ServiceCIDR"}:                                 true,
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                                      true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                         true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                  true,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                               true,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                                      true,
	{Group: "storage.k8s.io", Kind: "CSINode"}:                                        true,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                                   true,
	{Group: "storage.k8s.io", Kind: "VolumeAttachment"}:                               true,
	{Group: "storage.k8s.io", Kind: "VolumeAttributesClass"}:                          true,
}

// namespaced reports whether objects of a kind live in a namespace: as the program's own
// definitions say, else the cluster c (nil for none), else what Kubernetes has built in.
// A kind nobody knows is taken for one that does, as in the official plugin.
func (p *Provider) namespaced(gvk schema.GroupVersionKind, c *cluster) bool {
	p.mu.Lock()
	declared, ok := p.declared[gvk.GroupKind()]
	p.mu.Unlock()
	if ok {
		return declared
	}
	if clusterScoped[gvk.GroupKind()] {
		return false
	}
	if c != nil {
		if namespaced, known := c.namespaced(gvk); known {
			return namespaced
		}
	}
	return true
}

// declare remembers the scope that a CustomResourceDefinition gives its kind.
func (p *Provider) declare(definition resource.PropertyMap) {
	plain, _ := plugin.PlainMap(definition)
	spec, _ := plain["spec"].(map[string]any)
	names, _ := spec["names"].(map[string]any)
	group, _ := spec["group"].(string)
	kind, _ := names["kind"].(string)
	scope, _ := spec["scope"].(string)
	if group == "" || kind == "" || scope == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.declared[schema.GroupKind{Group: group, Kind: kind}] = scope == "Namespaced"
}
