package ekscluster

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// encryptionKey makes the key with which EKS encrypts the keys of Secrets in
// etcd. It cannot be taken away from a cluster again, and without it the cluster
// is lost.
func (b *builder) encryptionKey() (*kms.Key, error) {
	policy, err := b.keyPolicy().JSON(iampolicy.Resource)
	if err != nil {
		return nil, err
	}
	key, err := kms.NewKey(b.ctx, b.name+"-key", &kms.KeyArgs{
		Description:          pulumi.String("Secrets of EKS cluster " + b.args.ClusterName),
		Policy:               policy,
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(b.args.kmsDeletionWindowDays()),
		Tags:                 b.args.Tags.Named(b.args.ClusterName),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return nil, err
	}
	_, err = kms.NewAlias(b.ctx, b.name+"-key-alias", &kms.AliasArgs{
		Name:        pulumi.String("alias/eks/" + b.args.ClusterName),
		TargetKeyId: key.KeyId,
	}, b.child()...)
	if err != nil {
		return nil, err
	}
	return key, nil
}

// keyPolicy lets the account manage the key, but gives nobody its use: no
// policy in the account, not even an administrator's, allows to decrypt with
// it. EKS uses it through a grant, which the identity that creates the cluster
// makes for it; for that it needs DescribeKey and CreateGrant, which are among
// the actions here.
//
// Upstream: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-administrators.
func (b *builder) keyPolicy() iampolicy.Document {
	return iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid:        "Administration",
		Principals: []iampolicy.Principal{iampolicy.Principals(pulumi.Sprintf("arn:%s:iam::%s:root", b.partition, b.accountID))},
		Actions: []string{
			"kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*",
			"kms:Disable*", "kms:Get*", "kms:Delete*", "kms:TagResource", "kms:UntagResource",
			"kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:RotateKeyOnDemand",
		},
		AnyResource: "in the policy of a key, * is the key, whose ARN does not exist before its policy does",
	}}}
}
