package bucket_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/bucket"
	"github.com/strongroom-platform/strongroom/internal/component"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const (
	bucketType = "aws:s3/bucketV2:BucketV2"
	accessType = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
)

type thing struct{ pulumi.ResourceState }

func program(args bucket.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		parent := &thing{}
		if err := component.Register(ctx, "strongroom:test:Thing", "main", nil, parent); err != nil {
			return err
		}
		args.Parent = parent
		_, err := bucket.New(ctx, "main-kept", &args)
		return err
	}
}

func TestBucket(t *testing.T) {
	g := pulumitest.RunBoth(t, program(bucket.Args{Protect: true, Tags: tags.Tags{"owner": "platform"}}), pulumitest.Options{})
	made := g.Get(t, bucketType, "main-kept")
	require.True(t, made.Protect)
	require.Equal(t, false, made.Get("forceDestroy"))
	require.Equal(t, map[string]any{"Name": "main-kept", "owner": "platform"}, made.Get("tags"))
	parent := g.Get(t, "strongroom:test:Thing", "main")
	require.Len(t, g.ChildrenOf(parent), 5)
	for name, typ := range map[string]string{
		"versioning":    "aws:s3/bucketVersioningV2:BucketVersioningV2",
		"encryption":    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
		"public-access": accessType,
		"policy":        "aws:s3/bucketPolicy:BucketPolicy",
	} {
		setting := g.Get(t, typ, "main-kept-"+name)
		require.Equal(t, made.State["bucket"].StringValue(), setting.Get("bucket"), name)
		require.False(t, setting.Protect)
	}
	require.Equal(t, "Enabled", g.OfType("aws:s3/bucketVersioningV2:BucketVersioningV2")[0].Get("versioningConfiguration.status"))
	for _, setting := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
		require.Equal(t, true, g.OfType(accessType)[0].Get(setting), setting)
	}
	require.Equal(t, "AES256", g.OfType("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2")[0].
		Get("rules[0].applyServerSideEncryptionByDefault.sseAlgorithm"))
	policy, ok := g.OfType("aws:s3/bucketPolicy:BucketPolicy")[0].Get("policy").(string)
	require.True(t, ok)
	arn := made.State["arn"].StringValue()
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"OnlyTLS","Effect":"Deny","Principal":{"AWS":["*"]},"Action":["s3:*"],
		"Resource":["`+arn+`","`+arn+`/*"],"Condition":{"Bool":{"aws:SecureTransport":["false"]}}}]}`, policy)
}

func TestBucketThatMayGo(t *testing.T) {
	g := pulumitest.Run(t, program(bucket.Args{PublicAccessBlock: "private"}), pulumitest.Options{})
	made := g.Get(t, bucketType, "main-kept")
	require.False(t, made.Protect)
	require.Equal(t, true, made.Get("forceDestroy"))
	require.Equal(t, []string{"main-kept-private"}, g.Names(accessType))
}
