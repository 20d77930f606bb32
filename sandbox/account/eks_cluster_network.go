package account

import (
	"fmt"
	"slices"
	"strings"
)

func checkClusterNetwork(in Props) []Failure {
	vpc := in.Props("vpcConfig")
	if vpc == nil {
		return nil
	}
	var failures []Failure
	if ids, ok := vpc["subnetIds"].([]any); vpc["subnetIds"] == nil || ok && len(ids) == 0 {
		failures = append(failures, Failure{Property: "vpcConfig.subnetIds", Reason: "is required"})
	}
	for i, cidr := range vpc.Strings("publicAccessCidrs") {
		failures = append(failures, checkCIDR(fmt.Sprintf("vpcConfig.publicAccessCidrs[%d]", i), cidr, 0, 32)...)
	}
	if vpc["endpointPublicAccess"] == false && vpc["endpointPrivateAccess"] == false {
		failures = append(failures, Failure{Property: "vpcConfig.endpointPrivateAccess", Reason: `must be true where "endpointPublicAccess" is false: else nothing reaches the cluster`})
	}
	return failures
}

// clusterNetwork is where a control plane has its interfaces.
type clusterNetwork struct {
	vpcID   string
	subnets []*Object
	groups  []string // the program's, without the one that EKS makes
}

// networkOf finds what a cluster's vpcConfig refers to.
func (v *view) networkOf(o *Object) (clusterNetwork, error) {
	config := o.in().Props("vpcConfig")
	subnets, err := v.subnetsOf(config.Strings("subnetIds"), o.Region)
	if err != nil {
		return clusterNetwork{}, invalidParameter(err)
	}
	if zones := zonesOf(subnets); len(zones) < 2 {
		return clusterNetwork{}, refuse("InvalidParameterException", "Subnets specified must be in at least two different AZs: those of cluster %q are in %s", o.ID, strings.Join(zones, ", "))
	}
	n := clusterNetwork{vpcID: subnets[0].out().String("vpcId"), subnets: subnets, groups: config.Strings("securityGroupIds")}
	return n, v.groupsIn(n.vpcID, n.groups)
}

func zonesOf(subnets []*Object) []string {
	var zones []string
	for _, subnet := range subnets {
		zones = append(zones, subnet.out().String("availabilityZone"))
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// groupsIn checks that security groups exist in a VPC.
func (v *view) groupsIn(vpcID string, ids []string) error {
	for _, id := range ids {
		group := v.get(typeSecurityGroup, id)
		if group == nil {
			return missingReference("InvalidParameterException", "The security group ID '%s' does not exist", id)
		}
		if vpc := group.out().String("vpcId"); vpc != vpcID {
			return refuse("InvalidParameterException", "Security group %q is in VPC %q and the subnets are in %q", id, vpc, vpcID)
		}
	}
	return nil
}

// sameNetwork holds a cluster to the VPC and the availability zones that it was
// made in: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html.
func (v *view) sameNetwork(old *Object, n clusterNetwork) error {
	if vpc := old.out().Props("vpcConfig").String("vpcId"); n.vpcID != vpc {
		return refuse("InvalidParameterException", "Provided subnets are in VPC %q: those of cluster %q must be in %q", n.vpcID, old.ID, vpc)
	}
	var before []*Object
	for _, nic := range v.owned(old, typeNetworkInterface) {
		if subnet := v.get(typeSubnet, nic.out().String("subnetId")); subnet != nil {
			before = append(before, subnet)
		}
	}
	allowed := zonesOf(before)
	for _, zone := range zonesOf(n.subnets) {
		if !slices.Contains(allowed, zone) {
			return refuse("InvalidParameterException", "Provided subnets must be in the availability zones of cluster %q, which are %s: %s is not among them",
				old.ID, strings.Join(allowed, ", "), zone)
		}
	}
	return nil
}

// connect puts the control plane's interfaces into its subnets.
func (v *view) connect(o *Object, n clusterNetwork, clusterGroup string) error {
	config := cloneMap(o.in().Props("vpcConfig"))
	config["vpcId"] = n.vpcID
	config["clusterSecurityGroupId"] = clusterGroup
	if Props(config).Bool("endpointPublicAccess", true) && len(Props(config).Strings("publicAccessCidrs")) == 0 {
		config["publicAccessCidrs"] = list([]string{"0.0.0.0/0"})
	}
	o.Outputs["vpcConfig"] = config
	groups := append(slices.Clone(n.groups), clusterGroup)
	return invalidParameter(v.attachEach(o, n.subnets, "Amazon EKS "+o.ID, groups))
}

// makeClusterGroup makes the security group that EKS gives to the interfaces of
// a control plane and of managed nodes: they reach each other and everything.
func (v *view) makeClusterGroup(cluster *Object, vpcID string) (*Object, error) {
	id := ec2ID("sg")
	tags := map[string]any{
		"Name": "eks-cluster-sg-" + cluster.ID, "kubernetes.io/cluster/" + cluster.ID: "owned", "aws:eks:cluster-name": cluster.ID,
	}
	group := v.own(cluster, typeSecurityGroup, id, map[string]any{
		"vpcId": vpcID, "name": "eks-cluster-sg-" + cluster.ID + "-" + decimals(cluster.ID+id, 9),
		"description": "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.",
		"arn":         arn("ec2", cluster.Region, "security-group/"+id), "ownerId": AccountID, "tags": tags, "tagsAll": cloneMap(tags),
	})
	among, out := newPermission(id, ingress, allProtocols, 0, 0, ""), newPermission(id, egress, allProtocols, 0, 0, "")
	among.source, out.source = id, "0.0.0.0/0"
	for _, p := range []permission{among, out} {
		if err := v.permit(group, ec2ID("sgr"), group, p); err != nil {
			return nil, err
		}
	}
	return group, nil
}

// dropClusterGroup takes the cluster's security group away, with the rules that
// a program put into it. Where something else still uses it, AWS leaves it
// behind, and then it blocks the deletion of the VPC.
func (v *view) dropClusterGroup(cluster *Object) {
	for _, group := range v.owned(cluster, typeSecurityGroup) {
		if v.groupUser(group) != "" {
			v.edit(group.Type, group.ID).Owner = ""
			continue
		}
		v.revokeAll(group.ID)
		v.del(group.Type, group.ID)
	}
}

// decimals makes decimal digits that are the same for the same seed.
func decimals(seed string, n int) string {
	var b strings.Builder
	for _, c := range digits(seed, n) {
		b.WriteByte("0123456789"[int(c)%10])
	}
	return b.String()
}
