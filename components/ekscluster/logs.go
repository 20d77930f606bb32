package ekscluster

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// allLogTypes are the logs that a control plane can write:
// https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html.
var allLogTypes = []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}

// controlPlaneLogs makes the log group before the cluster, and the cluster's
// log types depend on it: EKS makes a group that it does not find, without
// retention and owned by nobody, also when the group goes before the cluster.
// It is protected, because the audit log is in it.
func (b *builder) controlPlaneLogs() (pulumi.StringArrayOutput, error) {
	group, err := cloudwatch.NewLogGroup(b.ctx, b.name+"-logs", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/eks/" + b.args.ClusterName + "/cluster"),
		RetentionInDays: pulumi.Int(b.args.logRetentionDays()),
		Tags:            b.args.Tags.Named(b.args.ClusterName),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return pulumi.StringArrayOutput{}, err
	}
	types := b.args.logTypes()
	return group.Arn.ApplyT(func(string) []string { return types }).(pulumi.StringArrayOutput), nil
}
