package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// immutable are the fields whose change replaces an object, beside its kind, name and
// namespace, as the official plugin lists them (provider/pkg/provider/diff.go).
var immutable = map[schema.GroupKind][]string{
	{Group: "apps", Kind: "DaemonSet"}:                               {"spec.selector"},
	{Group: "apps", Kind: "Deployment"}:                              {"spec.selector"},
	{Group: "apps", Kind: "StatefulSet"}:                             {"spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"},
	{Group: "batch", Kind: "Job"}:                                    {"spec.completions", "spec.parallelism", "spec.selector", "spec.template"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: {"roleRef"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        {"roleRef"},
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                  {"parameters", "provisioner"},
	{Kind: "PersistentVolume"}: {"spec.awsElasticBlockStore", "spec.azureDisk", "spec.azureFile", "spec.cephfs", "spec.cinder", "spec.csi",
		"spec.fc", "spec.flexVolume", "spec.flocker", "spec.gcePersistentDisk", "spec.glusterfs", "spec.hostPath", "spec.iscsi",
		"spec.local", "spec.nfs", "spec.photonPersistentDisk", "spec.portworxVolume", "spec.quobyte", "spec.rbd", "spec.scaleIO",
		"spec.storageos", "spec.vsphereVolume"},
	{Kind: "PersistentVolumeClaim"}: {"spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"},
	{Kind: "Pod"}:                   podFields(),
	{Kind: "ResourceQuota"}:         {"spec.scopes"},
	{Kind: "Secret"}:                {"type"},
	{Kind: "Service"}:               {"spec.clusterIP"},
}

func podFields() []string {
	var result []string
	for _, field := range []string{"affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks",
		"hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead",
		"preemptionPolicy", "priority", "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName", "schedulerName",
		"securityContext", "serviceAccount", "serviceAccountName", "shareProcessNamespace", "subdomain",
		"terminationGracePeriodSeconds", "volumes"} {
		result = append(result, "spec."+field)
	}
	for _, list := range []string{"containers", "initContainers"} {
		for _, field := range []string{"args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports",
			"readinessProbe", "resources", "securityContext", "stdin", "stdinOnce", "terminationMessagePath",
			"terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts", "workingDir"} {
			result = append(result, "spec."+list+"."+field)
		}
	}
	return result
}

// replacing are the fields of an object with these new inputs that cannot be changed in
// place. The data of Secrets and ConfigMaps are among them unless the settings say that
// they may change, or the object says that they may not.
func replacing(news resource.PropertyMap, s settings) []string {
	fields := []string{"kind", "metadata.name", "metadata.namespace"}
	gvk := gvkOf(news)
	fields = append(fields, immutable[gvk.GroupKind()]...)
	if gvk.Group != "" {
		return fields
	}
	fixed, _ := plugin.Plain(news["immutable"])
	switch gvk.Kind {
	case "Secret":
		if !s.mutableSecrets || fixed == true {
			fields = append(fields, "data", "stringData")
		}
	case "ConfigMap":
		if !s.mutableConfigMaps || fixed == true {
			fields = append(fields, "data", "binaryData")
		}
	}
	return fields
}

// within reports whether a changed path is one of the fields or inside one. Positions in
// lists do not count.
func within(path resource.PropertyPath, fields []string) bool {
	var names []string
	for _, element := range path {
		if name, ok := element.(string); ok {
			names = append(names, name)
		}
	}
	changed := strings.Join(names, ".")
	return slices.ContainsFunc(fields, func(field string) bool {
		return changed == field || strings.HasPrefix(changed, field+".") || strings.HasPrefix(field, changed+".")
	})
}

// immutableMessage recognises the API server's words for a change it does not allow.
func immutableMessage(err error) bool {
	text := fmt.Sprint(err)
	return strings.Contains(text, "immutable") || strings.Contains(text, "cannot change roleRef") ||
		strings.Contains(text, "updates to") && strings.Contains(text, "forbidden") ||
		strings.Contains(text, "may not change fields") || strings.Contains(text, "is forbidden after creation")
}
