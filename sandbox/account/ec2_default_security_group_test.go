package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefaultSecurityGroupIsAdopted(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	group := &Object{Type: typeSecurityGroup, ID: vpc.Outputs["defaultSecurityGroupId"].(string)}
	require.Len(t, w.refreshed(group)["ingress"], 1, "AWS lets the members reach each other")
	require.Len(t, w.refreshed(group)["egress"], 1, "and everything outside")

	locked := w.create(typeDefaultSecurityGroup, m{"vpcId": vpc.ID, "ingress": l(), "egress": l()})
	require.Equal(t, group.ID, locked.ID)
	require.Equal(t, "default", locked.Outputs["name"])
	require.Equal(t, l(), w.refreshed(group)["ingress"], "adopting the group takes its rules away")
	require.Equal(t, l(), w.refreshed(group)["egress"])

	require.NoError(t, w.update(locked, m{"egress": l(m{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": l("0.0.0.0/0")})}))
	require.Len(t, w.refreshed(group)["egress"], 1)
	w.create(typeIngressRule, m{"securityGroupId": group.ID, "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/8"})
	require.Len(t, w.refreshed(locked)["ingress"], 1, "a rule added by another hand is told")
	typ, err := Lookup(typeDefaultSecurityGroup)
	require.NoError(t, err)
	require.Equal(t, Diff{Changed: []string{"ingress"}}, typ.Diff(w.read(locked).Inputs, w.read(locked).Outputs, locked.Inputs), "as a difference")
	require.NoError(t, w.update(locked, m{"ingress": nil, "tags": m{"a": "1"}}))
	require.Equal(t, l(), w.refreshed(locked)["ingress"], "and goes with the next update")

	require.NoError(t, w.delete(locked))
	require.Len(t, w.refreshed(group)["egress"], 1, "the group stays as it was")
	require.NoError(t, w.delete(vpc))
	require.Empty(t, w.a.Objects())
}

func TestDefaultSecurityGroupDiff(t *testing.T) {
	group, err := Lookup(typeDefaultSecurityGroup)
	require.NoError(t, err)
	old := m{"vpcId": "vpc-1", "ingress": l(m{"protocol": "-1", "fromPort": 0.0, "toPort": 0.0, "self": true})}
	require.Equal(t, Diff{Changed: []string{"ingress"}}, group.Diff(old, old, m{"vpcId": "vpc-1"}),
		"unlike with another group, no rules in the program means no rules")
	require.Equal(t, Diff{Changed: []string{"vpcId"}, Replaces: []string{"vpcId"}}, group.Diff(old, old, m{"vpcId": "vpc-2", "ingress": old["ingress"]}))
	w := newWorld(t)
	_, err = w.try(typeDefaultSecurityGroup, m{})
	require.ErrorContains(t, err, "no default VPC")
	_, err = w.try(typeDefaultSecurityGroup, m{"vpcId": "vpc-0123"})
	refused(t, err, "InvalidVpcID.NotFound")
}
