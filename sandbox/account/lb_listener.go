package account

import (
	"fmt"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/elbv2/listener.go
var _ = register(typeListener, rules{
	forceNew: []string{"loadBalancerArn"},
	computed: []string{"defaultActions.order", "protocol", "sslPolicy", "tcpIdleTimeoutSeconds"},
	sets:     []string{"defaultActions.forward.targetGroups"},
	unmodelled: []string{
		"alpnPolicy", "certificateArn", "defaultActions.authenticateCognito", "defaultActions.authenticateOidc",
		"defaultActions.fixedResponse", "defaultActions.redirect", "mutualAuthentication", "sslPolicy",
	},
	check:  checkListener,
	create: createListener,
	update: func(v *view, _, o *Object) error { return v.completeListener(o) },
})

// tcpIdleTimeout is the default, in seconds:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html
const tcpIdleTimeout = 350

func checkListener(in Props) []Failure {
	failures := append(between(in, "port", 1, 65535), onlyModelled(in, "protocol", "TCP", "TCP_UDP", "UDP")...)
	failures = append(failures, between(in, "tcpIdleTimeoutSeconds", 60, 6000)...)
	for _, property := range []string{"port", "protocol"} {
		if in[property] == nil {
			failures = append(failures, Failure{Property: property, Reason: "is required for a network load balancer"})
		}
	}
	actions, known := in["defaultActions"].([]any)
	if known && len(actions) != 1 {
		failures = append(failures, Failure{Property: "defaultActions", Reason: fmt.Sprintf("there are %d, a network load balancer takes exactly one", len(actions))})
	}
	for i, action := range in.List("defaultActions") {
		path := fmt.Sprintf("defaultActions[%d]", i)
		for _, failure := range onlyModelled(action, "type", "forward") {
			failures = append(failures, Failure{Property: path + "." + failure.Property, Reason: failure.Reason})
		}
		if !action.Has("targetGroupArn") && !action.Has("forward") {
			failures = append(failures, Failure{Property: path + ".targetGroupArn", Reason: `is required when the type is "forward"`})
		}
		if groups, known := action.Props("forward")["targetGroups"].([]any); known && len(groups) != 1 {
			failures = append(failures, Failure{Property: path + ".forward.targetGroups", Reason: fmt.Sprintf("there are %d, the simulated AWS account takes exactly one", len(groups))})
		}
	}
	return failures
}

// forwardTargets returns the ARNs of the target groups that a listener's
// actions forward to.
func forwardTargets(in Props) []string {
	var arns []string
	for _, action := range in.List("defaultActions") {
		if arn := action.String("targetGroupArn"); arn != "" {
			arns = append(arns, arn)
		}
		for _, group := range action.Props("forward").List("targetGroups") {
			if arn := group.String("arn"); arn != "" && arn != action.String("targetGroupArn") {
				arns = append(arns, arn)
			}
		}
	}
	return arns
}

func createListener(v *view, o *Object) error {
	balancer, err := v.loadBalancerOf(o.in().String("loadBalancerArn"), o.Region)
	if err != nil {
		return err
	}
	o.ID = strings.Replace(balancer.ID, ":loadbalancer/", ":listener/", 1) + "/" + randomHex(16)
	o.Outputs["arn"] = o.ID
	o.Outputs["sslPolicy"] = ""
	return v.completeListener(o)
}

func (v *view) completeListener(o *Object) error {
	balancer, err := v.loadBalancerOf(o.in().String("loadBalancerArn"), o.Region)
	if err != nil {
		return err
	}
	port := o.in().Int("port", 0)
	if v.first(typeListener, func(other *Object) bool {
		return other.ID != o.ID && other.in().String("loadBalancerArn") == balancer.ID && other.in().Int("port", 0) == port
	}) != nil {
		return refuse("DuplicateListener", "a listener already exists on port %d for the load balancer %q", port, balancer.ID)
	}
	for _, target := range forwardTargets(o.in()) {
		if err := v.checkForward(o, balancer, target); err != nil {
			return err
		}
	}
	actions, _ := o.Outputs["defaultActions"].([]any)
	for i, action := range actions {
		if properties, ok := action.(map[string]any); ok && properties["order"] == nil {
			properties["order"] = float64(i + 1)
		}
	}
	if o.in().String("protocol") == "TCP" && o.Outputs["tcpIdleTimeoutSeconds"] == nil {
		o.Outputs["tcpIdleTimeoutSeconds"] = float64(tcpIdleTimeout)
	}
	return nil
}

func (v *view) checkForward(o, balancer *Object, target string) error {
	group := v.get(typeTargetGroup, target)
	if group == nil || group.Region != o.Region {
		return missingReference("TargetGroupNotFound", "one or more target groups not found: %q", target)
	}
	if vpc := group.in().String("vpcId"); vpc != balancer.out().String("vpcId") {
		return refuse("InvalidConfigurationRequest", "the target group %q is in VPC %s, the load balancer in %s", target, vpc, balancer.out().String("vpcId"))
	}
	listens, expects := o.in().String("protocol"), group.in().String("protocol")
	if listens != expects && (expects != "TCP_UDP" || listens == "TLS") {
		return refuse("IncompatibleProtocols", "a listener with protocol %s cannot forward to target group %q with protocol %s", listens, target, expects)
	}
	for _, other := range v.listenersOf(group) {
		if other.ID != o.ID && other.in().String("loadBalancerArn") != balancer.ID {
			return refuse("TargetGroupAssociationLimit", "the target group %q cannot be associated with more than one load balancer: %q has it",
				target, other.in().String("loadBalancerArn"))
		}
	}
	return nil
}
