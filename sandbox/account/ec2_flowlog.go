package account

import (
	"fmt"
	"strings"
)

// defaultLogFormat is version 2 of the flow log records, see
// https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
const defaultLogFormat = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"

var flowLogSources = []string{"eniId", "subnetId", "vpcId"}

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_flow_log.go
//
// A flow log does not hold its VPC back, and outlives it.
var _ = register(typeFlowLog, rules{
	defaults: map[string]any{"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600.0},
	forceNew: []string{
		"deliverCrossAccountRole", "destinationOptions", "eniId", "iamRoleArn", "logDestination", "logDestinationType",
		"logFormat", "logGroupName", "maxAggregationInterval", "subnetId", "trafficType", "transitGatewayAttachmentId",
		"transitGatewayId", "vpcId",
	},
	computed:   []string{"logDestination", "logFormat", "logGroupName"},
	unmodelled: []string{"deliverCrossAccountRole", "destinationOptions", "transitGatewayAttachmentId", "transitGatewayId"},
	check:      checkFlowLog,
	create:     createFlowLog,
})

func checkFlowLog(in Props) []Failure {
	failures := append(oneOf(in, "trafficType", "ACCEPT", "ALL", "REJECT"), oneOf(in, "logDestinationType", "cloud-watch-logs")...)
	fail := func(property, format string, args ...any) {
		failures = append(failures, Failure{Property: property, Reason: fmt.Sprintf(format, args...)})
	}
	if n, ok := in["maxAggregationInterval"].(float64); ok && n != 60 && n != 600 {
		fail("maxAggregationInterval", "%v is not allowed: expected 60 or 600 seconds", n)
	}
	sources := 0
	for _, source := range flowLogSources {
		if in.Has(source) {
			sources++
		}
	}
	if sources != 1 {
		fail("vpcId", "a flow log has one source, this one has %d: give one of %s", sources, strings.Join(flowLogSources, ", "))
	}
	if !in.Has("trafficType") {
		fail("trafficType", "is required")
	}
	if !in.Has("iamRoleArn") {
		fail("iamRoleArn", "is required: CloudWatch Logs takes the records from a role")
	}
	if in.Has("logDestination") == in.Has("logGroupName") {
		fail("logDestination", `one of "logDestination" and "logGroupName" must be given`)
	}
	return failures
}

func createFlowLog(v *view, o *Object) error {
	if err := v.flowLogSource(o); err != nil {
		return err
	}
	if role := o.in().String("iamRoleArn"); v.roleByARN(role) == nil {
		return missingReference("InvalidParameter", "unable to assume given IAM role: there is no role %q", role)
	}
	// AWS would make a missing log group by itself; it would then be nobody's
	// to delete.
	name := o.in().String("logGroupName")
	if name == "" {
		name = logGroupName(o.in().String("logDestination"))
	}
	group := v.first(typeLogGroup, func(g *Object) bool { return g.Region == o.Region && g.out().String("name") == name })
	if group == nil {
		return missingReference("InvalidParameter", "the log group %q of flow log destination %q does not exist in %s", name, o.in().String("logDestination"), o.Region)
	}
	o.ID = ec2ID("fl")
	o.Outputs["arn"] = arn("ec2", o.Region, "vpc-flow-log/"+o.ID)
	o.Outputs["logDestination"] = arn("logs", o.Region, "log-group:"+name)
	o.Outputs["logGroupName"] = name
	o.Outputs["logFormat"] = o.in().StringOr("logFormat", defaultLogFormat)
	same := v.first(typeFlowLog, func(other *Object) bool { return other.Region == o.Region && sameFlowLog(o, other) })
	if same != nil {
		return refuse("FlowLogAlreadyExists", "there is an existing Flow Log with the same configuration and log destination: %q", same.ID)
	}
	return nil
}

// sameFlowLog says whether AWS takes two flow logs for one: they have the same
// source and the same configuration.
func sameFlowLog(a, b *Object) bool {
	for _, property := range append([]string{"logDestination", "logFormat", "maxAggregationInterval", "trafficType"}, flowLogSources...) {
		if a.out()[property] != b.out()[property] {
			return false
		}
	}
	return true
}

func (v *view) flowLogSource(o *Object) error {
	var err error
	switch in := o.in(); {
	case in.String("vpcId") != "":
		_, err = v.vpcOf(in.String("vpcId"), o.Region)
	case in.String("subnetId") != "":
		_, err = v.subnetOf(in.String("subnetId"), o.Region)
	default:
		id := in.String("eniId")
		if nic := v.get(typeNetworkInterface, id); nic == nil || nic.Region != o.Region {
			err = missingReference("InvalidNetworkInterfaceID.NotFound", "the networkInterface ID %q does not exist in %s", id, o.Region)
		}
	}
	return err
}

// logGroupName takes the name out of a log group's ARN, which may end in ":*".
func logGroupName(groupARN string) string {
	_, name, _ := strings.Cut(strings.TrimSuffix(groupARN, ":*"), ":log-group:")
	return name
}
