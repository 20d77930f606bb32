package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// natGateways makes the NAT gateways that the strategy asks for, by the letters
// of their zones. Names have the letter too: from one strategy to another, the
// gateway of the first zone stays with its address.
func (b *builder) natGateways(public []zoneSubnet, gateway *ec2.InternetGateway, publicRouted []pulumi.Resource) (map[string]*ec2.NatGateway, error) {
	made := map[string]*ec2.NatGateway{}
	addresses := pulumi.StringArray{}
	for _, s := range public {
		if b.args.natZone(s.letter) != s.letter {
			continue
		}
		nat, address, err := b.natGateway(s, gateway, publicRouted)
		if err != nil {
			return nil, fmt.Errorf("NAT gateway in zone %s: %w", s.letter, err)
		}
		made[s.letter] = nat
		addresses = append(addresses, address.PublicIp)
	}
	b.network.NATPublicIPs = addresses.ToStringArrayOutput()
	return made, nil
}

// natGateway makes one gateway with its address. Both come after the internet
// gateway and go before it: AWS does not detach that while an address is mapped.
func (b *builder) natGateway(s zoneSubnet, gateway *ec2.InternetGateway, publicRouted []pulumi.Resource) (*ec2.NatGateway, *ec2.Eip, error) {
	name := b.name + "-nat-" + s.letter
	address, err := ec2.NewEip(b.ctx, name, &ec2.EipArgs{
		Domain: pulumi.String("vpc"),
		Tags:   b.args.Tags.Named(name),
	}, b.child(pulumi.DependsOn([]pulumi.Resource{gateway}))...)
	if err != nil {
		return nil, nil, fmt.Errorf("address: %w", err)
	}
	// Traffic flows only once the public subnets lead to the internet.
	needs := append([]pulumi.Resource{gateway}, publicRouted...)
	nat, err := ec2.NewNatGateway(b.ctx, name, &ec2.NatGatewayArgs{
		AllocationId: address.AllocationId,
		SubnetId:     s.subnet.ID(),
		Tags:         b.args.Tags.Named(name),
	}, b.child(
		pulumi.DependsOn(needs),
		// In another subnet it is another gateway, and the address, which others may
		// have on a list, belongs to one at a time.
		pulumi.DeleteBeforeReplace(true),
	)...)
	if err != nil {
		return nil, nil, err
	}
	return nat, address, nil
}
