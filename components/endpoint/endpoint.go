// Package endpoint makes a private TCP front for pods: an internal network load
// balancer with a name in a private zone.
//
// The pods join through a TargetGroupBinding of the AWS Load Balancer
// Controller that refers to TargetGroupARN. So the load balancer and its name
// exist before the pods do, and it is this component, not a Service in the
// cluster, that removes them: no load balancer is left behind to block the
// deletion of the VPC.
package endpoint

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
)

const token = "strongroom:endpoint:Endpoint"

// Endpoint is the load balancer, its target group and its name.
type Endpoint struct {
	pulumi.ResourceState

	// Hostname as given.
	Hostname string
	Port     int
	// DNSName is the hostname once its record exists.
	DNSName         pulumi.StringOutput
	TargetGroupARN  pulumi.StringOutput
	LoadBalancerARN pulumi.StringOutput
	// SecurityGroupID is the load balancer's. Others let more clients in with
	// ingress rules of their own.
	SecurityGroupID pulumi.StringOutput
}

// New makes the security group with its rules, the target group, the load
// balancer with its listener, then the name.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Endpoint, error) {
	if err := args.Validate(name); err != nil {
		return nil, err
	}
	e := &Endpoint{Hostname: args.Hostname, Port: args.Port}
	if err := component.Register(ctx, token, name, args.inputs(), e, opts...); err != nil {
		return nil, err
	}

	group, rules, err := newSecurityGroup(ctx, name, args, e)
	if err != nil {
		return nil, fmt.Errorf("endpoint %q: security group: %w", name, err)
	}
	targets, err := newTargetGroup(ctx, name, args, e)
	if err != nil {
		return nil, fmt.Errorf("endpoint %q: target group: %w", name, err)
	}
	balancer, listener, err := newLoadBalancer(ctx, name, args, group, rules, targets, e)
	if err != nil {
		return nil, fmt.Errorf("endpoint %q: load balancer: %w", name, err)
	}
	record, err := route53.NewRecord(ctx, name+"-record", &route53.RecordArgs{
		ZoneId: args.ZoneID,
		Name:   pulumi.String(args.Hostname),
		Type:   pulumi.String("A"),
		Aliases: route53.RecordAliasArray{route53.RecordAliasArgs{
			Name:   balancer.DnsName,
			ZoneId: balancer.ZoneId,
			// There is no second answer to fall back to.
			EvaluateTargetHealth: pulumi.Bool(false),
		}},
	}, component.Child(e,
		// A name that resolves has a listener behind it.
		pulumi.DependsOn([]pulumi.Resource{listener}),
	)...)
	if err != nil {
		return nil, fmt.Errorf("endpoint %q: record: %w", name, err)
	}

	e.DNSName = record.Fqdn
	e.TargetGroupARN = targets.Arn
	e.LoadBalancerARN = balancer.Arn
	e.SecurityGroupID = group.ID().ToStringOutput()
	return e, ctx.RegisterResourceOutputs(e, pulumi.Map{
		"dnsName":         e.DNSName,
		"port":            pulumi.Int(e.Port),
		"targetGroupArn":  e.TargetGroupARN,
		"loadBalancerArn": e.LoadBalancerARN,
		"securityGroupId": e.SecurityGroupID,
	})
}
