package ekscluster

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// nodePolicies are what a node needs to join and to pull images. The policy of
// vpc-cni is not among them: that add-on has a role of its own, so that pods on
// the node's network do not inherit the right to change network interfaces.
//
// Upstream: https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html.
var nodePolicies = []string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}

// nodeIdentity is the role of the nodes and what gives it its rights.
type nodeIdentity struct {
	role   *iam.Role
	rights []pulumi.Resource
}

// nodeRole makes the role that all node groups share.
func (b *builder) nodeRole() (nodeIdentity, error) {
	role, rights, err := b.role("node", "Nodes of EKS cluster "+b.args.ClusterName, iampolicy.ServiceTrust("ec2.amazonaws.com"), nodePolicies)
	return nodeIdentity{role: role, rights: rights}, err
}

// role makes a role with policies that AWS manages, and returns what attaches
// them: a role's user starts after its rights are there and is gone before they
// are.
func (b *builder) role(what, description string, trust iampolicy.Document, policies []string) (*iam.Role, []pulumi.Resource, error) {
	text, err := trust.JSON(iampolicy.Trust)
	if err != nil {
		return nil, nil, err
	}
	name := b.name + "-" + what + "-role"
	role, err := iam.NewRole(b.ctx, name, &iam.RoleArgs{
		Description:      pulumi.String(description),
		AssumeRolePolicy: text,
		Tags:             b.args.Tags.Named(name),
	}, b.child()...)
	if err != nil {
		return nil, nil, err
	}
	var rights []pulumi.Resource
	for _, policy := range policies {
		attachment, err := iam.NewRolePolicyAttachment(b.ctx, b.name+"-"+what+"-"+lastPart(policy), &iam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: b.awsPolicy(policy),
		}, b.child()...)
		if err != nil {
			return nil, nil, err
		}
		rights = append(rights, attachment)
	}
	return role, rights, nil
}
