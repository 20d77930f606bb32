package vaultha

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/bucket"
	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// snapshots makes the bucket for Vault's snapshots. What is in a snapshot is
// encrypted by Vault already, under the unseal key, so S3's own key is enough here:
// whoever restores one in an emergency needs no right to another key.
func (b *builder) snapshots() error {
	name := b.name + "-snapshots"
	made, err := bucket.New(b.ctx, name, &bucket.Args{Parent: b.vault, Protect: b.args.Protect, Tags: b.args.Tags})
	if err != nil {
		return err
	}
	if err := b.snapshotLifecycle(name, made); err != nil {
		return err
	}
	b.vault.SnapshotBucket = made.Bucket
	b.vault.SnapshotPolicy = &iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid:       "PutSnapshots",
		Actions:   []string{"s3:PutObject"},
		Resources: []pulumi.StringInput{pulumi.Sprintf("%s/%s*", made.Arn, SnapshotPrefix)},
	}}}
	return nil
}

// snapshotLifecycle ends snapshots, and what an overwritten or deleted one left
// behind.
func (b *builder) snapshotLifecycle(name string, made *bucket.Bucket) error {
	_, err := s3.NewBucketLifecycleConfigurationV2(b.ctx, name+"-lifecycle", &s3.BucketLifecycleConfigurationV2Args{
		Bucket: made.Bucket,
		Rules: s3.BucketLifecycleConfigurationV2RuleArray{s3.BucketLifecycleConfigurationV2RuleArgs{
			Id:         pulumi.String("expire"),
			Status:     pulumi.String("Enabled"),
			Filter:     s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String(SnapshotPrefix)},
			Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(b.args.SnapshotRetentionDays)},
			NoncurrentVersionExpiration: s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
				NoncurrentDays: pulumi.Int(b.args.SnapshotRetentionDays),
			},
			AbortIncompleteMultipartUpload: s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
				DaysAfterInitiation: pulumi.Int(1),
			},
		}},
	}, b.child(pulumi.DependsOn([]pulumi.Resource{made.Versioning}))...)
	return err
}
