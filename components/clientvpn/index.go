package clientvpn

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// index makes the bucket in which `strongroom vpn` keeps who has a certificate:
// every version of it, encrypted, for nobody outside of the account, and only over
// TLS.
func (b *builder) index() error {
	name := b.name + "-index"
	bucket, err := s3.NewBucketV2(b.ctx, name, &s3.BucketV2Args{
		// A bucket that is not empty cannot be deleted, and a destroy would stop.
		ForceDestroy: pulumi.Bool(!b.args.Protect),
		Tags:         b.args.Tags.Named(name),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return err
	}
	if err := b.indexSettings(name, bucket); err != nil {
		return err
	}
	b.vpn.Bucket = bucket.Bucket
	return nil
}

func (b *builder) indexSettings(name string, bucket *s3.BucketV2) error {
	_, err := s3.NewBucketVersioningV2(b.ctx, name+"-versioning", &s3.BucketVersioningV2Args{
		Bucket:                  bucket.ID(),
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, b.child()...)
	if err != nil {
		return fmt.Errorf("versioning: %w", err)
	}
	_, err = s3.NewBucketServerSideEncryptionConfigurationV2(b.ctx, name+"-encryption", &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			// A key of AWS: the index holds names and serial numbers, no secrets.
			ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm: pulumi.String("AES256"),
			},
		}},
	}, b.child()...)
	if err != nil {
		return fmt.Errorf("encryption: %w", err)
	}
	block, err := s3.NewBucketPublicAccessBlock(b.ctx, name+"-private", &s3.BucketPublicAccessBlockArgs{
		Bucket:                bucket.ID(),
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, b.child()...)
	if err != nil {
		return fmt.Errorf("public access block: %w", err)
	}
	policy, err := onlyTLS(bucket.Arn).JSON(iampolicy.Resource)
	if err != nil {
		return err
	}
	_, err = s3.NewBucketPolicy(b.ctx, name+"-policy", &s3.BucketPolicyArgs{
		Bucket: bucket.ID(),
		Policy: policy,
	}, b.child(
		// S3 refuses two changes of a bucket's access at once.
		pulumi.DependsOn([]pulumi.Resource{block}),
	)...)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return nil
}

// onlyTLS denies everyone everything without TLS:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html#example-bucket-policies-HTTP-HTTPS
func onlyTLS(bucket pulumi.StringOutput) iampolicy.Document {
	return iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid:        "OnlyTLS",
		Effect:     iampolicy.Deny,
		Principals: []iampolicy.Principal{iampolicy.Principals(pulumi.String("*"))},
		Actions:    []string{"s3:*"},
		Resources:  []pulumi.StringInput{bucket, pulumi.Sprintf("%s/*", bucket)},
		Conditions: []iampolicy.Condition{{Operator: "Bool", Key: "aws:SecureTransport", Values: []pulumi.StringInput{pulumi.String("false")}}},
	}}}
}
