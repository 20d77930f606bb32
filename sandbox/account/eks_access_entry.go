package account

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const typeAccessEntry = "aws:eks/accessEntry:AccessEntry"

// https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/eks/access_entry.go
var _ = register(typeAccessEntry, rules{
	defaults: map[string]any{"type": "STANDARD"},
	forceNew: []string{"clusterName", "principalArn", "type"},
	computed: []string{"kubernetesGroups", "userName"},
	sets:     []string{"kubernetesGroups"},
	check:    checkAccessEntry,
	create:   createAccessEntry,
	update:   updateAccessEntry,
	remove:   removeAccessEntry,
})

// reservedGroups begin the names of groups that an entry cannot give.
var reservedGroups = []string{"system:", "eks:", "aws:", "amazon:", "iam:"}

func accessEntryID(cluster, principal string) string { return cluster + ":" + principal }

func checkAccessEntry(in Props) []Failure {
	failures := oneOf(in, "type", "STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX")
	for i, group := range in.Strings("kubernetesGroups") {
		if slices.ContainsFunc(reservedGroups, func(prefix string) bool { return strings.HasPrefix(group, prefix) }) {
			failures = append(failures, Failure{Property: fmt.Sprintf("kubernetesGroups[%d]", i), Reason: fmt.Sprintf(
				"%q belongs to Kubernetes or AWS: a group must not begin with one of %q", group, reservedGroups)})
		}
	}
	if kind := in.String("type"); kind != "" && kind != "STANDARD" && (len(in.Strings("kubernetesGroups")) > 0 || in.Has("userName")) {
		failures = append(failures, Failure{Property: "type", Reason: fmt.Sprintf(`an entry of type %q cannot have "kubernetesGroups" or "userName": EKS gives them`, kind)})
	}
	return failures
}

func createAccessEntry(v *view, o *Object) error {
	cluster, err := v.activeCluster(o.in().String("clusterName"), o.Region)
	if err != nil {
		return err
	}
	principal := o.in().String("principalArn")
	if err := v.canHaveEntry(principal); err != nil {
		return err
	}
	o.ID = accessEntryID(cluster.ID, principal)
	if v.get(typeAccessEntry, o.ID) != nil {
		return refuse("ResourceInUseException", "The specified access entry resource is already in use on this cluster: %s has an entry in cluster %q", principal, cluster.ID)
	}
	completeAccessEntry(o.Outputs, cluster, principal, o.in().StringOr("type", "STANDARD"), o.Created)
	return nil
}

func updateAccessEntry(v *view, _, o *Object) error {
	o.Outputs["modifiedAt"] = v.a.now().UTC().Format(time.RFC3339)
	return nil
}

// removeAccessEntry takes the entry's policies away with it, as AWS does.
func removeAccessEntry(v *view, o *Object) error {
	ofEntry := func(a *Object) bool {
		return a.out().String("clusterName") == o.out().String("clusterName") && a.out().String("principalArn") == o.out().String("principalArn")
	}
	for _, association := range v.all(typeAccessPolicyAssociation, ofEntry) {
		v.del(association.Type, association.ID)
	}
	return nil
}

func completeAccessEntry(outputs map[string]any, cluster *Object, principal, kind string, created time.Time) {
	_, what, _ := strings.Cut(principal, "iam::"+AccountID+":") // "role/path/name"
	form, path, _ := strings.Cut(what, "/")
	name := path[strings.LastIndex(path, "/")+1:]
	outputs["accessEntryArn"] = arn("eks", cluster.Region, strings.Join([]string{"access-entry", cluster.ID, form, AccountID, name, uuid()}, "/"))
	outputs["createdAt"] = created.Format(time.RFC3339)
	outputs["modifiedAt"] = outputs["createdAt"]
	groups, user := []string(nil), principal
	switch {
	case kind == "EC2_LINUX" || kind == "EC2_WINDOWS" || kind == "EC2" || kind == "HYBRID_LINUX":
		groups, user = []string{"system:nodes"}, "system:node:{{EC2PrivateDNSName}}"
	case kind == "FARGATE_LINUX":
		groups, user = []string{"system:bootstrappers", "system:nodes", "system:node-proxier"}, "system:node:{{SessionName}}"
	case form == "role":
		user = "arn:aws:sts::" + AccountID + ":assumed-role/" + name + "/{{SessionName}}"
	}
	if outputs["kubernetesGroups"] == nil {
		outputs["kubernetesGroups"] = list(groups)
	}
	if outputs["userName"] == nil {
		outputs["userName"] = user
	}
}

// canHaveEntry checks the role or user that an entry is for.
func (v *view) canHaveEntry(principal string) error {
	isUser := slices.ContainsFunc(v.a.identities, func(i Identity) bool { return i.ARN == principal })
	if !isUser && v.roleByARN(principal) == nil {
		return missingReference("InvalidParameterException", "The specified principalArn is invalid: invalid principal: %s is neither a role nor a user of the account", principal)
	}
	return nil
}

// ownAccessEntry makes an entry that EKS makes by itself.
func (v *view) ownAccessEntry(owner, cluster *Object, principal, kind string) {
	outputs := map[string]any{"clusterName": cluster.ID, "principalArn": principal, "type": kind, "tagsAll": map[string]any{}}
	completeAccessEntry(outputs, cluster, principal, kind, v.a.now().UTC())
	v.own(owner, typeAccessEntry, accessEntryID(cluster.ID, principal), outputs)
}

// admitCreator makes whoever creates a cluster its administrator.
func (v *view) admitCreator(cluster *Object) {
	v.ownAccessEntry(cluster, cluster, v.caller, "STANDARD")
	policy := accessPolicyPrefix + "AmazonEKSClusterAdminPolicy"
	now := v.a.now().UTC().Format(time.RFC3339)
	v.own(cluster, typeAccessPolicyAssociation, policyAssociationID(cluster.ID, v.caller, policy), map[string]any{
		"clusterName": cluster.ID, "principalArn": v.caller, "policyArn": policy, "accessScope": map[string]any{"type": "cluster"},
		"associatedAt": now, "modifiedAt": now,
	})
}

// admitNodes makes the entry with which the nodes of a managed group join,
// where their role has none yet. The program can then no longer make one.
func (v *view) admitNodes(cluster, group, role *Object) {
	principal := role.out().String("arn")
	if v.get(typeAccessEntry, accessEntryID(cluster.ID, principal)) == nil {
		v.ownAccessEntry(group, cluster, principal, "EC2_LINUX")
	}
}

// dismissNodes takes such an entry away with the last group that needs it.
func (v *view) dismissNodes(group *Object) {
	for _, entry := range v.owned(group, typeAccessEntry) {
		heir := v.first(typeNodeGroup, func(other *Object) bool {
			return other.ID != group.ID && other.out().String("clusterName") == entry.out().String("clusterName") &&
				other.out().String("nodeRoleArn") == entry.out().String("principalArn")
		})
		if heir != nil {
			v.edit(entry.Type, entry.ID).Owner = heir.key()
			continue
		}
		v.del(entry.Type, entry.ID)
	}
}
