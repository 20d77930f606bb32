package endpoint

import (
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
)

// newSecurityGroup makes the load balancer's security group and its rules: the
// allowed ranges in, the targets out. Each rule is a resource of its own, so that
// others can add theirs to the group.
func newSecurityGroup(ctx *pulumi.Context, name string, args *Args, parent pulumi.Resource) (*ec2.SecurityGroup, []pulumi.Resource, error) {
	group, err := ec2.NewSecurityGroup(ctx, name+"-sg", &ec2.SecurityGroupArgs{
		VpcId:       args.VPCID,
		Description: pulumi.String("Load balancer of " + args.Hostname),
		Tags:        args.Tags.Named(name),
	}, component.Child(parent)...)
	if err != nil {
		return nil, nil, err
	}
	var rules []pulumi.Resource
	for _, cidr := range args.AllowedCIDRs {
		rule, err := vpc.NewSecurityGroupIngressRule(ctx, name+"-ingress-"+cidrName(cidr), &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: group.ID(),
			Description:     pulumi.String("Clients in " + cidr),
			CidrIpv4:        pulumi.String(cidr),
			IpProtocol:      pulumi.String("tcp"),
			FromPort:        pulumi.Int(args.Port),
			ToPort:          pulumi.Int(args.Port),
			Tags:            args.Tags.Named(name + "-ingress-" + cidrName(cidr)),
		}, component.Child(parent)...)
		if err != nil {
			return nil, nil, err
		}
		rules = append(rules, rule)
	}
	for _, port := range args.targetPorts() {
		made, err := allowTargets(ctx, name, args, group, port, parent)
		if err != nil {
			return nil, nil, err
		}
		rules = append(rules, made...)
	}
	return group, rules, nil
}

// allowTargets lets the load balancer reach the targets at a port, on both
// sides where the targets' security group is known.
func allowTargets(ctx *pulumi.Context, name string, args *Args, group *ec2.SecurityGroup, port int, parent pulumi.Resource) ([]pulumi.Resource, error) {
	suffix := strconv.Itoa(port)
	egress := &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("Targets and their health checks"),
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(port),
		ToPort:          pulumi.Int(port),
		Tags:            args.Tags.Named(name + "-egress-" + suffix),
	}
	if args.TargetSecurityGroupID != nil {
		egress.ReferencedSecurityGroupId = args.TargetSecurityGroupID.ToStringOutput().ToStringPtrOutput()
	} else {
		egress.CidrIpv4 = pulumi.String("0.0.0.0/0")
	}
	out, err := vpc.NewSecurityGroupEgressRule(ctx, name+"-egress-"+suffix, egress, component.Child(parent)...)
	if err != nil {
		return nil, err
	}
	if args.TargetSecurityGroupID == nil {
		return []pulumi.Resource{out}, nil
	}
	in, err := vpc.NewSecurityGroupIngressRule(ctx, name+"-targets-"+suffix, &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           args.TargetSecurityGroupID,
		ReferencedSecurityGroupId: group.ID(),
		Description:               pulumi.String("Load balancer of " + args.Hostname),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(port),
		ToPort:                    pulumi.Int(port),
		Tags:                      args.Tags.Named(name + "-targets-" + suffix),
	}, component.Child(parent)...)
	if err != nil {
		return nil, err
	}
	return []pulumi.Resource{out, in}, nil
}

// cidrName makes a range fit into the name of a resource, which is its
// identity: a rule stays the same whatever the order of the ranges.
func cidrName(cidr string) string {
	return strings.NewReplacer(".", "-", "/", "-").Replace(cidr)
}
