package account

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/eks/addon.go
var _ = register(typeAddon, rules{
	forceNew:   []string{"addonName", "clusterName"},
	computed:   []string{"addonVersion", "configurationValues"},
	sets:       []string{"podIdentityAssociations"},
	unmodelled: []string{"preserve", "resolveConflicts"}, // the second is deprecated
	check:      checkAddon,
	create:     createAddon,
	update:     updateAddon,
	remove:     removeAddon,
})

func addonID(cluster, name string) string { return cluster + ":" + name }

func checkAddon(in Props) []Failure {
	failures := oneOf(in, "resolveConflictsOnCreate", "NONE", "OVERWRITE")
	failures = append(failures, oneOf(in, "resolveConflictsOnUpdate", "NONE", "OVERWRITE", "PRESERVE")...)
	if version := in.String("addonVersion"); version != "" && !addonVersionForm.MatchString(version) {
		failures = append(failures, Failure{Property: "addonVersion", Reason: fmt.Sprintf("%q is not the version of an add-on, such as %q", version, "v1.20.4-eksbuild.2")})
	}
	return failures
}

func createAddon(v *view, o *Object) error {
	cluster, err := v.activeCluster(o.in().String("clusterName"), o.Region)
	if err != nil {
		return err
	}
	name := o.in().String("addonName")
	known, ok := addons[name]
	if !ok {
		return refuse("InvalidParameterException", "Addon %s specified is not supported: the simulated EKS has %s", name, strings.Join(sorted(addons), ", "))
	}
	o.ID = addonID(cluster.ID, name)
	if v.get(typeAddon, o.ID) != nil {
		return refuse("ResourceInUseException", "Addon already exists: %s in cluster %s", name, cluster.ID)
	}
	if err := v.configureAddon(cluster, o, known); err != nil {
		return err
	}
	if known.needsNodes && !v.hasNodes(cluster) {
		return refuse("InsufficientNumberOfReplicas", "The add-on %s is unhealthy because it doesn't have the desired number of replicas: cluster %q has no node that its pods could run on", name, cluster.ID)
	}
	o.Outputs["arn"] = arn("eks", o.Region, strings.Join([]string{"addon", cluster.ID, name, uuid()}, "/"))
	o.Outputs["createdAt"] = o.Created.Format(time.RFC3339)
	o.Outputs["modifiedAt"] = o.Outputs["createdAt"]
	return nil
}

func updateAddon(v *view, _, o *Object) error {
	cluster, err := v.activeCluster(o.in().String("clusterName"), o.Region)
	if err != nil {
		return err
	}
	o.Outputs["modifiedAt"] = v.a.now().UTC().Format(time.RFC3339)
	return v.configureAddon(cluster, o, addons[o.in().String("addonName")])
}

// configureAddon is what creating and updating have in common.
func (v *view) configureAddon(cluster, o *Object, known addon) error {
	version := o.in().String("addonVersion")
	switch {
	case version != "":
		if err := known.offers(version, cluster.out().String("version")); err != nil {
			return err
		}
	case o.out().String("addonVersion") == "":
		version = known.newest(cluster.out().String("version"))
	default:
		version = o.out().String("addonVersion") // EKS upgrades no add-on by itself
	}
	o.Outputs["addonVersion"] = version
	if err := known.takes(o.in().String("configurationValues")); err != nil {
		return err
	}
	if roleARN := o.in().String("serviceAccountRoleArn"); roleARN != "" && v.roleByARN(roleARN) == nil {
		return missingReference("InvalidParameterException", "Role with arn: %s, does not exist", roleARN)
	}
	return v.associateAddon(cluster, o, known)
}

// associateAddon makes the Pod Identity associations that an add-on has of its
// own.
func (v *view) associateAddon(cluster, o *Object, known addon) error {
	v.dropOwned(o, typePodIdentityAssociation)
	for _, wanted := range o.in().List("podIdentityAssociations") {
		account := wanted.String("serviceAccount")
		if !slices.Contains(known.serviceAccounts, account) {
			return refuse("InvalidParameterException", "Service account %q is not one of the add-on %s: it has %q", account, o.in().String("addonName"), known.serviceAccounts)
		}
		if err := v.associationIsFree(cluster, addonNamespace, account); err != nil {
			return err
		}
		if err := v.podRole(wanted.String("roleArn")); err != nil {
			return err
		}
		id := associationID()
		v.own(o, typePodIdentityAssociation, id, map[string]any{
			"clusterName": cluster.ID, "namespace": addonNamespace, "serviceAccount": account, "roleArn": wanted.String("roleArn"),
			"associationId": id, "associationArn": associationARN(cluster, id), "tagsAll": map[string]any{},
		})
	}
	return nil
}

func removeAddon(v *view, o *Object) error {
	v.dropOwned(o, typePodIdentityAssociation)
	return nil
}

func (v *view) hasNodes(cluster *Object) bool {
	return v.first(typeNodeGroup, func(group *Object) bool {
		return group.out().String("clusterName") == cluster.ID && group.in().Props("scalingConfig").Int("desiredSize", 0) > 0
	}) != nil
}

// takes checks configuration values as far as their schema is known here: they
// are a JSON object, and what must be text in it is.
func (a addon) takes(values string) error {
	if values == "" {
		return nil
	}
	var given map[string]any
	if err := json.Unmarshal([]byte(values), &given); err != nil {
		return refuse("InvalidParameterException", "ConfigurationValue provided in request is not supported: it is not a JSON object (the simulated EKS takes no YAML): %v", err)
	}
	for _, key := range a.texts {
		if value, ok := given[key]; ok {
			if _, text := value.(string); !text {
				return refuse("InvalidParameterException", "ConfigurationValue provided in request is not supported: Json schema validation failed with error: [$.%s: expected a string, as in %q]", key, "true")
			}
		}
	}
	return nil
}
