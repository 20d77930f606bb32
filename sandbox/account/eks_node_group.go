package account

import (
	"fmt"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/eks/node_group.go
var _ = register(typeNodeGroup, rules{
	name: &autoname{property: "nodeGroupName", max: 63},
	forceNew: []string{
		"amiType", "capacityType", "clusterName", "diskSize", "instanceTypes", "launchTemplate.id", "launchTemplate.name",
		"nodeGroupName", "nodeGroupNamePrefix", "nodeRoleArn", "subnetIds",
	},
	computed: []string{
		"amiType", "capacityType", "diskSize", "instanceTypes", "launchTemplate.id", "launchTemplate.name", "nodeGroupName",
		"nodeGroupNamePrefix", "nodeRepairConfig", "updateConfig", "version",
	},
	sets:       []string{"subnetIds", "taints"},
	unmodelled: []string{"releaseVersion", "remoteAccess"},
	check:      checkNodeGroup,
	create:     createNodeGroup,
	update:     updateNodeGroup,
	remove:     removeNodeGroup,
})

// uniqueSuffix is the length of uniqueID, which the provider appends to a prefix.
const uniqueSuffix = 26

func checkNodeGroup(in Props) []Failure {
	var failures []Failure
	if in.Has("nodeGroupName") && in.Has("nodeGroupNamePrefix") {
		failures = append(failures, Failure{Property: "nodeGroupNamePrefix", Reason: `cannot be given together with "nodeGroupName"`})
	}
	failures = append(failures, longest(in, "nodeGroupName", 63)...)
	failures = append(failures, longest(in, "nodeGroupNamePrefix", 63-uniqueSuffix)...)
	failures = append(failures, oneOf(in, "capacityType", "ON_DEMAND", "SPOT")...)
	failures = append(failures, oneOf(in, "amiType", sorted(images)...)...)
	if ids, ok := in["subnetIds"].([]any); ok && len(ids) == 0 {
		failures = append(failures, Failure{Property: "subnetIds", Reason: "is required"})
	}
	scaling := in.Props("scalingConfig")
	for key, least := range map[string]float64{"desiredSize": 0, "minSize": 0, "maxSize": 1} {
		if n, ok := scaling[key].(float64); ok && n < least {
			failures = append(failures, Failure{Property: "scalingConfig." + key, Reason: fmt.Sprintf("%v is too small: expected at least %v", n, least)})
		}
	}
	if taints := in.List("taints"); len(taints) > 0 {
		for i, taint := range taints {
			failures = append(failures, within(fmt.Sprintf("taints[%d]", i), oneOf(taint, "effect", "NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"))...)
		}
	}
	return append(failures, checkUpdateConfig(in.Props("updateConfig"))...)
}

func checkUpdateConfig(config Props) []Failure {
	if config == nil {
		return nil
	}
	if config.Has("maxUnavailable") == config.Has("maxUnavailablePercentage") {
		return []Failure{{Property: "updateConfig", Reason: `needs one of "maxUnavailable" and "maxUnavailablePercentage", and not both`}}
	}
	for _, key := range []string{"maxUnavailable", "maxUnavailablePercentage"} {
		if n, ok := config[key].(float64); ok && (n < 1 || n > 100) {
			return []Failure{{Property: "updateConfig." + key, Reason: fmt.Sprintf("%v is out of range: expected 1 to 100", n)}}
		}
	}
	return nil
}

func longest(in Props, key string, most int) []Failure {
	if s := in.String(key); len(s) > most {
		return []Failure{{Property: key, Reason: fmt.Sprintf("%q has %d characters, at most %d are possible", s, len(s), most)}}
	}
	return nil
}

func createNodeGroup(v *view, o *Object) error {
	cluster, err := v.activeCluster(o.in().String("clusterName"), o.Region)
	if err != nil {
		return err
	}
	name := o.in().String("nodeGroupName")
	if name == "" {
		name = o.in().StringOr("nodeGroupNamePrefix", "terraform-") + uniqueID(o.Created)
	}
	o.ID = cluster.ID + ":" + name
	if v.get(typeNodeGroup, o.ID) != nil {
		return refuse("ResourceInUseException", "NodeGroup already exists with name %s and cluster name %s", name, cluster.ID)
	}
	version, err := nodeVersion(o.in().String("version"), cluster)
	if err != nil {
		return err
	}
	role, err := v.nodeRole(o.in().String("nodeRoleArn"))
	if err != nil {
		return err
	}
	completeImage(o)
	if err := checkImage(o); err != nil {
		return err
	}
	if err := v.place(cluster, o); err != nil {
		return err
	}
	v.admitNodes(cluster, o, role)
	if o.in().Props("scalingConfig").Int("desiredSize", 0) > 0 {
		if err := v.nodesCanJoin(cluster, role); err != nil {
			return err
		}
	}
	o.Outputs["arn"] = arn("eks", o.Region, strings.Join([]string{"nodegroup", cluster.ID, name, uuid()}, "/"))
	o.Outputs["nodeGroupName"] = name
	o.Outputs["status"] = "ACTIVE"
	o.Outputs["version"] = version
	o.Outputs["releaseVersion"] = releaseVersion(version)
	o.Outputs["resources"] = []any{map[string]any{
		"autoscalingGroups": []any{map[string]any{"name": "eks-" + name + "-" + uuid()}}, "remoteAccessSecurityGroupId": "",
	}}
	completeUpdateConfig(o)
	return nil
}

func completeUpdateConfig(o *Object) {
	if !o.in().Has("updateConfig") {
		o.Outputs["updateConfig"] = map[string]any{"maxUnavailable": 1.0}
	}
	if !o.in().Has("nodeRepairConfig") {
		o.Outputs["nodeRepairConfig"] = map[string]any{"enabled": false}
	}
}

func updateNodeGroup(v *view, old, o *Object) error {
	cluster, err := v.activeCluster(o.in().String("clusterName"), o.Region)
	if err != nil {
		return err
	}
	from := old.out().String("version")
	version, err := nodeVersion(o.in().StringOr("version", from), cluster)
	if err != nil && version != from {
		return err
	}
	if minor(version) < minor(from) {
		return refuse("InvalidParameterException", "node group %q is at %s and cannot go back to %s", o.ID, from, version)
	}
	o.Outputs["version"] = version
	o.Outputs["releaseVersion"] = releaseVersion(version)
	completeUpdateConfig(o)
	return v.place(cluster, o)
}

func removeNodeGroup(v *view, o *Object) error {
	v.dropOwned(o, typeNetworkInterface)
	v.dismissNodes(o)
	return nil
}
