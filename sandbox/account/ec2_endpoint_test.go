package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func serviceName(service string) string { return "com.amazonaws." + testRegion + "." + service }

func TestGatewayEndpointMakesRoutes(t *testing.T) {
	w := newNetwork(t)
	endpoint := w.create(typeVPCEndpoint, m{"vpcId": w.vpc.ID, "serviceName": serviceName("s3"), "routeTableIds": l(w.publicTable.ID)})
	require.Regexp(t, `^vpce-[0-9a-f]{17}$`, endpoint.ID)
	require.Regexp(t, `^pl-[0-9a-f]{8}$`, endpoint.Outputs["prefixListId"])
	require.NotEmpty(t, endpoint.Outputs["cidrBlocks"])
	routes := func(table *Object) []Object {
		return w.a.filter(func(o *Object) bool { return o.Type == typeRoute && o.out().String("routeTableId") == table.ID })
	}
	require.Len(t, routes(w.publicTable), 1)
	require.Equal(t, endpoint.ID, routes(w.publicTable)[0].Outputs["gatewayId"])
	require.Equal(t, endpoint.Outputs["prefixListId"], routes(w.publicTable)[0].Outputs["destinationPrefixListId"])
	require.Equal(t, "active", routes(w.publicTable)[0].Outputs["state"])
	require.Equal(t, l(), w.refreshed(w.publicTable)["routes"], "the provider leaves these routes out of the table")

	_, err := w.try(typeVPCEndpoint, m{"vpcId": w.vpc.ID, "serviceName": serviceName("s3"), "routeTableIds": l(w.publicTable.ID)})
	refused(t, err, "RouteAlreadyExists")
	w.create(typeVPCEndpoint, m{"vpcId": w.vpc.ID, "serviceName": serviceName("dynamodb"), "routeTableIds": l(w.publicTable.ID)})

	require.NoError(t, w.update(endpoint, m{"routeTableIds": l(w.privateTable.ID)}))
	require.Len(t, routes(w.publicTable), 1)
	require.Len(t, routes(w.privateTable), 1)
	require.NoError(t, w.delete(w.privateTable))
	require.Equal(t, l(), w.refreshed(endpoint)["routeTableIds"])
	require.Equal(t, l(), w.read(endpoint).Inputs["routeTableIds"], "a difference to the program")
	require.NoError(t, w.delete(endpoint))
}

func TestInterfaceEndpointHasInterfaces(t *testing.T) {
	w := newNetwork(t)
	endpoint := w.create(typeVPCEndpoint, m{"vpcId": w.vpc.ID, "serviceName": serviceName("ecr.api"), "vpcEndpointType": "Interface", "subnetIds": l(w.private.ID), "privateDnsEnabled": true})
	require.Len(t, endpoint.Outputs["networkInterfaceIds"], 1)
	require.Equal(t, l(w.vpc.Outputs["defaultSecurityGroupId"]), endpoint.Outputs["securityGroupIds"], "AWS's default")
	entries := endpoint.Outputs["dnsEntries"].([]any)
	require.Len(t, entries, 3)
	require.Equal(t, "api.ecr.eu-central-1.amazonaws.com", entries[2].(m)["dnsName"])
	refused(t, w.delete(w.private), "DependencyViolation")

	require.NoError(t, w.update(endpoint, m{"subnetIds": l(w.public.ID), "securityGroupIds": l(w.group.ID)}))
	require.NoError(t, w.delete(w.private), "its interface there is gone")
	refused(t, w.delete(w.group), "DependencyViolation")
	require.NoError(t, w.delete(endpoint))
	require.NoError(t, w.delete(w.group))
}

func TestEndpointIsRefused(t *testing.T) {
	w := newNetwork(t)
	w.create(typeVPCEndpoint, m{"vpcId": w.vpc.ID, "serviceName": serviceName("kms"), "vpcEndpointType": "Interface", "subnetIds": l(w.private.ID), "privateDnsEnabled": true})
	plain := w.create(typeVPC, m{"cidrBlock": "10.1.0.0/16"})
	far := w.subnet(plain, "10.1.0.0/24", "a")
	farTable := w.create(typeRouteTable, m{"vpcId": plain.ID})
	farGroup := w.create(typeSecurityGroup, m{"vpcId": plain.ID})
	sameZone := w.subnet(w.vpc, "10.0.2.0/24", "a")
	for name, test := range map[string]struct {
		inputs m
		code   string
	}{
		"no such VPC":            {m{"vpcId": "vpc-0123", "serviceName": serviceName("s3")}, "InvalidVpcID.NotFound"},
		"no such service":        {m{"serviceName": serviceName("s4")}, "InvalidServiceName"},
		"of another region":      {m{"serviceName": "com.amazonaws.eu-west-1.s3"}, "InvalidServiceName"},
		"no gateway for it":      {m{"serviceName": serviceName("kms")}, "InvalidParameter"},
		"no such table":          {m{"serviceName": serviceName("s3"), "routeTableIds": l("rtb-0123")}, "InvalidRouteTableID.NotFound"},
		"table of another VPC":   {m{"serviceName": serviceName("s3"), "routeTableIds": l(farTable.ID)}, "InvalidParameter"},
		"no such subnet":         {m{"serviceName": serviceName("sts"), "vpcEndpointType": "Interface", "subnetIds": l("subnet-0123")}, "InvalidSubnetID.NotFound"},
		"subnet of another VPC":  {m{"serviceName": serviceName("sts"), "vpcEndpointType": "Interface", "subnetIds": l(far.ID)}, "InvalidParameter"},
		"two subnets of a zone":  {m{"serviceName": serviceName("sts"), "vpcEndpointType": "Interface", "subnetIds": l(w.public.ID, sameZone.ID)}, "DuplicateSubnetsInSameZone"},
		"no such group":          {m{"serviceName": serviceName("sts"), "vpcEndpointType": "Interface", "securityGroupIds": l("sg-0123")}, "InvalidGroup.NotFound"},
		"group of another VPC":   {m{"serviceName": serviceName("sts"), "vpcEndpointType": "Interface", "securityGroupIds": l(farGroup.ID)}, "InvalidParameter"},
		"names without DNS":      {m{"vpcId": plain.ID, "serviceName": serviceName("sts"), "vpcEndpointType": "Interface", "privateDnsEnabled": true}, "InvalidParameter"},
		"the same names already": {m{"serviceName": serviceName("kms"), "vpcEndpointType": "Interface", "privateDnsEnabled": true}, "InvalidParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			before := standing(w.a)
			inputs := m{"vpcId": w.vpc.ID}
			for k, v := range test.inputs {
				inputs[k] = v
			}
			_, err := w.try(typeVPCEndpoint, inputs)
			refused(t, err, test.code)
			require.Equal(t, before, standing(w.a))
		})
	}
	for name, inputs := range map[string]m{
		"subnets of a gateway":   {"serviceName": serviceName("s3"), "subnetIds": l(w.private.ID)},
		"tables of an interface": {"serviceName": serviceName("sts"), "vpcEndpointType": "Interface", "routeTableIds": l(w.privateTable.ID)},
		"a type not modelled":    {"serviceName": serviceName("sts"), "vpcEndpointType": "GatewayLoadBalancer"},
		"policy that is no JSON": {"serviceName": serviceName("s3"), "policy": "{"},
	} {
		t.Run(name, func(t *testing.T) {
			inputs["vpcId"] = w.vpc.ID
			_, err := w.try(typeVPCEndpoint, inputs)
			require.ErrorContains(t, err, "check: ")
		})
	}
}

func TestEndpointDiff(t *testing.T) {
	endpoint, err := Lookup(typeVPCEndpoint)
	require.NoError(t, err)
	old := m{"vpcId": "vpc-1", "serviceName": "s", "vpcEndpointType": "Interface", "subnetIds": l("subnet-1", "subnet-2"), "policy": `{"a":1,"b":2}`, "privateDnsEnabled": false}
	for name, test := range map[string]struct {
		change m
		want   Diff
	}{
		"the order of subnets":   {m{"subnetIds": l("subnet-2", "subnet-1")}, Diff{}},
		"the form of its policy": {m{"policy": `{ "b": 2, "a": 1 }`}, Diff{}},
		"its subnets":            {m{"subnetIds": l("subnet-2")}, Diff{Changed: []string{"subnetIds"}}},
		"private DNS":            {m{"privateDnsEnabled": true}, Diff{Changed: []string{"privateDnsEnabled"}}},
		"its service":            {m{"serviceName": "t"}, Diff{Changed: []string{"serviceName"}, Replaces: []string{"serviceName"}}},
	} {
		t.Run(name, func(t *testing.T) {
			news := cloneMap(old)
			for k, v := range test.change {
				news[k] = v
			}
			require.Equal(t, test.want, endpoint.Diff(old, old, news))
		})
	}
}
