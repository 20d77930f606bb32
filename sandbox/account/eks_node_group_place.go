package account

import (
	"fmt"
	"slices"
	"strconv"
)

// place puts a node group's nodes, which here are network interfaces and
// nothing else, into its subnets, and takes those away that are too many.
func (v *view) place(cluster, o *Object) error {
	scaling := o.in().Props("scalingConfig")
	least, wanted, most := scaling.Int("minSize", 0), scaling.Int("desiredSize", 0), scaling.Int("maxSize", 0)
	switch {
	case least > wanted:
		return refuse("InvalidParameterException", "Minimum capacity %d can't be greater than desired size %d", least, wanted)
	case wanted > most:
		return refuse("InvalidParameterException", "Desired capacity %d can't be greater than max size %d", wanted, most)
	}
	subnets, err := v.subnetsOf(o.in().Strings("subnetIds"), o.Region)
	if err != nil {
		return invalidParameter(err)
	}
	vpc := cluster.out().Props("vpcConfig").String("vpcId")
	if subnets[0].out().String("vpcId") != vpc {
		return refuse("InvalidParameterException", "The subnets of the node group must be in VPC %q of cluster %q: %q is in %q",
			vpc, cluster.ID, subnets[0].ID, subnets[0].out().String("vpcId"))
	}
	groups, err := v.launchTemplateOf(o)
	if err != nil {
		return err
	}
	if len(groups) == 0 {
		groups = []string{cluster.out().Props("vpcConfig").String("clusterSecurityGroupId")}
	}
	if err := v.groupsIn(vpc, groups); err != nil {
		return err
	}
	return v.attachNodes(o, subnets, wanted, groups)
}

// attachNodes spreads nodes over subnets, as evenly as an Auto Scaling group
// does.
func (v *view) attachNodes(o *Object, subnets []*Object, wanted int, groups []string) error {
	quota := map[string]int{}
	for i := range wanted {
		quota[subnets[i%len(subnets)].ID]++
	}
	for _, nic := range v.owned(o, typeNetworkInterface) {
		subnet := nic.out().String("subnetId")
		if quota[subnet] == 0 {
			v.del(nic.Type, nic.ID)
			continue
		}
		quota[subnet]--
		v.edit(nic.Type, nic.ID).Outputs["securityGroups"] = list(groups)
	}
	for _, subnet := range subnets {
		for range quota[subnet.ID] {
			if _, err := v.attach(o, subnet, "node of EKS node group "+o.ID, groups); err != nil {
				return invalidParameter(err)
			}
		}
		quota[subnet.ID] = 0
	}
	return nil
}

// launchTemplateOf checks a node group's launch template, completes what the
// node group says of it, and returns its security groups.
func (v *view) launchTemplateOf(o *Object) ([]string, error) {
	wanted := o.in().Props("launchTemplate")
	if wanted == nil {
		return nil, nil
	}
	id, name := wanted.String("id"), wanted.String("name")
	template := v.first(typeLaunchTemplate, func(t *Object) bool {
		return t.Region == o.Region && (t.ID == id || id == "" && t.out().String("name") == name)
	})
	if template == nil {
		return nil, missingReference("InvalidRequestException", "Launch template %q not found in %s", id+name, o.Region)
	}
	latest := template.out().Int("latestVersion", 1)
	version := wanted.String("version")
	if n, err := strconv.Atoi(version); err != nil || n < 1 || n > latest {
		return nil, refuse("InvalidParameterException", "Launch template %s has no version %q: expected 1 to %d", template.ID, version, latest)
	}
	if o.in().Has("diskSize") {
		return nil, refuse("InvalidParameterException", "Disk size must be specified within the launch template")
	}
	if o.in().Has("instanceTypes") && template.out().Has("instanceType") {
		return nil, refuse("InvalidParameterException", "Instance type must be specified either in the launch template or in the node group")
	}
	o.Outputs["launchTemplate"] = map[string]any{"id": template.ID, "name": template.out().String("name"), "version": version}
	return template.out().Strings("vpcSecurityGroupIds"), nil
}

// nodesCanJoin refuses a node group whose nodes would never become ready: EKS
// waits for them and gives up.
// https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html#worker-node-fail
func (v *view) nodesCanJoin(cluster, role *Object) error {
	fail := func(format string, args ...any) error {
		return refuse("NodeCreationFailure", "Instances failed to join the kubernetes cluster %q: %s", cluster.ID, fmt.Sprintf(format, args...))
	}
	name := role.out().String("name")
	switch {
	case !v.hasPolicy(role, "AmazonEKSWorkerNodePolicy"):
		return fail("node role %q has no policy AmazonEKSWorkerNodePolicy", name)
	case !v.hasPolicy(role, "AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly"):
		return fail("node role %q has neither AmazonEC2ContainerRegistryPullOnly nor AmazonEC2ContainerRegistryReadOnly, so it cannot pull images", name)
	}
	cni := v.get(typeAddon, addonID(cluster.ID, "vpc-cni"))
	if cni == nil && !cluster.in().Bool("bootstrapSelfManagedAddons", true) {
		return fail("nothing gives pods a network: the cluster has no add-on vpc-cni")
	}
	if !v.cniHasRights(cluster, cni, role) {
		return fail("vpc-cni may not attach network interfaces: neither node role %q has AmazonEKS_CNI_Policy, nor has the add-on vpc-cni a role with it (through the add-on eks-pod-identity-agent)", name)
	}
	return nil
}

func (v *view) cniHasRights(cluster, cni, nodeRole *Object) bool {
	const policy = "AmazonEKS_CNI_Policy"
	if v.hasPolicy(nodeRole, policy) {
		return true
	}
	if cni == nil {
		return false
	}
	var roles []string
	if v.get(typeAddon, addonID(cluster.ID, "eks-pod-identity-agent")) != nil {
		for _, association := range cni.in().List("podIdentityAssociations") {
			roles = append(roles, association.String("roleArn"))
		}
	}
	roles = append(roles, cni.in().String("serviceAccountRoleArn"))
	return slices.ContainsFunc(roles, func(roleARN string) bool {
		role := v.roleByARN(roleARN)
		return role != nil && v.hasPolicy(role, policy)
	})
}
