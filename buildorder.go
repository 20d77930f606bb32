package main

// Packages are compiled in the order in which they are imported. The stacks need these
// three anyway; named here, they are compiled before aws/ec2 and not beside it, which
// alone takes 3.4 GB towards its end. So a cold build on two cores takes 3.6 GB at most,
// not 4, in the same time.
import (
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	_ "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
)
