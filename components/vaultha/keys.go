package vaultha

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// lookupAccount asks for what key policies name: the account and the partition.
func (b *builder) lookupAccount() {
	b.partition = aws.GetPartitionOutput(b.ctx, aws.GetPartitionOutputArgs{}, pulumi.Parent(b.vault)).Partition()
	b.accountID = aws.GetCallerIdentityOutput(b.ctx, aws.GetCallerIdentityOutputArgs{}, pulumi.Parent(b.vault)).AccountId()
}

// unsealKey makes the key with which Vault encrypts its root key. Without it, the
// data of Vault and every snapshot of it is lost.
func (b *builder) unsealKey() error {
	key, err := b.key("unseal", "Unseals Vault "+b.args.Hostname, iampolicy.Statement{
		Sid: "UseByRoles",
		// What awskms calls: https://developer.hashicorp.com/vault/docs/configuration/seal/awskms#authentication.
		Actions: sealActions,
	})
	if err != nil {
		return err
	}
	b.vault.UnsealKeyARN = key.Arn
	b.vault.ServerPolicy = &iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid: "Unseal", Actions: sealActions, Resources: []pulumi.StringInput{key.Arn},
	}}}
	return nil
}

var sealActions = []string{"kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"}

// key makes a KMS key with its alias. The statement says what the policies of the
// account's roles may allow with it; its principal is the account.
func (b *builder) key(what, description string, use iampolicy.Statement) (*kms.Key, error) {
	account := iampolicy.Principals(pulumi.Sprintf("arn:%s:iam::%s:root", b.partition, b.accountID))
	const reason = "in the policy of a key, * is the key, whose ARN does not exist before its policy does"
	use.Principals, use.AnyResource = []iampolicy.Principal{account}, reason
	policy, err := iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid:        "Administration",
		Principals: []iampolicy.Principal{account},
		// All but its use: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-administrators.
		Actions: []string{
			"kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*",
			"kms:Disable*", "kms:Get*", "kms:Delete*", "kms:TagResource", "kms:UntagResource",
			"kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:RotateKeyOnDemand",
		},
		AnyResource: reason,
	}, use}}.JSON(iampolicy.Resource)
	if err != nil {
		return nil, err
	}
	name := b.name + "-" + what
	key, err := kms.NewKey(b.ctx, name+"-key", &kms.KeyArgs{
		Description:          pulumi.String(description),
		Policy:               policy,
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(b.args.RecoveryWindowDays),
		Tags:                 b.args.Tags.Named(name),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return nil, err
	}
	_, err = kms.NewAlias(b.ctx, name+"-key-alias", &kms.AliasArgs{
		Name:        pulumi.String("alias/" + name),
		TargetKeyId: key.KeyId,
	}, b.child()...)
	return key, err
}
