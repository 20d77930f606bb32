package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFlowLogNeedsItsGroupAndRole(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.0.0/24", "a")
	group, role := w.logging()
	inputs := func(change m) m {
		out := m{"vpcId": vpc.ID, "trafficType": "ALL", "logDestination": group.Outputs["arn"], "iamRoleArn": role.Outputs["arn"]}
		for k, v := range change {
			out[k] = v
		}
		return out
	}
	log := w.create(typeFlowLog, inputs(nil))
	require.Regexp(t, `^fl-[0-9a-f]{17}$`, log.ID)
	require.Equal(t, "/flow", log.Outputs["logGroupName"])
	require.Contains(t, log.Outputs["logFormat"], "${srcaddr}")
	require.EqualValues(t, 600, log.Outputs["maxAggregationInterval"])
	w.create(typeFlowLog, inputs(m{"vpcId": nil, "subnetId": subnet.ID, "logDestination": group.Outputs["arn"].(string) + ":*"}))
	for name, test := range map[string]struct {
		change m
		want   string
	}{
		"the same again":      {nil, "FlowLogAlreadyExists"},
		"no such VPC":         {m{"vpcId": "vpc-0123"}, "InvalidVpcID.NotFound"},
		"no such subnet":      {m{"vpcId": nil, "subnetId": "subnet-0123"}, "InvalidSubnetID.NotFound"},
		"no such interface":   {m{"vpcId": nil, "eniId": "eni-0123"}, "InvalidNetworkInterfaceID.NotFound"},
		"no such role":        {m{"iamRoleArn": "arn:aws:iam::123456789012:role/none"}, "unable to assume"},
		"no such group":       {m{"logDestination": arn("logs", testRegion, "log-group:/none")}, "does not exist"},
		"two sources":         {m{"subnetId": subnet.ID}, "one source, this one has 2"},
		"no role":             {m{"iamRoleArn": nil}, "iamRoleArn: is required"},
		"no traffic type":     {m{"trafficType": nil}, "trafficType: is required"},
		"wrong traffic type":  {m{"trafficType": "SOME"}, "expected one of"},
		"wrong interval":      {m{"maxAggregationInterval": 30}, "60 or 600"},
		"a bucket":            {m{"logDestinationType": "s3"}, "expected one of"},
		"two destinations":    {m{"logGroupName": "/flow"}, "must be given"},
		"a transit gateway":   {m{"vpcId": nil, "transitGatewayId": "tgw-1"}, "not modelled"},
		"destination unknown": {m{"logDestination": Unknown{}}, "not known yet"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeFlowLog, inputs(test.change))
			require.ErrorContains(t, err, test.want)
		})
	}
	require.NoError(t, w.update(log, m{"tags": m{"a": "1"}}))
	refused(t, w.update(log, m{"trafficType": "REJECT"}), "InvalidParameterValue")
}
