package account

import (
	"fmt"
	"strconv"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/elbv2/target_group.go
var _ = register(typeTargetGroup, rules{
	name: &autoname{property: "name", max: 32},
	defaults: map[string]any{
		"deregistrationDelay": 300.0, "lambdaMultiValueHeadersEnabled": false, "proxyProtocolV2": false, "slowStart": 0.0, "targetType": "instance",
		"healthCheck.enabled": true, "healthCheck.healthyThreshold": 3.0, "healthCheck.interval": 30.0, "healthCheck.port": "traffic-port",
		"healthCheck.protocol": "HTTP", "healthCheck.unhealthyThreshold": 3.0,
	},
	forceNew: []string{"ipAddressType", "name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId"},
	computed: []string{
		"connectionTermination", "healthCheck", "healthCheck.matcher", "healthCheck.path", "healthCheck.timeout", "ipAddressType",
		"loadBalancingAlgorithmType", "loadBalancingAnomalyMitigation", "loadBalancingCrossZoneEnabled", "name", "preserveClientIp",
		"protocolVersion", "stickiness", "targetFailovers", "targetGroupHealth", "targetHealthStates",
	},
	unmodelled: []string{
		"lambdaMultiValueHeadersEnabled", "loadBalancingAlgorithmType", "loadBalancingAnomalyMitigation", "namePrefix", "protocolVersion",
		"stickiness", "targetFailovers", "targetGroupHealth", "targetHealthStates",
	},
	check:  checkTargetGroup,
	create: createTargetGroup,
	update: func(_ *view, _, o *Object) error { return completeTargetGroup(o) },
	remove: removeTargetGroup,
	read:   readTargetGroup,
})

func checkTargetGroup(in Props) []Failure {
	failures := append(checkLoadBalancerName(in), onlyModelled(in, "targetType", "instance", "ip")...)
	failures = append(failures, onlyModelled(in, "protocol", "TCP", "TCP_UDP", "TLS", "UDP")...)
	failures = append(failures, onlyModelled(in, "ipAddressType", "ipv4")...)
	failures = append(failures, oneOf(in, "preserveClientIp", "", "0", "1", "false", "true")...)
	failures = append(failures, oneOf(in, "loadBalancingCrossZoneEnabled", "true", "false", "use_load_balancer_configuration")...)
	failures = append(failures, between(in, "port", 1, 65535)...)
	failures = append(failures, between(in, "deregistrationDelay", 0, 3600)...)
	for _, property := range []string{"port", "protocol", "vpcId"} {
		if in[property] == nil {
			failures = append(failures, Failure{Property: property, Reason: fmt.Sprintf("is required when the target type is %q", in.String("targetType"))})
		}
	}
	if n := in.Int("slowStart", 0); n != 0 {
		failures = append(failures, Failure{Property: "slowStart", Reason: "is for application load balancers, which the simulated AWS account does not model"})
	}
	return append(failures, checkHealthCheck(in.Props("healthCheck"))...)
}

func checkHealthCheck(in Props) []Failure {
	var failures []Failure
	for _, f := range [][]Failure{
		between(in, "healthyThreshold", 2, 10), between(in, "unhealthyThreshold", 2, 10),
		between(in, "interval", 5, 300), between(in, "timeout", 2, 120), oneOf(in, "protocol", "HTTP", "HTTPS", "TCP"),
	} {
		failures = append(failures, f...)
	}
	if in.String("protocol") == "TCP" {
		for _, property := range []string{"matcher", "path"} {
			if in.String(property) != "" {
				failures = append(failures, Failure{Property: property, Reason: `cannot be given when the protocol is "TCP"`})
			}
		}
	}
	if path := in.String("path"); path != "" && (!strings.HasPrefix(path, "/") || len(path) > 1024) {
		failures = append(failures, Failure{Property: "path", Reason: fmt.Sprintf("%q must begin with a slash and have at most 1024 characters", path)})
	}
	if port := in.String("port"); port != "" && port != "traffic-port" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			failures = append(failures, Failure{Property: "port", Reason: fmt.Sprintf(`%q is neither a port nor "traffic-port"`, port)})
		}
	}
	for i := range failures {
		failures[i].Property = "healthCheck." + failures[i].Property
	}
	return failures
}

func createTargetGroup(v *view, o *Object) error {
	name := o.in().String("name")
	if v.first(typeTargetGroup, func(other *Object) bool { return other.Region == o.Region && other.in().String("name") == name }) != nil {
		return refuse("DuplicateTargetGroupName", "a target group with the same name %q exists, but with different settings", name)
	}
	vpc := o.in().String("vpcId")
	if _, err := v.vpcOf(vpc, o.Region); err != nil {
		return missingReference("ValidationError", "the VPC ID %q is not found in %s", vpc, o.Region)
	}
	suffix := "targetgroup/" + name + "/" + randomHex(16)
	o.ID = arn("elasticloadbalancing", o.Region, suffix)
	o.Outputs["arn"] = o.ID
	o.Outputs["arnSuffix"] = suffix
	o.Outputs["loadBalancerArns"] = []any{}
	o.Outputs["ipAddressType"] = "ipv4"
	o.Outputs["loadBalancingAlgorithmType"] = ""
	o.Outputs["loadBalancingAnomalyMitigation"] = ""
	o.Outputs["protocolVersion"] = ""
	o.Outputs["stickiness"] = map[string]any{"enabled": false, "type": "source_ip", "cookieDuration": 0.0, "cookieName": ""}
	o.Outputs["targetFailovers"] = []any{map[string]any{"onDeregistration": "", "onUnhealthy": ""}}
	o.Outputs["targetHealthStates"] = []any{map[string]any{"enableUnhealthyConnectionTermination": true, "unhealthyDrainingInterval": 0.0}}
	o.Outputs["targetGroupHealth"] = map[string]any{
		"dnsFailover":           map[string]any{"minimumHealthyTargetsCount": "1", "minimumHealthyTargetsPercentage": "off"},
		"unhealthyStateRouting": map[string]any{"minimumHealthyTargetsCount": 1.0, "minimumHealthyTargetsPercentage": "off"},
	}
	return completeTargetGroup(o)
}

// completeTargetGroup fills in what AWS chooses for the group's attributes and
// for its health check:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
func completeTargetGroup(o *Object) error {
	protocol := o.in().String("protocol")
	udp := protocol == "UDP" || protocol == "TCP_UDP"
	complete := func(properties map[string]any, property string, value any) {
		if properties[property] == nil || properties[property] == "" {
			properties[property] = value
		}
	}
	complete(o.Outputs, "loadBalancingCrossZoneEnabled", "use_load_balancer_configuration")
	complete(o.Outputs, "connectionTermination", udp)
	complete(o.Outputs, "preserveClientIp", strconv.FormatBool(udp || o.in().String("targetType") == "instance"))

	check, _ := o.Outputs["healthCheck"].(map[string]any)
	if check == nil {
		check = map[string]any{
			"enabled": true, "healthyThreshold": 5.0, "interval": 30.0, "port": "traffic-port", "protocol": "TCP", "unhealthyThreshold": 2.0,
		}
		o.Outputs["healthCheck"] = check
	}
	switch check["protocol"] {
	case "HTTP", "HTTPS":
		complete(check, "path", "/")
		complete(check, "matcher", "200-399")
	default:
		complete(check, "path", "")
		complete(check, "matcher", "")
	}
	timeout := 10.0 // for TCP and HTTPS
	if check["protocol"] == "HTTP" {
		timeout = 6
	}
	complete(check, "timeout", timeout)
	if Props(check).Int("interval", 0) < Props(check).Int("timeout", 0) {
		return refuse("ValidationError", "health check interval must be greater than or equal to the timeout: %v s and %v s", check["interval"], check["timeout"])
	}
	return nil
}

func removeTargetGroup(v *view, o *Object) error {
	if listeners := v.listenersOf(o); len(listeners) > 0 {
		return refuse("ResourceInUse", "target group %q is currently in use by a listener or a rule: %s", o.ID, listeners[0].ID)
	}
	return nil
}

func readTargetGroup(v *view, o *Object) {
	balancers := map[string]bool{}
	for _, listener := range v.listenersOf(o) {
		balancers[listener.in().String("loadBalancerArn")] = true
	}
	o.Outputs["loadBalancerArns"] = list(sorted(balancers))
}

// listenersOf returns the listeners that forward to a target group.
func (v *view) listenersOf(group *Object) []*Object {
	return v.all(typeListener, func(o *Object) bool {
		for _, target := range forwardTargets(o.in()) {
			if target == group.ID {
				return true
			}
		}
		return false
	})
}
