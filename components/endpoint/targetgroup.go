package endpoint

import (
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
)

// In seconds. A target that fails is out after two checks, 20 s; one that
// leaves has as long as a lease renewal or a query takes.
const (
	checkInterval       = 10
	checkTimeout        = 6
	checkThreshold      = 2
	deregistrationDelay = 60
)

// newTargetGroup makes the group that the pods join by their addresses.
func newTargetGroup(ctx *pulumi.Context, name string, args *Args, parent pulumi.Resource) (*lb.TargetGroup, error) {
	check := lb.TargetGroupHealthCheckArgs{
		Enabled:            pulumi.Bool(true),
		Protocol:           pulumi.String(args.HealthCheck.protocol()),
		Port:               pulumi.String(args.HealthCheck.port()),
		Interval:           pulumi.Int(checkInterval),
		Timeout:            pulumi.Int(checkTimeout),
		HealthyThreshold:   pulumi.Int(checkThreshold),
		UnhealthyThreshold: pulumi.Int(checkThreshold),
	}
	if args.HealthCheck.protocol() != "TCP" {
		check.Path = pulumi.String(args.HealthCheck.Path)
		check.Matcher = pulumi.String(args.HealthCheck.matcher())
	}
	return lb.NewTargetGroup(ctx, name+"-tg", &lb.TargetGroupArgs{
		VpcId:      args.VPCID,
		TargetType: pulumi.String("ip"),
		Protocol:   pulumi.String("TCP"),
		Port:       pulumi.Int(args.Port),
		// With the client's address kept, a pod could not reach a pod of its own
		// node through the load balancer:
		// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#client-ip-preservation
		PreserveClientIp:    pulumi.String("false"),
		DeregistrationDelay: pulumi.Int(deregistrationDelay),
		HealthCheck:         check,
		Tags:                args.Tags.Named(name),
	}, component.Child(parent)...)
}

func (h HealthCheck) protocol() string {
	if h.Protocol == "" {
		return "TCP"
	}
	return h.Protocol
}

func (h HealthCheck) port() string {
	if h.Port == 0 {
		return "traffic-port"
	}
	return strconv.Itoa(h.Port)
}

func (h HealthCheck) matcher() string {
	if h.Matcher == "" {
		return "200"
	}
	return h.Matcher
}
