package network_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/network"
)

func TestFlowLogs(t *testing.T) {
	g := run(t, nil)
	group, role := g.Get(t, typeLogGroup, "net-flow-logs"), g.Get(t, typeRole, "net-flow-logs-role")
	assert.Equal(t, "/aws/vpc/net/flow-logs", group.Get("name"))
	assert.Equal(t, 30.0, group.Get("retentionInDays"))
	arn := "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vpc/net/flow-logs"
	log := g.Get(t, typeFlowLog, "net-flow-logs")
	assert.Equal(t, map[string]any{
		"vpcId": g.Get(t, typeVPC, "net-vpc").ID, "trafficType": "ALL", "logDestinationType": "cloud-watch-logs",
		"logDestination": arn, "iamRoleArn": role.State["arn"].StringValue(), "maxAggregationInterval": 600.0,
		"tags": map[string]any{"environment": "test", "Name": "net-flow-logs"},
	}, log.Plain())
	assert.True(t, g.DependsOn(log, g.Get(t, typeRolePolicy, "net-flow-logs-policy")), "a role without rights writes nothing")

	assert.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{
		"Sid": "FlowLogs", "Effect": "Allow",
		"Principal": {"Service": ["vpc-flow-logs.amazonaws.com"]},
		"Action": ["sts:AssumeRole"],
		"Condition": {
			"StringEquals": {"aws:SourceAccount": ["123456789012"]},
			"ArnLike": {"aws:SourceArn": ["arn:aws:ec2:eu-central-1:123456789012:vpc-flow-log/*"]}
		}
	}]}`, role.Get("assumeRolePolicy").(string))
	assert.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{
		"Sid": "Write", "Effect": "Allow",
		"Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"],
		"Resource": ["`+arn+`", "`+arn+`:*"]
	}]}`, g.Get(t, typeRolePolicy, "net-flow-logs-policy").Get("policy").(string))
	require.Len(t, g.Calls, 2)
}

func TestFlowLogsRetention(t *testing.T) {
	g := run(t, func(a *network.Args) { a.FlowLogsRetentionDays = 365 })
	assert.Equal(t, 365.0, g.Get(t, typeLogGroup, "net-flow-logs").Get("retentionInDays"))
}
