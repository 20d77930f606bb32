package clientvpn

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// connectionLog makes the log group in which AWS records who connected, from
// where, when and how much: also those who were refused.
func (b *builder) connectionLog() error {
	var err error
	b.log, err = cloudwatch.NewLogGroup(b.ctx, b.name+"-connections", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/clientvpn/" + b.name),
		RetentionInDays: pulumi.Int(b.args.logRetentionDays()),
		Tags:            b.args.Tags.Named(b.name + "-connections"),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	return err
}
