package endpoint

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
)

// newLoadBalancer makes the load balancer with one listener, which hands every
// connection to the target group. The rules of its security group are there
// before it and go after it, so that no connection meets a closed door.
//
// Other subnets, even in the same zones, mean another load balancer: AWS does
// not move one. It gets a new name and is there before the old one goes.
func newLoadBalancer(ctx *pulumi.Context, name string, args *Args, group *ec2.SecurityGroup, rules []pulumi.Resource, targets *lb.TargetGroup, parent pulumi.Resource) (*lb.LoadBalancer, *lb.Listener, error) {
	balancer, err := lb.NewLoadBalancer(ctx, name+"-lb", &lb.LoadBalancerArgs{
		LoadBalancerType: pulumi.String("network"),
		Internal:         pulumi.Bool(true),
		Subnets:          args.SubnetIDs,
		// A network load balancer that starts without a security group can never
		// get one.
		SecurityGroups:               pulumi.StringArray{group.ID().ToStringOutput()},
		EnableCrossZoneLoadBalancing: pulumi.Bool(args.CrossZone),
		Tags:                         args.Tags.Named(name),
	}, component.Child(parent, pulumi.DependsOn(rules))...)
	if err != nil {
		return nil, nil, err
	}
	listener, err := lb.NewListener(ctx, name+"-listener", &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn,
		Port:            pulumi.Int(args.Port),
		Protocol:        pulumi.String("TCP"),
		DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{
			Type:           pulumi.String("forward"),
			TargetGroupArn: targets.Arn,
		}},
		Tags: args.Tags.Named(name),
	}, component.Child(parent,
		// A target group belongs to one load balancer at a time: when that is
		// replaced, the old listener has to let go before the new one can take it
		// (TargetGroupAssociationLimit).
		pulumi.DeleteBeforeReplace(true),
	)...)
	if err != nil {
		return nil, nil, err
	}
	return balancer, listener, nil
}
