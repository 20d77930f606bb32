package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// aggregationSeconds is AWS's default. The other possibility, 60, costs up to ten
// times as much.
const aggregationSeconds = 600

// flowLogs records who talks to whom in the VPC, what was let through and what
// was not.
//
// The log group is encrypted by CloudWatch Logs with a key of AWS, as the control
// plane's is: a key of our own would only add a way to lose the logs.
func (b *builder) flowLogs() error {
	name := b.name + "-flow-logs"
	group, err := cloudwatch.NewLogGroup(b.ctx, name, &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/vpc/" + b.name + "/flow-logs"),
		RetentionInDays: pulumi.Int(b.args.flowLogsRetentionDays()),
		Tags:            b.args.Tags.Named(name),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return fmt.Errorf("log group: %w", err)
	}
	role, rights, err := b.flowLogsRole(group)
	if err != nil {
		return fmt.Errorf("role: %w", err)
	}
	_, err = ec2.NewFlowLog(b.ctx, name, &ec2.FlowLogArgs{
		VpcId:                  b.vpc.ID(),
		TrafficType:            pulumi.String("ALL"),
		LogDestinationType:     pulumi.String("cloud-watch-logs"),
		LogDestination:         group.Arn,
		IamRoleArn:             role.Arn,
		MaxAggregationInterval: pulumi.Int(aggregationSeconds),
		Tags:                   b.args.Tags.Named(name),
	}, b.child(pulumi.DependsOn([]pulumi.Resource{rights}))...)
	return err
}

// flowLogsRole makes the role with which AWS writes, and returns what gives it
// its rights.
func (b *builder) flowLogsRole(group *cloudwatch.LogGroup) (*iam.Role, pulumi.Resource, error) {
	trust, err := b.flowLogsTrust().JSON(iampolicy.Trust)
	if err != nil {
		return nil, nil, err
	}
	policy, err := flowLogsPolicy(group.Arn).JSON(iampolicy.Identity)
	if err != nil {
		return nil, nil, err
	}
	name := b.name + "-flow-logs-role"
	role, err := iam.NewRole(b.ctx, name, &iam.RoleArgs{
		Description:      pulumi.String("Flow logs of network " + b.name),
		AssumeRolePolicy: trust,
		Tags:             b.args.Tags.Named(name),
	}, b.child()...)
	if err != nil {
		return nil, nil, err
	}
	rights, err := iam.NewRolePolicy(b.ctx, b.name+"-flow-logs-policy", &iam.RolePolicyArgs{
		Role:   role.Name,
		Policy: policy,
	}, b.child()...)
	if err != nil {
		return nil, nil, err
	}
	return role, rights, nil
}

// flowLogsTrust lets the service assume the role only for flow logs of this
// account and region.
//
// Upstream: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html.
func (b *builder) flowLogsTrust() iampolicy.Document {
	partition := aws.GetPartitionOutput(b.ctx, aws.GetPartitionOutputArgs{}, pulumi.Parent(b.network)).Partition()
	account := aws.GetCallerIdentityOutput(b.ctx, aws.GetCallerIdentityOutputArgs{}, pulumi.Parent(b.network)).AccountId()
	return iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid:        "FlowLogs",
		Principals: []iampolicy.Principal{iampolicy.Services("vpc-flow-logs.amazonaws.com")},
		Actions:    []string{"sts:AssumeRole"},
		Conditions: []iampolicy.Condition{
			iampolicy.StringEquals("aws:SourceAccount", account),
			{Operator: "ArnLike", Key: "aws:SourceArn", Values: []pulumi.StringInput{
				// The flow log does not exist before its role does.
				pulumi.Sprintf("arn:%s:ec2:%s:%s:vpc-flow-log/*", partition, b.args.Region, account),
			}},
		},
	}}}
}

// flowLogsPolicy lets the role write to the group. It may not create groups: the
// last records, which arrive after the group is gone, would bring it back.
func flowLogsPolicy(group pulumi.StringOutput) iampolicy.Document {
	return iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid:     "Write",
		Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"},
		// Of the group, and of its streams.
		Resources: []pulumi.StringInput{group, pulumi.Sprintf("%s:*", group)},
	}}}
}
