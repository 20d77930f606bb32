package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVPCLifecycle(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	require.Regexp(t, `^vpc-[0-9a-f]{17}$`, vpc.ID)
	require.Equal(t, "arn:aws:ec2:eu-central-1:123456789012:vpc/"+vpc.ID, vpc.Outputs["arn"])
	require.Equal(t, true, vpc.Outputs["enableDnsSupport"], "AWS's default")
	require.Regexp(t, `^sg-[0-9a-f]{17}$`, vpc.Outputs["defaultSecurityGroupId"])

	require.NoError(t, w.update(vpc, m{"tags": m{"Name": "changed"}}))
	require.Equal(t, m{"Name": "changed"}, w.read(vpc).Outputs["tagsAll"])
	refused(t, w.update(vpc, m{"cidrBlock": "10.1.0.0/16"}), "InvalidParameterValue")

	require.NoError(t, w.delete(vpc))
	require.Empty(t, w.a.Objects(), "what AWS made with the VPC goes with it")
	gone(t, w.delete(vpc))
}

func TestVPCWithSubnetsIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	subnet := w.subnet(vpc, "10.0.0.0/24", "a")
	refused(t, w.delete(vpc), "DependencyViolation")
	require.NoError(t, w.delete(subnet))
	require.NoError(t, w.delete(vpc))
}

func TestVPCInputsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		inputs m
		want   string
	}{
		"no network":       {m{}, "cidrBlock: is required"},
		"not a network":    {m{"cidrBlock": "10.0.0.0"}, "not an IPv4 network"},
		"host bits":        {m{"cidrBlock": "10.0.0.1/16"}, `did you mean "10.0.0.0/16"`},
		"too large":        {m{"cidrBlock": "10.0.0.0/8"}, "/16 to /28"},
		"unknown property": {m{"cidrBlock": "10.0.0.0/16", "enableDnsHostname": true}, `did you mean "enableDnsHostnames"`},
		"wrong type":       {m{"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": "yes"}, "expected true or false"},
		"not modelled":     {m{"cidrBlock": "10.0.0.0/16", "assignGeneratedIpv6CidrBlock": true}, "not modelled"},
		"a tag of AWS":     {m{"cidrBlock": "10.0.0.0/16", "tags": m{"aws:name": "x"}}, `must not start with "aws:"`},
		"wrong tenancy":    {m{"cidrBlock": "10.0.0.0/16", "instanceTenancy": "host"}, "expected one of"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.try(typeVPC, test.inputs)
			require.ErrorContains(t, err, test.want)
			require.Empty(t, w.a.Objects())
		})
	}
}
