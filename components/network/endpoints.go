package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// endpoints makes the ways to AWS services that do not leave the VPC. prefix is
// the length of the private subnets' prefixes.
func (b *builder) endpoints(private []zoneSubnet, prefix int) ([]pulumi.Resource, error) {
	s3, err := b.s3Endpoint()
	if err != nil {
		return nil, fmt.Errorf("endpoint of s3: %w", err)
	}
	made := []pulumi.Resource{s3}
	if len(b.args.InterfaceEndpoints) == 0 {
		return made, nil
	}
	group, allow, err := b.endpointSecurityGroup()
	if err != nil {
		return nil, fmt.Errorf("security group of the endpoints: %w", err)
	}
	made = append(made, allow)
	for _, service := range b.args.InterfaceEndpoints {
		endpoint, err := b.interfaceEndpoint(service, private, prefix, group)
		if err != nil {
			return nil, fmt.Errorf("endpoint of %s: %w", service, err)
		}
		made = append(made, endpoint)
	}
	return made, nil
}

// s3Endpoint is a route in every table. It costs nothing, and layers of images
// come from S3.
func (b *builder) s3Endpoint() (*ec2.VpcEndpoint, error) {
	tables := pulumi.StringArray{}
	for _, t := range b.network.routeTables {
		tables = append(tables, t.ID)
	}
	name := b.name + "-endpoint-s3"
	return ec2.NewVpcEndpoint(b.ctx, name, &ec2.VpcEndpointArgs{
		VpcId:           b.vpc.ID(),
		ServiceName:     b.serviceName("s3"),
		VpcEndpointType: pulumi.String("Gateway"),
		RouteTableIds:   tables,
		Tags:            b.args.Tags.Named(name),
	}, b.child()...)
}

// interfaceEndpoint gives a service an address in every private subnet, and its
// public name in the VPC leads there.
func (b *builder) interfaceEndpoint(service string, private []zoneSubnet, prefix int, group *ec2.SecurityGroup) (*ec2.VpcEndpoint, error) {
	name := b.name + "-endpoint-" + service
	return ec2.NewVpcEndpoint(b.ctx, name, &ec2.VpcEndpointArgs{
		VpcId:             b.vpc.ID(),
		ServiceName:       b.serviceName(service),
		VpcEndpointType:   pulumi.String("Interface"),
		SubnetIds:         subnetIDs(private),
		SecurityGroupIds:  pulumi.StringArray{group.ID().ToStringOutput()},
		PrivateDnsEnabled: pulumi.Bool(true),
		Tags:              b.args.Tags.Named(name),
	}, b.child(
		// An endpoint has one subnet in a zone (DuplicateSubnetsInSameZone), and a
		// zone has two while its subnet changes its size: then it is another endpoint.
		// A zone more or less is a change in place.
		pulumi.ReplacementTrigger(pulumi.Int(prefix)),
		// Two endpoints cannot have the service's name at a time.
		pulumi.DeleteBeforeReplace(true),
	)...)
}

// endpointSecurityGroup lets the VPC in at HTTPS, which all services speak, and
// nothing out: an endpoint only answers.
func (b *builder) endpointSecurityGroup() (*ec2.SecurityGroup, *vpc.SecurityGroupIngressRule, error) {
	name := b.name + "-endpoints"
	group, err := ec2.NewSecurityGroup(b.ctx, name+"-sg", &ec2.SecurityGroupArgs{
		VpcId:       b.vpc.ID(),
		Description: pulumi.String("Endpoints of AWS services"),
		Tags:        b.args.Tags.Named(name),
	}, b.child()...)
	if err != nil {
		return nil, nil, err
	}
	allow, err := vpc.NewSecurityGroupIngressRule(b.ctx, name+"-ingress", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("Everything in the VPC"),
		CidrIpv4:        pulumi.String(b.args.CIDR),
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(443),
		ToPort:          pulumi.Int(443),
		Tags:            b.args.Tags.Named(name + "-ingress"),
	}, b.child()...)
	if err != nil {
		return nil, nil, err
	}
	return group, allow, nil
}

func (b *builder) serviceName(service string) pulumi.StringInput {
	return pulumi.String("com.amazonaws." + b.args.Region + "." + service)
}
