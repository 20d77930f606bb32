package clientvpn

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
)

// builder is what the concerns share while one component is made.
type builder struct {
	ctx  *pulumi.Context
	name string
	args *Args
	vpn  *ClientVPN

	certificate *acm.Certificate
	log         *cloudwatch.LogGroup
	group       *ec2.SecurityGroup
}

func (b *builder) child(extra ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return component.Child(b.vpn, extra...)
}
