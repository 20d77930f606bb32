package ekscluster

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// lookupAccount asks where the cluster is being made: the account and the
// partition ("aws", "aws-cn", "aws-us-gov") are parts of ARNs.
func (b *builder) lookupAccount() {
	b.partition = aws.GetPartitionOutput(b.ctx, aws.GetPartitionOutputArgs{}, pulumi.Parent(b.cluster)).Partition()
	b.accountID = aws.GetCallerIdentityOutput(b.ctx, aws.GetCallerIdentityOutputArgs{}, pulumi.Parent(b.cluster)).AccountId()
}

// awsPolicy is the ARN of a policy that AWS manages.
func (b *builder) awsPolicy(name string) pulumi.StringOutput {
	return pulumi.Sprintf("arn:%s:iam::aws:policy/%s", b.partition, name)
}
