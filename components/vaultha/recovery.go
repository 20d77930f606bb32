package vaultha

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// recoverySecret makes the place for the recovery keys, without a value: the first
// start writes it, Pulumi never sees it. It has a key of its own, because whoever
// unseals Vault need not be able to read it.
func (b *builder) recoverySecret() error {
	service := pulumi.String("secretsmanager." + b.args.Region + ".amazonaws.com")
	throughSecretsManager := []iampolicy.Condition{iampolicy.StringEquals("kms:ViaService", service)}
	// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-authz
	actions := []string{"kms:Decrypt", "kms:GenerateDataKey"}
	key, err := b.key("recovery", "Recovery keys of Vault "+b.args.Hostname, iampolicy.Statement{
		Sid: "UseThroughSecretsManager", Actions: append([]string{"kms:Encrypt"}, actions...), Conditions: throughSecretsManager,
	})
	if err != nil {
		return err
	}
	// The name is made up, because a deleted secret keeps its name for a while.
	secret, err := secretsmanager.NewSecret(b.ctx, b.name+"-recovery", &secretsmanager.SecretArgs{
		Description:          pulumi.String("Recovery keys of Vault " + b.args.Hostname + ", written by its first start"),
		KmsKeyId:             key.Arn,
		RecoveryWindowInDays: pulumi.Int(b.args.RecoveryWindowDays),
		Tags:                 b.args.Tags.Named(b.name + "-recovery"),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return err
	}
	b.vault.RecoverySecretARN = secret.Arn
	b.vault.InitPolicy = &iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid: "RecoverySecret",
		Actions: []string{
			"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue",
		},
		Resources: []pulumi.StringInput{secret.Arn},
	}, {
		Sid: "RecoverySecretKey", Actions: actions, Resources: []pulumi.StringInput{key.Arn}, Conditions: throughSecretsManager,
	}}}
	return nil
}
