package clientvpn

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2clientvpn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/cidr"
	"github.com/strongroom-platform/strongroom/internal/component"
)

const routesToken = "strongroom:clientvpn:Routes"

// Routes lead VPN clients on to a network behind the endpoint's VPC, such as a
// peered one. What lets them in there is for security groups to say.
type Routes struct {
	pulumi.ResourceState
}

// RoutesArgs say from which endpoint to where.
type RoutesArgs struct {
	EndpointID pulumi.StringInput
	// ClientCIDR of the endpoint.
	ClientCIDR string
	// Subnets are the endpoint's target networks.
	Subnets []Subnet
	// CIDR of the network, and Description of it for the console.
	CIDR        string
	Description string
}

// Validate reports the first argument that AWS would refuse.
func (a *RoutesArgs) Validate(name string) error {
	if a == nil {
		return fmt.Errorf("VPN routes %q: the arguments are nil", name)
	}
	if err := a.validate(); err != nil {
		return fmt.Errorf("VPN routes %q: %w", name, err)
	}
	return nil
}

func (a *RoutesArgs) validate() error {
	if a.EndpointID == nil {
		return errors.New("endpointId is missing")
	}
	if len(a.Subnets) == 0 {
		return errors.New("subnets: none given: a route leads through a target network of the endpoint")
	}
	network, err := cidr.Parse(a.CIDR)
	if err != nil {
		return fmt.Errorf("cidr: %w", err)
	}
	clients, err := cidr.Parse(a.ClientCIDR)
	if err != nil {
		return fmt.Errorf("clientCidr: %w", err)
	}
	if cidr.Overlap(network, clients) {
		return fmt.Errorf("cidr: %s overlaps the clients' range %s: addresses that both have cannot be routed", network, clients)
	}
	return validateSubnets(a.Subnets)
}

// NewRoutes makes the authorization rule and a route through each target network,
// so that clients arrive while one zone is left.
func NewRoutes(ctx *pulumi.Context, name string, args *RoutesArgs, opts ...pulumi.ResourceOption) (*Routes, error) {
	if err := args.Validate(name); err != nil {
		return nil, err
	}
	r := &Routes{}
	subnets := pulumi.StringArray{}
	for _, s := range args.Subnets {
		subnets = append(subnets, pulumi.String(s.Name))
	}
	err := component.Register(ctx, routesToken, name, pulumi.Map{
		"endpointId": args.EndpointID, "cidr": pulumi.String(args.CIDR), "subnets": subnets,
	}, r, opts...)
	if err != nil {
		return nil, err
	}
	if err := authorize(ctx, name+"-authorization", args.EndpointID, args.CIDR, args.Description, component.Child(r)...); err != nil {
		return nil, fmt.Errorf("VPN routes %q: authorization: %w", name, err)
	}
	for _, subnet := range args.Subnets {
		_, err := ec2clientvpn.NewRoute(ctx, name+"-route-"+subnet.Name, &ec2clientvpn.RouteArgs{
			ClientVpnEndpointId:  args.EndpointID,
			TargetVpcSubnetId:    subnet.ID,
			DestinationCidrBlock: pulumi.String(args.CIDR),
			Description:          pulumi.String(args.Description),
		}, component.Child(r)...)
		if err != nil {
			return nil, fmt.Errorf("VPN routes %q: route through %q: %w", name, subnet.Name, err)
		}
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{})
}
