package ekscluster

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// adminForm takes apart the ARN of a role or user: account, kind, path and name.
var adminForm = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):(role|user)/([\w+=,.@/-]*/)?([\w+=,.@-]+)$`)

// adminAccess gives every administrator an access entry with AWS's
// administrator policy for the whole cluster.
//
// Upstream: https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html.
func (b *builder) adminAccess() ([]pulumi.Resource, error) {
	var made []pulumi.Resource
	for _, arn := range b.args.Admins {
		name := b.name + "-" + adminName(arn)
		entry, err := eks.NewAccessEntry(b.ctx, name, &eks.AccessEntryArgs{
			ClusterName:  b.cluster.ClusterName,
			PrincipalArn: pulumi.String(arn),
			Type:         pulumi.String("STANDARD"),
			Tags:         b.args.Tags.Named(name),
		}, b.child()...)
		if err != nil {
			return nil, fmt.Errorf("entry of %q: %w", arn, err)
		}
		policy, err := eks.NewAccessPolicyAssociation(b.ctx, name, &eks.AccessPolicyAssociationArgs{
			ClusterName:  b.cluster.ClusterName,
			PrincipalArn: entry.PrincipalArn,
			PolicyArn:    pulumi.Sprintf("arn:%s:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", b.partition),
			AccessScope:  eks.AccessPolicyAssociationAccessScopeArgs{Type: pulumi.String("cluster")},
		}, b.child(pulumi.DependsOn([]pulumi.Resource{entry}))...)
		if err != nil {
			return nil, fmt.Errorf("policy of %q: %w", arn, err)
		}
		made = append(made, policy)
	}
	return made, nil
}

// adminName is what an administrator's resources are called: within an account
// a role's name is unique whatever its path, and so is a user's.
func adminName(arn string) string {
	parts := adminForm.FindStringSubmatch(arn)
	if parts == nil {
		return "admin-" + arn
	}
	return strings.Join([]string{"admin", parts[1], parts[2], parts[4]}, "-")
}
