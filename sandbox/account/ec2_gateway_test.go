package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVPCHasOneInternetGateway(t *testing.T) {
	w := newWorld(t)
	vpc, other := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	gateway := w.create(typeInternetGateway, m{"vpcId": vpc.ID})
	require.Regexp(t, `^igw-[0-9a-f]{17}$`, gateway.ID)
	require.Equal(t, "arn:aws:ec2:eu-central-1:123456789012:internet-gateway/"+gateway.ID, gateway.Outputs["arn"])

	_, err := w.try(typeInternetGateway, m{"vpcId": vpc.ID})
	refused(t, err, "Resource.AlreadyAssociated")
	_, err = w.try(typeInternetGateway, m{"vpcId": "vpc-0123"})
	refused(t, err, "InvalidVpcID.NotFound")
	_, err = w.tryIn("eu-west-1", typeInternetGateway, m{"vpcId": other.ID})
	refused(t, err, "InvalidVpcID.NotFound")

	require.NoError(t, w.update(gateway, m{"vpcId": other.ID}), "it moves to another VPC in place")
	_, err = w.try(typeInternetGateway, m{"vpcId": other.ID})
	refused(t, err, "Resource.AlreadyAssociated")
	refused(t, w.delete(other), "DependencyViolation")
	require.NoError(t, w.delete(vpc))
	require.NoError(t, w.delete(gateway))
	require.NoError(t, w.delete(other))
}

func TestGatewayStaysWhileAddressesAreMapped(t *testing.T) {
	w := newNetwork(t)
	refused(t, w.delete(w.gateway), "DependencyViolation")
	other := w.world.vpc("10.1.0.0/16")
	refused(t, w.update(w.gateway, m{"vpcId": other.ID}), "DependencyViolation")
	require.Equal(t, w.vpc.ID, w.read(w.gateway).Outputs["vpcId"], "a refused move changes nothing")
	require.NoError(t, w.delete(w.nat))
	require.NoError(t, w.delete(w.gateway))
}
