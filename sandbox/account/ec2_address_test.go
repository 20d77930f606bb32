package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddressTellsWhatHasIt(t *testing.T) {
	w := newNetwork(t)
	require.Regexp(t, `^eipalloc-[0-9a-f]{17}$`, w.address.ID)
	require.Equal(t, w.address.ID, w.address.Outputs["allocationId"])
	require.Equal(t, "198.18.0.1", w.address.Outputs["publicIp"])
	require.Equal(t, "ec2-198-18-0-1.eu-central-1.compute.amazonaws.com", w.address.Outputs["publicDns"])
	require.Empty(t, w.address.Outputs["associationId"], "when it was made it was free")

	now := w.read(w.address).Outputs
	require.Equal(t, w.nat.Outputs["associationId"], now["associationId"])
	require.Equal(t, w.nat.Outputs["networkInterfaceId"], now["networkInterface"])
	require.Equal(t, w.nat.Outputs["privateIp"], now["privateIp"])
	require.Equal(t, "ip-10-0-0-4.eu-central-1.compute.internal", now["privateDns"])

	refused(t, w.delete(w.address), "InvalidIPAddress.InUse")
	require.NoError(t, w.delete(w.nat))
	require.Empty(t, w.read(w.address).Outputs["associationId"])
	require.NoError(t, w.delete(w.address))
}

func TestAddressesAreDistinctInAllRegions(t *testing.T) {
	w := newWorld(t)
	seen := map[any]bool{}
	for _, region := range []string{testRegion, "eu-west-1", testRegion, "us-east-1"} {
		address, err := w.tryIn(region, typeAddress, m{"domain": "vpc"})
		require.NoError(t, err)
		require.False(t, seen[address.Outputs["publicIp"]])
		seen[address.Outputs["publicIp"]] = true
	}
	last, err := w.tryIn("us-east-1", typeAddress, m{})
	require.NoError(t, err)
	require.Equal(t, "ec2-198-18-0-5.compute-1.amazonaws.com", last.Outputs["publicDns"])
	require.Equal(t, "vpc", last.Outputs["domain"], "AWS's default")
}

func TestAddressInputsAreChecked(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		inputs m
		want   string
	}{
		"EC2-Classic":           {m{"domain": "standard"}, "domain"},
		"EC2-Classic, old word": {m{"vpc": false}, "outside of VPCs"},
		"both words":            {m{"vpc": true, "domain": "vpc"}, "together"},
		"an instance":           {m{"domain": "vpc", "instance": "i-1"}, "not modelled"},
		"another border group":  {m{"domain": "vpc", "networkBorderGroup": "us-west-2-lax-1"}, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeAddress, test.inputs)
			require.ErrorContains(t, err, test.want)
		})
	}
}
