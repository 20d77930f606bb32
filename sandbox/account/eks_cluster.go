package account

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/eks/cluster.go
var _ = register(typeCluster, rules{
	name: &autoname{property: "name", max: 100},
	defaults: map[string]any{
		"bootstrapSelfManagedAddons":                           true,
		"accessConfig.bootstrapClusterCreatorAdminPermissions": true,
		"vpcConfig.endpointPrivateAccess":                      false,
		"vpcConfig.endpointPublicAccess":                       true,
	},
	forceNew: []string{
		"accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons", "name", "roleArn",
	},
	computed: []string{
		"kubernetesNetworkConfig", "upgradePolicy", "upgradePolicy.supportType", "version",
		"vpcConfig.clusterSecurityGroupId", "vpcConfig.publicAccessCidrs", "vpcConfig.vpcId",
	},
	sets: []string{
		"enabledClusterLogTypes", "encryptionConfig.resources", "vpcConfig.publicAccessCidrs",
		"vpcConfig.securityGroupIds", "vpcConfig.subnetIds",
	},
	unmodelled: []string{
		"computeConfig", "defaultAddonsToRemoves", "forceUpdateVersion", "kubernetesNetworkConfig", "outpostConfig",
		"remoteNetworkConfig", "storageConfig", "zonalShiftConfig",
		"vpcConfig.clusterSecurityGroupId", "vpcConfig.vpcId", // AWS's to say
	},
	check:    checkCluster,
	replaces: encryptionTakenAway,
	create:   createCluster,
	update:   updateCluster,
	remove:   removeCluster,
	read:     readCluster,
	slow: &slow{
		cluster: func(o *Object) Cluster {
			return Cluster{
				Name: o.ID, Region: o.Region, ARN: clusterARN(o.ID, o.Region),
				Version: o.in().StringOr("version", o.out().String("version")),
			}
		},
		takesLong: func(old, o *Object) bool { return old.out().String("version") != o.out().String("version") },
		ready:     clusterReady,
	},
})

// serviceCIDR is where the control planes give Services their addresses.
const serviceCIDR = "172.20.0.0/16"

func clusterARN(name, region string) string { return arn("eks", region, "cluster/"+name) }

func createCluster(v *view, o *Object) error {
	o.ID = o.in().String("name")
	if other := v.get(typeCluster, o.ID); other != nil {
		if other.Region == o.Region {
			return refuse("ResourceInUseException", "Cluster already exists with name: %s", o.ID)
		}
		return refuse("ResourceInUseException", "Cluster already exists with name: %s, in %s: the simulated account has one cluster of a name in all its regions", o.ID, other.Region)
	}
	if err := supportedVersion(o.in().String("version")); err != nil {
		return err
	}
	if err := v.clusterRole(o.in().String("roleArn")); err != nil {
		return err
	}
	if err := v.clusterKey(o); err != nil {
		return err
	}
	network, err := v.networkOf(o)
	if err != nil {
		return err
	}
	group, err := v.makeClusterGroup(o, network.vpcID)
	if err != nil {
		return err
	}
	if err := v.connect(o, network, group.ID); err != nil {
		return err
	}
	if o.in().Props("accessConfig").Bool("bootstrapClusterCreatorAdminPermissions", true) {
		v.admitCreator(o)
	}
	v.makeLogGroup(o)

	o.Outputs["arn"] = clusterARN(o.ID, o.Region)
	o.Outputs["version"] = o.in().StringOr("version", newestVersion())
	o.Outputs["platformVersion"] = "eks.1"
	o.Outputs["status"] = "CREATING"
	o.Outputs["createdAt"] = o.Created.Format(time.RFC3339)
	o.Outputs["kubernetesNetworkConfig"] = map[string]any{
		"ipFamily": "ipv4", "serviceIpv4Cidr": serviceCIDR, "elasticLoadBalancing": map[string]any{"enabled": false},
	}
	completeUpgradePolicy(o)
	return nil
}

func completeUpgradePolicy(o *Object) {
	support := o.in().Props("upgradePolicy").StringOr("supportType", "EXTENDED")
	o.Outputs["upgradePolicy"] = map[string]any{"supportType": support}
}

// clusterReady completes a cluster with where its control plane answers.
func clusterReady(o *Object, e Endpoint) {
	o.Outputs["endpoint"] = e.URL
	o.Outputs["certificateAuthority"] = map[string]any{"data": e.CAData}
	o.Outputs["certificateAuthorities"] = []any{map[string]any{"data": e.CAData}}
	o.Outputs["identities"] = []any{map[string]any{"oidcs": []any{map[string]any{"issuer": e.Issuer}}}}
	o.Outputs["status"] = "ACTIVE"
}

func readCluster(_ *view, o *Object) {
	switch o.State {
	case Updating:
		o.Outputs["status"] = "UPDATING"
	case Deleting:
		o.Outputs["status"] = "DELETING"
	case Creating:
		o.Outputs["status"] = "CREATING"
	}
}

func updateCluster(v *view, old, o *Object) error {
	if err := v.checkUpgrade(old, o); err != nil {
		return err
	}
	before, after := old.in().Props("encryptionConfig"), o.in().Props("encryptionConfig")
	if before != nil && before.Props("provider").String("keyArn") != after.Props("provider").String("keyArn") {
		return refuse("InvalidRequestException", "the encryption key of cluster %q cannot change: AWS takes a key once and keeps it; replace the cluster or leave the key", o.ID)
	}
	if before == nil {
		if err := v.clusterKey(o); err != nil {
			return err
		}
	}
	network, err := v.networkOf(o)
	if err != nil {
		return err
	}
	if err := v.sameNetwork(old, network); err != nil {
		return err
	}
	completeUpgradePolicy(o)
	v.makeLogGroup(o)
	return v.connect(o, network, old.out().Props("vpcConfig").String("clusterSecurityGroupId"))
}

// removeCluster is refused while node groups stand. What else belongs to the
// cluster goes with it, as in AWS.
func removeCluster(v *view, o *Object) error {
	ofCluster := func(other *Object) bool { return other.Region == o.Region && other.out().String("clusterName") == o.ID }
	if groups := v.all(typeNodeGroup, ofCluster); len(groups) > 0 {
		var names []string
		for _, group := range groups {
			names = append(names, group.out().String("nodeGroupName"))
		}
		return refuse("ResourceInUseException", "Cluster has nodegroups attached: cluster %q cannot be deleted before %s", o.ID, strings.Join(names, ", "))
	}
	for _, typ := range []string{typeAddon, typePodIdentityAssociation, typeAccessPolicyAssociation, typeAccessEntry} {
		for _, other := range v.all(typ, ofCluster) {
			v.del(other.Type, other.ID)
		}
	}
	v.dropOwned(o, typeNetworkInterface)
	v.leaveLogGroup(o)
	v.dropClusterGroup(o)
	return nil
}

// clusterKey checks that the key exists which encrypts a cluster's secrets.
func (v *view) clusterKey(o *Object) error {
	wanted := o.in().Props("encryptionConfig").Props("provider").String("keyArn")
	if wanted == "" {
		return nil
	}
	key := v.keyOf(wanted, o.Region)
	switch {
	case key == nil:
		return missingReference("InvalidParameterException", "KMS key %q of encryptionConfig does not exist in %s", wanted, o.Region)
	case !key.out().Bool("isEnabled", true):
		return refuse("InvalidParameterException", "KMS key %q of encryptionConfig is disabled", wanted)
	case key.out().StringOr("keyUsage", "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
		return refuse("InvalidParameterException", "KMS key %q of encryptionConfig is not for encryption", wanted)
	}
	return nil
}

// activeCluster returns the cluster that something is made in.
func (v *view) activeCluster(name, region string) (*Object, error) {
	cluster := v.get(typeCluster, name)
	if cluster == nil || cluster.Region != region {
		return nil, missingReference("ResourceNotFoundException", "No cluster found for name: %s, in %s", name, region)
	}
	if cluster.State != "" {
		return nil, &Error{Code: "ResourceInUseException", Retryable: true,
			Message: fmt.Sprintf("cluster %q is not in ACTIVE status: it is %s", name, cluster.State)}
	}
	return cluster, nil
}

// invalidParameter gives a refusal of another service EKS's own code.
func invalidParameter(err error) error {
	var refusal *Error
	if errors.As(err, &refusal) {
		return refuse("InvalidParameterException", "%s", refusal.Message)
	}
	return err
}
