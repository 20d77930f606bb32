package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNATGatewayNeedsWhatItUses(t *testing.T) {
	w := newNetwork(t)
	bare := w.world.vpc("10.1.0.0/16")
	lonely := w.subnet(bare, "10.1.0.0/24", "a")
	free := w.create(typeAddress, m{"domain": "vpc"})
	elsewhere, err := w.tryIn("eu-west-1", typeAddress, m{"domain": "vpc"})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		inputs m
		code   string
	}{
		"no internet gateway":       {m{"subnetId": lonely.ID, "allocationId": free.ID}, "Gateway.NotAttached"},
		"no such subnet":            {m{"subnetId": "subnet-0123", "allocationId": free.ID}, "InvalidSubnetID.NotFound"},
		"no such address":           {m{"subnetId": w.public.ID, "allocationId": "eipalloc-0123"}, "InvalidAllocationID.NotFound"},
		"address of another region": {m{"subnetId": w.public.ID, "allocationId": elsewhere.ID}, "InvalidAllocationID.NotFound"},
		"address in use":            {m{"subnetId": w.public.ID, "allocationId": w.address.ID}, "Resource.AlreadyAssociated"},
		"address outside":           {m{"subnetId": w.public.ID, "allocationId": free.ID, "privateIp": "10.0.1.9"}, "InvalidParameterValue"},
		"private address in use":    {m{"subnetId": w.public.ID, "allocationId": free.ID, "privateIp": "10.0.0.4"}, "InvalidIPAddress.InUse"},
	} {
		t.Run(name, func(t *testing.T) {
			before := standing(w.a)
			_, err := w.try(typeNATGateway, test.inputs)
			refused(t, err, test.code)
			require.Equal(t, before, standing(w.a), "a refused creation leaves nothing")
		})
	}
	for name, inputs := range map[string]m{
		"public without address": {"subnetId": w.public.ID},
		"private with address":   {"subnetId": w.public.ID, "connectivityType": "private", "allocationId": free.ID},
		"secondary addresses":    {"subnetId": w.public.ID, "allocationId": free.ID, "secondaryAllocationIds": l(free.ID)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeNATGateway, inputs)
			require.ErrorContains(t, err, "check: ")
		})
	}
}

func TestNATGatewayHoldsItsSubnetAndFreesItsAddress(t *testing.T) {
	w := newNetwork(t)
	require.Regexp(t, `^nat-[0-9a-f]{17}$`, w.nat.ID)
	require.Equal(t, w.address.Outputs["publicIp"], w.nat.Outputs["publicIp"])
	refused(t, w.delete(w.public), "DependencyViolation")
	require.NoError(t, w.delete(w.nat))
	require.NoError(t, w.delete(w.public))
	again := w.subnet(w.vpc, "10.0.0.0/24", "a")
	next := w.create(typeNATGateway, m{"allocationId": w.address.ID, "subnetId": again.ID, "privateIp": "10.0.0.77"})
	require.Equal(t, "10.0.0.77", next.Outputs["privateIp"])
}

func TestPrivateNATGateway(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.0.0/24", "a")
	nat := w.create(typeNATGateway, m{"subnetId": subnet.ID, "connectivityType": "private"})
	require.Empty(t, nat.Outputs["publicIp"])
	gateway := w.create(typeInternetGateway, m{"vpcId": vpc.ID})
	require.NoError(t, w.delete(gateway), "no public address is mapped")
}

// pulumi-aws makes the new gateway first, so the same address cannot go along.
func TestNATGatewayDiff(t *testing.T) {
	nat, err := Lookup(typeNATGateway)
	require.NoError(t, err)
	old := m{"subnetId": "subnet-1", "allocationId": "eipalloc-1", "connectivityType": "public", "tags": m{"a": "1"}}
	for name, test := range map[string]struct {
		change m
		want   Diff
	}{
		"a tag":       {m{"tags": m{"a": "2"}}, Diff{Changed: []string{"tags"}}},
		"its subnet":  {m{"subnetId": Unknown{}}, Diff{Changed: []string{"subnetId"}, Replaces: []string{"subnetId"}}},
		"its address": {m{"allocationId": "eipalloc-2"}, Diff{Changed: []string{"allocationId"}, Replaces: []string{"allocationId"}}},
	} {
		t.Run(name, func(t *testing.T) {
			news := cloneMap(old)
			for k, v := range test.change {
				news[k] = v
			}
			require.Equal(t, test.want, nat.Diff(old, old, news))
		})
	}
}
