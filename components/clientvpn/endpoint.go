package clientvpn

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2clientvpn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// endpoint makes the endpoint: mutual TLS, only the way to the VPC through the
// tunnel, the VPC's resolver, every connection on record, and no portal, because
// profiles are handed over by `strongroom vpn`.
//
// Its DNS name stands in every profile, so it is protected. AWS makes another one,
// with another name, where the range of the clients or the authority changes.
func (b *builder) endpoint() error {
	made, err := ec2clientvpn.NewEndpoint(b.ctx, b.name+"-endpoint", &ec2clientvpn.EndpointArgs{
		Description:          pulumi.String("strongroom " + b.name),
		ClientCidrBlock:      pulumi.String(b.args.ClientCIDR),
		ServerCertificateArn: b.certificate.Arn,
		AuthenticationOptions: ec2clientvpn.EndpointAuthenticationOptionArray{ec2clientvpn.EndpointAuthenticationOptionArgs{
			Type:                    pulumi.String("certificate-authentication"),
			RootCertificateChainArn: b.certificate.Arn,
		}},
		ConnectionLogOptions: ec2clientvpn.EndpointConnectionLogOptionsArgs{
			Enabled:            pulumi.Bool(true),
			CloudwatchLogGroup: b.log.Name,
		},
		ClientLoginBannerOptions: b.banner(),
		VpcId:                    b.args.VPCID.ToStringOutput(),
		SecurityGroupIds:         pulumi.StringArray{b.group.ID()},
		DnsServers:               pulumi.ToStringArray([]string{b.args.dnsServer()}),
		SplitTunnel:              pulumi.Bool(true),
		TransportProtocol:        pulumi.String("udp"),
		VpnPort:                  pulumi.Int(443),
		SessionTimeoutHours:      pulumi.Int(b.args.sessionHours()),
		SelfServicePortal:        pulumi.String("disabled"),
		Tags:                     b.args.Tags.Named(b.name),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return err
	}
	b.vpn.EndpointID = made.ID().ToStringOutput()
	b.vpn.EndpointDNSName = made.DnsName
	return nil
}

func (b *builder) banner() ec2clientvpn.EndpointClientLoginBannerOptionsPtrInput {
	if b.args.Banner == "" {
		return ec2clientvpn.EndpointClientLoginBannerOptionsArgs{Enabled: pulumi.Bool(false)}
	}
	return ec2clientvpn.EndpointClientLoginBannerOptionsArgs{
		Enabled:    pulumi.Bool(true),
		BannerText: pulumi.String(b.args.Banner),
	}
}
