// Package bucket makes buckets for what must not be lost and is nobody's business:
// every version of an object is kept, encrypted, for nobody outside of the account,
// and only over TLS.
package bucket

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
	"github.com/strongroom-platform/strongroom/internal/iampolicy"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

// Args describe a bucket.
type Args struct {
	// Parent is the component that it belongs to.
	Parent pulumi.Resource
	// Protect keeps it from being deleted. Without protection it can go with all that
	// is in it.
	Protect bool
	Tags    tags.Tags
	// PublicAccessBlock is the end of the name of that resource, "public-access" by
	// default. A name is an identity: one that exists is not changed.
	PublicAccessBlock string
}

// Bucket is a bucket with its settings.
type Bucket struct {
	*s3.BucketV2
	// Versioning comes before a lifecycle that ends earlier versions.
	Versioning *s3.BucketVersioningV2
}

// New makes a bucket. What is in it is encrypted with AWS's own key: whoever needs more
// encrypts what he puts into it.
func New(ctx *pulumi.Context, name string, args *Args) (*Bucket, error) {
	made, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{
		// A bucket that is not empty cannot be deleted, and a destroy would stop.
		ForceDestroy: pulumi.Bool(!args.Protect),
		Tags:         args.Tags.Named(name),
	}, component.Child(args.Parent, pulumi.Protect(args.Protect))...)
	if err != nil {
		return nil, err
	}
	b := &Bucket{BucketV2: made}
	b.Versioning, err = s3.NewBucketVersioningV2(ctx, name+"-versioning", &s3.BucketVersioningV2Args{
		Bucket:                  made.Bucket,
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, component.Child(args.Parent)...)
	if err != nil {
		return nil, fmt.Errorf("versioning: %w", err)
	}
	_, err = s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name+"-encryption", &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: made.Bucket,
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm: pulumi.String("AES256"),
			},
		}},
	}, component.Child(args.Parent)...)
	if err != nil {
		return nil, fmt.Errorf("encryption: %w", err)
	}
	return b, b.close(ctx, name, args)
}

// close lets nobody in from outside, and nobody without TLS.
func (b *Bucket) close(ctx *pulumi.Context, name string, args *Args) error {
	end := args.PublicAccessBlock
	if end == "" {
		end = "public-access"
	}
	block, err := s3.NewBucketPublicAccessBlock(ctx, name+"-"+end, &s3.BucketPublicAccessBlockArgs{
		Bucket:                b.Bucket,
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, component.Child(args.Parent)...)
	if err != nil {
		return fmt.Errorf("public access block: %w", err)
	}
	policy, err := onlyTLS(b.Arn).JSON(iampolicy.Resource)
	if err != nil {
		return err
	}
	_, err = s3.NewBucketPolicy(ctx, name+"-policy", &s3.BucketPolicyArgs{
		Bucket: b.Bucket,
		Policy: policy,
	}, component.Child(args.Parent,
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
