package vaultha

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// snapshots makes the bucket for Vault's snapshots. What is in a snapshot is
// encrypted by Vault already, under the unseal key, so S3's own key is enough here:
// whoever restores one in an emergency needs no right to another key.
func (b *builder) snapshots() error {
	name := b.name + "-snapshots"
	bucket, err := s3.NewBucketV2(b.ctx, name, &s3.BucketV2Args{
		// Without protection the stack can be destroyed, with all snapshots.
		ForceDestroy: pulumi.Bool(!b.args.Protect),
		Tags:         b.args.Tags.Named(name),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return err
	}
	if _, err := s3.NewBucketPublicAccessBlock(b.ctx, name+"-public-access", &s3.BucketPublicAccessBlockArgs{
		Bucket:                bucket.Bucket,
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, b.child()...); err != nil {
		return err
	}
	versioning, err := s3.NewBucketVersioningV2(b.ctx, name+"-versioning", &s3.BucketVersioningV2Args{
		Bucket:                  bucket.Bucket,
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, b.child()...)
	if err != nil {
		return err
	}
	if _, err := s3.NewBucketServerSideEncryptionConfigurationV2(b.ctx, name+"-encryption", &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.Bucket,
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm: pulumi.String("AES256"),
			},
		}},
	}, b.child()...); err != nil {
		return err
	}
	if err := b.snapshotLifecycle(name, bucket, versioning); err != nil {
		return err
	}
	objects := pulumi.Sprintf("%s/*", bucket.Arn)
	policy, err := iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid:        "OnlyTLS",
		Effect:     iampolicy.Deny,
		Principals: []iampolicy.Principal{iampolicy.Principals(pulumi.String("*"))},
		Actions:    []string{"s3:*"},
		Resources:  []pulumi.StringInput{bucket.Arn, objects},
		Conditions: []iampolicy.Condition{{
			Operator: "Bool", Key: "aws:SecureTransport", Values: []pulumi.StringInput{pulumi.String("false")},
		}},
	}}}.JSON(iampolicy.Resource)
	if err != nil {
		return err
	}
	if _, err := s3.NewBucketPolicy(b.ctx, name+"-policy", &s3.BucketPolicyArgs{
		Bucket: bucket.Bucket, Policy: policy,
	}, b.child()...); err != nil {
		return err
	}
	b.vault.SnapshotBucket = bucket.Bucket
	b.vault.SnapshotPolicy = &iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid:       "PutSnapshots",
		Actions:   []string{"s3:PutObject"},
		Resources: []pulumi.StringInput{pulumi.Sprintf("%s/%s*", bucket.Arn, SnapshotPrefix)},
	}}}
	return nil
}

// snapshotLifecycle ends snapshots, and what an overwritten or deleted one left
// behind.
func (b *builder) snapshotLifecycle(name string, bucket *s3.BucketV2, versioning *s3.BucketVersioningV2) error {
	_, err := s3.NewBucketLifecycleConfigurationV2(b.ctx, name+"-lifecycle", &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.Bucket,
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
	}, b.child(pulumi.DependsOn([]pulumi.Resource{versioning}))...)
	return err
}
