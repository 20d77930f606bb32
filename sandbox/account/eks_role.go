package account

import "slices"

const awsPolicyPrefix = "arn:aws:iam::aws:policy/"

// clusterRole checks the role that a control plane acts with.
// https://docs.aws.amazon.com/eks/latest/userguide/cluster-iam-role.html
func (v *view) clusterRole(roleARN string) error {
	role := v.roleByARN(roleARN)
	if role == nil || !v.trusts(role, "eks.amazonaws.com", "sts:AssumeRole") {
		return missingReference("InvalidParameterException", "Role with arn: %s, could not be assumed because it does not exist or the trusted entity is not correct: expected a role that trusts eks.amazonaws.com", roleARN)
	}
	if !v.hasPolicy(role, "AmazonEKSClusterPolicy") {
		return refuse("InvalidParameterException", "The provided role doesn't have the Amazon EKS Managed Policies associated with it. Please ensure the following policy is attached: %sAmazonEKSClusterPolicy", awsPolicyPrefix)
	}
	return nil
}

// nodeRole returns the role of a node group's nodes.
// https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
func (v *view) nodeRole(roleARN string) (*Object, error) {
	role := v.roleByARN(roleARN)
	if role == nil {
		return nil, missingReference("InvalidParameterException", "Role with arn: %s, does not exist", roleARN)
	}
	if !v.trusts(role, "ec2.amazonaws.com", "sts:AssumeRole") {
		return nil, refuse("InvalidParameterException", "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of nodeRole %s", roleARN)
	}
	return role, nil
}

// podRole checks a role that pods get through Pod Identity.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
func (v *view) podRole(roleARN string) error {
	role := v.roleByARN(roleARN)
	if role == nil {
		return missingReference("InvalidParameterException", "Role provided in the request does not exist: %s", roleARN)
	}
	for _, action := range []string{"sts:AssumeRole", "sts:TagSession"} {
		if !v.trusts(role, "pods.eks.amazonaws.com", action) {
			return refuse("InvalidParameterException", "Trust policy of role %s is invalid: it must allow pods.eks.amazonaws.com the action %s", roleARN, action)
		}
	}
	return nil
}

// hasPolicy says whether one of several policies that AWS manages is attached
// to a role.
func (v *view) hasPolicy(role *Object, names ...string) bool {
	return v.first(typeRolePolicyAttachment, func(a *Object) bool {
		return a.in().String("role") == role.ID && slices.ContainsFunc(names, func(name string) bool {
			return a.in().String("policyArn") == awsPolicyPrefix+name
		})
	}) != nil
}

// trusts says whether a role's trust policy allows a service an action.
// Conditions are left to whoever assumes the role.
func (v *view) trusts(role *Object, service, action string) bool {
	statements, err := v.policyStatements(role.out().String("assumeRolePolicy"), trustPolicy)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(statements, func(s policyStatement) bool {
		return s.allow && slices.Contains(s.principals["Service"], service) &&
			slices.ContainsFunc(s.actions, func(pattern string) bool { return wildcard(pattern, action) })
	})
}
