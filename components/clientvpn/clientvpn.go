// Package clientvpn makes the only way in from outside: a Client VPN endpoint that
// takes certificates of an authority of its own (mutual TLS) and lets people reach
// what they are given and nothing else.
//
// The certificates of people are issued outside of this component, by
// `strongroom vpn`, with the authority that it makes or is given. Who has one is
// kept in an index, for which it makes the bucket.
package clientvpn

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
)

const token = "strongroom:clientvpn:ClientVpn"

// ClientVPN is the endpoint with all that belongs to it.
type ClientVPN struct {
	pulumi.ResourceState

	EndpointID pulumi.StringOutput
	// EndpointDNSName is where clients connect to, with a star in the place of a
	// label that each client draws.
	EndpointDNSName pulumi.StringOutput
	// ServerName is the name in the endpoint's certificate, which clients verify.
	ServerName string
	// CACertificate is the authority's, in PEM.
	CACertificate pulumi.StringOutput
	// CAPrivateKey signs certificates of people, in PEM. It is a secret. HasCAKey
	// is false where the key is kept outside, and it then is empty.
	CAPrivateKey pulumi.StringOutput
	HasCAKey     bool
	// Bucket for the index of issued certificates.
	Bucket pulumi.StringOutput
	// SecurityGroupID of the endpoint's network interfaces, from whose addresses
	// clients arrive.
	SecurityGroupID pulumi.StringOutput
	// Subnets are the target networks, with the IDs known once they are.
	Subnets []Subnet
}

// New makes the certificates and the log, the security group, the endpoint, then
// what leads through it.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*ClientVPN, error) {
	if err := args.Validate(name); err != nil {
		return nil, err
	}
	vpn := &ClientVPN{ServerName: args.ServerName, HasCAKey: args.Authority == nil}
	if err := component.Register(ctx, token, name, args.inputs(), vpn, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, name: name, args: args, vpn: vpn}
	for _, step := range []struct {
		what string
		make func() error
	}{
		{"certificates", b.certificates},
		{"connection log", b.connectionLog},
		{"security group", b.securityGroup},
		{"endpoint", b.endpoint},
		{"associations", b.associations},
		{"authorization", b.authorization},
		{"index", b.index},
	} {
		if err := step.make(); err != nil {
			return nil, fmt.Errorf("client VPN %q: %s: %w", name, step.what, err)
		}
	}
	return vpn, ctx.RegisterResourceOutputs(vpn, pulumi.Map{
		"endpointId":      vpn.EndpointID,
		"endpointDnsName": vpn.EndpointDNSName,
		"serverName":      pulumi.String(vpn.ServerName),
		"caCertificate":   vpn.CACertificate,
		"bucket":          vpn.Bucket,
		"securityGroupId": vpn.SecurityGroupID,
	})
}
