package main

// Packages are compiled in the order in which they are imported. The stacks need these
// anyway; named here, they are compiled before aws/ec2 and not beside it, which alone
// takes 3.4 GB towards its end: they are most of what takes more than 150 MB. So a cold
// build on two cores takes 3.5 GB, not 4, in the same time.
import (
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	_ "github.com/pulumi/pulumi-vault/sdk/v6/go/vault/aws"
	_ "github.com/pulumi/pulumi-vault/sdk/v6/go/vault/database"
	_ "k8s.io/api/core/v1"
)
