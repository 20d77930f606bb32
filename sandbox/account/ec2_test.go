package account

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// network is a world with one of everything that the EC2 types need.
type networkWorld struct {
	*world
	vpc, public, private, gateway, address, nat, publicTable, privateTable, group *Object
}

func newNetwork(t *testing.T) *networkWorld {
	t.Helper()
	w := &networkWorld{world: newWorld(t)}
	w.vpc = w.world.vpc("10.0.0.0/16")
	w.public = w.subnet(w.vpc, "10.0.0.0/24", "a")
	w.private = w.subnet(w.vpc, "10.0.1.0/24", "b")
	w.gateway = w.create(typeInternetGateway, m{"vpcId": w.vpc.ID, "tags": m{"Name": "test"}})
	w.address = w.create(typeAddress, m{"domain": "vpc"})
	w.nat = w.create(typeNATGateway, m{"allocationId": w.address.ID, "subnetId": w.public.ID})
	w.publicTable = w.create(typeRouteTable, m{"vpcId": w.vpc.ID})
	w.privateTable = w.create(typeRouteTable, m{"vpcId": w.vpc.ID})
	w.group = w.create(typeSecurityGroup, m{"vpcId": w.vpc.ID})
	return w
}

// plant puts an object into the account that another concern's type would
// make, without its rules.
func (w *world) plant(typ, id string, outputs m) *Object {
	w.t.Helper()
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	v := w.a.view()
	o := &Object{Type: typ, ID: id, Region: testRegion, Created: w.a.now(), Inputs: m{}, Outputs: outputs}
	v.put(o)
	require.NoError(w.t, w.a.commit(v))
	return o
}

// logging plants a log group and a role that may write to it.
func (w *world) logging() (group, role *Object) {
	group = w.plant(typeLogGroup, "/flow", m{"name": "/flow", "arn": arn("logs", testRegion, "log-group:/flow")})
	role = w.plant(typeRole, "flow", m{"name": "flow", "arn": "arn:aws:iam::" + AccountID + ":role/flow"})
	return group, role
}

// ec2Examples are inputs for one resource of each EC2 type of this package.
var ec2Examples = map[string]func(w *networkWorld) m{
	typeVPC:    func(*networkWorld) m { return m{"cidrBlock": "10.9.0.0/16"} },
	typeSubnet: func(w *networkWorld) m { return m{"vpcId": w.vpc.ID, "cidrBlock": "10.0.9.0/24"} },
	typeAddress: func(*networkWorld) m {
		return m{"domain": "vpc", "tags": m{"Name": "nat"}}
	},
	typeInternetGateway: func(w *networkWorld) m { return m{"vpcId": w.world.vpc("10.8.0.0/16").ID} },
	typeNATGateway: func(w *networkWorld) m {
		return m{"allocationId": w.create(typeAddress, m{"domain": "vpc"}).ID, "subnetId": w.public.ID, "tags": m{"Name": "nat"}}
	},
	typeRouteTable: func(w *networkWorld) m { return m{"vpcId": w.vpc.ID, "tags": m{"Name": "private"}} },
	typeRouteTableAssociation: func(w *networkWorld) m {
		return m{"routeTableId": w.privateTable.ID, "subnetId": w.private.ID}
	},
	typeRoute: func(w *networkWorld) m {
		return m{"routeTableId": w.publicTable.ID, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": w.gateway.ID}
	},
	typeSecurityGroup: func(w *networkWorld) m {
		return m{"vpcId": w.vpc.ID, "ingress": l(
			m{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": l("10.0.0.0/8"), "self": true},
			m{"protocol": "-1", "fromPort": 0, "toPort": 0, "securityGroups": l(w.group.ID), "description": "all"},
		)}
	},
	typeDefaultSecurityGroup: func(w *networkWorld) m { return m{"vpcId": w.vpc.ID, "tags": m{"Name": "locked"}} },
	typeSecurityGroupRule: func(w *networkWorld) m {
		return m{"type": "ingress", "securityGroupId": w.group.ID, "protocol": "-1", "fromPort": 0, "toPort": 0, "self": true}
	},
	typeIngressRule: func(w *networkWorld) m {
		return m{"securityGroupId": w.group.ID, "ipProtocol": "tcp", "fromPort": 8200, "toPort": 8200, "cidrIpv4": "10.0.0.0/8"}
	},
	typeEgressRule: func(w *networkWorld) m {
		return m{"securityGroupId": w.group.ID, "ipProtocol": "-1", "referencedSecurityGroupId": w.group.ID}
	},
	typeVPCEndpoint: func(w *networkWorld) m {
		return m{
			"vpcId": w.vpc.ID, "serviceName": "com.amazonaws." + testRegion + ".sts", "vpcEndpointType": "Interface",
			"subnetIds": l(w.private.ID, w.public.ID), "securityGroupIds": l(w.group.ID), "privateDnsEnabled": true,
			"policy": `{"Version": "2012-10-17", "Statement": []}`,
		}
	},
	typePeering: func(w *networkWorld) m {
		return m{"vpcId": w.vpc.ID, "peerVpcId": w.world.vpc("10.7.0.0/16").ID, "autoAccept": true, "requester": m{"allowRemoteVpcDnsResolution": true}}
	},
	typePeeringAccepter: func(w *networkWorld) m {
		peering := w.create(typePeering, m{"vpcId": w.vpc.ID, "peerVpcId": w.world.vpc("10.6.0.0/16").ID})
		return m{"vpcPeeringConnectionId": peering.ID, "autoAccept": true}
	},
	typePeeringOptions: func(w *networkWorld) m {
		peering := w.create(typePeering, m{"vpcId": w.vpc.ID, "peerVpcId": w.world.vpc("10.5.0.0/16").ID, "autoAccept": true})
		return m{"vpcPeeringConnectionId": peering.ID, "accepter": m{"allowRemoteVpcDnsResolution": true}}
	},
	typeFlowLog: func(w *networkWorld) m {
		group, role := w.logging()
		return m{"vpcId": w.vpc.ID, "trafficType": "ALL", "logDestination": group.Outputs["arn"], "iamRoleArn": role.Outputs["arn"]}
	},
}

// standing lists what stands in the account, without the rules that AWS gives
// to a VPC's default security group: adopting the group takes them away.
func standing(a *Account) []string {
	var keys []string
	for _, o := range a.Objects() {
		if o.Type != typePermission || !strings.HasPrefix(o.Owner, typeVPC+" ") {
			keys = append(keys, o.key())
		}
	}
	return keys
}

// The basic test of every type: what was made reads back as it was answered,
// the same program changes nothing, an update with the same inputs changes
// nothing, and it can be deleted once.
func TestEC2CreateReadNoChangeDelete(t *testing.T) {
	for _, token := range Tokens() {
		if !strings.HasPrefix(token, "aws:ec2/") && !strings.HasPrefix(token, "aws:vpc/") || strings.Contains(token, "launchTemplate") {
			continue
		}
		t.Run(token, func(t *testing.T) {
			example := ec2Examples[token]
			require.NotNil(t, example, "no example of %s", token)
			w := newNetwork(t)
			inputs := example(w)
			before := standing(w.a)
			o := w.create(token, inputs)
			read := w.read(o)
			require.Equal(t, o.Outputs, read.Outputs, "create and read must tell the same")
			require.Equal(t, o.Inputs, read.Inputs, "and no drift")
			require.NotEmpty(t, o.ID)

			typ, err := Lookup(token)
			require.NoError(t, err)
			checked, failures := typ.Check(o.Inputs, inputs, "thing", []byte("another seed"))
			require.Empty(t, failures)
			require.Equal(t, Diff{}, typ.Diff(o.Inputs, read.Outputs, checked), "the same program changes nothing")
			require.NoError(t, w.update(o, m{}))
			require.Equal(t, read.Outputs, w.read(o).Outputs, "an update with the same inputs changes nothing")
			for name := range typ.shape.Outputs {
				if _, isInput := typ.shape.Inputs[name]; !isInput && name != "ipv6AssociationId" && name != "ipv6CidrBlockAssociationId" {
					require.Contains(t, o.Outputs, name, "a computed output is missing")
				}
			}

			require.NoError(t, w.delete(o))
			gone(t, w.delete(o))
			require.Equal(t, before, standing(w.a), "nothing is left of it")
		})
	}
}

// Every network of a program can be taken down in the opposite order of its
// making, and then the account is empty.
func TestWholeNetworkComesDown(t *testing.T) {
	w := newNetwork(t)
	made := []*Object{w.vpc, w.public, w.private, w.gateway, w.address, w.nat, w.publicTable, w.privateTable, w.group}
	add := func(typ string, inputs m) *Object {
		o := w.create(typ, inputs)
		made = append(made, o)
		return o
	}
	add(typeRouteTableAssociation, m{"routeTableId": w.publicTable.ID, "subnetId": w.public.ID})
	add(typeRouteTableAssociation, m{"routeTableId": w.privateTable.ID, "subnetId": w.private.ID})
	add(typeRoute, m{"routeTableId": w.publicTable.ID, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": w.gateway.ID})
	add(typeRoute, m{"routeTableId": w.privateTable.ID, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": w.nat.ID})
	add(typeDefaultSecurityGroup, m{"vpcId": w.vpc.ID})
	add(typeIngressRule, m{"securityGroupId": w.group.ID, "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/16"})
	add(typeVPCEndpoint, m{"vpcId": w.vpc.ID, "serviceName": "com.amazonaws." + testRegion + ".s3", "routeTableIds": l(w.publicTable.ID, w.privateTable.ID)})
	add(typeVPCEndpoint, m{"vpcId": w.vpc.ID, "serviceName": "com.amazonaws." + testRegion + ".ecr.api", "vpcEndpointType": "Interface", "subnetIds": l(w.private.ID), "securityGroupIds": l(w.group.ID)})
	peer := w.world.vpc("10.1.0.0/16")
	made = append(made, peer)
	peering := add(typePeering, m{"vpcId": w.vpc.ID, "peerVpcId": peer.ID, "autoAccept": true})
	add(typeRoute, m{"routeTableId": w.privateTable.ID, "destinationCidrBlock": "10.1.0.0/16", "vpcPeeringConnectionId": peering.ID})
	add(typePeeringOptions, m{"vpcPeeringConnectionId": peering.ID, "requester": m{"allowRemoteVpcDnsResolution": true}})

	slices.Reverse(made)
	for _, o := range made {
		require.NoError(t, w.delete(o), "%s", o.Type)
	}
	require.Empty(t, w.a.Objects())
}

// What depends on the VPC keeps it, one by one.
func TestVPCIsKeptByWhatIsInIt(t *testing.T) {
	for _, token := range []string{typeRouteTable, typeSecurityGroup, typePeering, typeVPCEndpoint} {
		t.Run(token, func(t *testing.T) {
			w := newWorld(t)
			vpc, peer := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
			inputs := map[string]m{
				typeRouteTable:    {"vpcId": vpc.ID},
				typeSecurityGroup: {"vpcId": vpc.ID},
				typePeering:       {"vpcId": vpc.ID, "peerVpcId": peer.ID},
				typeVPCEndpoint:   {"vpcId": vpc.ID, "serviceName": "com.amazonaws." + testRegion + ".s3"},
			}[token]
			o := w.create(token, inputs)
			refused(t, w.delete(vpc), "DependencyViolation")
			if token == typePeering {
				refused(t, w.delete(peer), "DependencyViolation")
			}
			require.NoError(t, w.delete(o))
			require.NoError(t, w.delete(vpc))
		})
	}
}

// The account keeps what it knows on disk: rules, routes and interfaces too.
func TestNetworkSurvivesReopening(t *testing.T) {
	w := newNetwork(t)
	rule := w.create(typeIngressRule, ec2Examples[typeIngressRule](w))
	before := w.a.Objects()
	require.NoError(t, w.a.Close())
	a, err := Open(w.a.dir, w.cp, Options{})
	require.NoError(t, err)
	w.a = a
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	require.Equal(t, len(before), len(a.Objects()))
	_, err = a.Read(context.Background(), rule.Type, rule.ID)
	require.NoError(t, err)
	_, err = w.try(typeIngressRule, rule.Inputs)
	refused(t, err, "InvalidPermission.Duplicate")
}
