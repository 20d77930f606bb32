// Package workloadrole gives the pods of one Kubernetes service account an IAM
// role through EKS Pod Identity: no keys, no OIDC provider, no annotation.
//
// Upstream: https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html.
// The cluster needs the add-on eks-pod-identity-agent.
package workloadrole

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
	"github.com/strongroom-platform/strongroom/internal/iampolicy"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const token = "strongroom:workloadrole:WorkloadRole"

// WorkloadRole is the role and its association with the service account.
type WorkloadRole struct {
	pulumi.ResourceState

	RoleARN  pulumi.StringOutput
	RoleName pulumi.StringOutput
	// Association is what pods need before they start, or they start without
	// credentials: let what makes them depend on it.
	Association *eks.PodIdentityAssociation
}

// Args of a WorkloadRole.
type Args struct {
	ClusterName pulumi.StringInput
	// Namespace and ServiceAccount need not exist yet.
	Namespace      string
	ServiceAccount string
	// Policy is what the pods may do; nil for nothing of its own, as for a role
	// that only proves who the pods are.
	Policy *iampolicy.Document
	// ManagedPolicyARNs are attached besides. Their last parts must differ,
	// because the attachments are named by them.
	ManagedPolicyARNs []string
	Tags              tags.Tags
}

// New makes the role, its rights, then the association.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*WorkloadRole, error) {
	if err := args.Validate(name); err != nil {
		return nil, err
	}
	w := &WorkloadRole{}
	inputs := pulumi.Map{
		"clusterName":       args.ClusterName,
		"namespace":         pulumi.String(args.Namespace),
		"serviceAccount":    pulumi.String(args.ServiceAccount),
		"managedPolicyArns": pulumi.ToStringArray(args.ManagedPolicyARNs),
		"tags":              args.Tags.Map(),
	}
	if err := component.Register(ctx, token, name, inputs, w, opts...); err != nil {
		return nil, err
	}

	role, err := newRole(ctx, name, args, w)
	if err != nil {
		return nil, err
	}
	rights, err := grant(ctx, name, args, role, w)
	if err != nil {
		return nil, err
	}
	w.Association, err = eks.NewPodIdentityAssociation(ctx, name+"-association", &eks.PodIdentityAssociationArgs{
		ClusterName:    args.ClusterName,
		Namespace:      pulumi.String(args.Namespace),
		ServiceAccount: pulumi.String(args.ServiceAccount),
		RoleArn:        role.Arn,
		Tags:           args.Tags.Named(name),
	}, component.Child(w, pulumi.DependsOn(rights))...)
	if err != nil {
		return nil, fmt.Errorf("workload role %q: association: %w", name, err)
	}

	w.RoleARN, w.RoleName = role.Arn, role.Name
	return w, ctx.RegisterResourceOutputs(w, pulumi.Map{"roleArn": w.RoleARN, "roleName": w.RoleName})
}

func newRole(ctx *pulumi.Context, name string, args *Args, parent pulumi.Resource) (*iam.Role, error) {
	trust, err := iampolicy.PodIdentityTrust(args.ClusterName, args.Namespace, args.ServiceAccount).JSON(iampolicy.Trust)
	if err != nil {
		return nil, fmt.Errorf("workload role %q: %w", name, err)
	}
	role, err := iam.NewRole(ctx, name+"-role", &iam.RoleArgs{
		Description:      pulumi.Sprintf("Pods of service account %s in namespace %s of cluster %s", args.ServiceAccount, args.Namespace, args.ClusterName),
		AssumeRolePolicy: trust,
		Tags:             args.Tags.Named(name),
	}, component.Child(parent)...)
	if err != nil {
		return nil, fmt.Errorf("workload role %q: role: %w", name, err)
	}
	return role, nil
}

// grant gives the role its rights and returns what carries them, so that the
// association follows: a pod never starts with a role that may not do its work.
func grant(ctx *pulumi.Context, name string, args *Args, role *iam.Role, parent pulumi.Resource) ([]pulumi.Resource, error) {
	var rights []pulumi.Resource
	if args.Policy != nil {
		text, err := args.Policy.JSON(iampolicy.Identity)
		if err != nil {
			return nil, fmt.Errorf("workload role %q: %w", name, err)
		}
		policy, err := iam.NewRolePolicy(ctx, name+"-policy", &iam.RolePolicyArgs{
			Role:   role.Name,
			Policy: text,
		}, component.Child(parent)...)
		if err != nil {
			return nil, fmt.Errorf("workload role %q: policy: %w", name, err)
		}
		rights = append(rights, policy)
	}
	for _, arn := range args.ManagedPolicyARNs {
		attachment, err := iam.NewRolePolicyAttachment(ctx, name+"-"+policyName(arn), &iam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: pulumi.String(arn),
		}, component.Child(parent)...)
		if err != nil {
			return nil, fmt.Errorf("workload role %q: attaching %q: %w", name, arn, err)
		}
		rights = append(rights, attachment)
	}
	return rights, nil
}
