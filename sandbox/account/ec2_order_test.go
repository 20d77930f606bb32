package account

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// references are the properties that name another object, and its type. Targets
// of routes are not among them: AWS lets those go, and the route tells so.
var references = map[string]string{
	"vpcId": typeVPC, "peerVpcId": typeVPC, "subnetId": typeSubnet, "routeTableId": typeRouteTable, "securityGroupId": typeSecurityGroup,
	"groupId": typeSecurityGroup, "allocationId": typeAddress, "vpcPeeringConnectionId": typePeering, "sourceSecurityGroupId": typeSecurityGroup,
	"referencedSecurityGroupId": typeSecurityGroup, "subnetIds": typeSubnet, "routeTableIds": typeRouteTable, "securityGroupIds": typeSecurityGroup,
	"securityGroups": typeSecurityGroup, "networkInterfaceId": typeNetworkInterface, "networkInterfaceIds": typeNetworkInterface,
}

// vpcOfGroup remembers the VPC of every security group that ever stood.
type vpcOfGroup map[string]string

// stale says whether a rule refers to a group in a peered VPC that is gone:
// AWS calls such a rule stale and leaves it.
func (groups vpcOfGroup) stale(rule Props, groupProperty, sourceProperty string) bool {
	there, here := groups[rule.String(sourceProperty)], groups[rule.String(groupProperty)]
	return there != "" && there != here
}

// dangling returns a description of a reference to something that is gone, or "".
func (groups vpcOfGroup) dangling(objects []Object) string {
	there := map[string]bool{}
	for _, o := range objects {
		there[o.key()] = true
		if o.Type == typeSecurityGroup {
			groups[o.ID] = o.out().String("vpcId")
		}
	}
	for _, o := range objects {
		if o.Owner != "" && !there[o.Owner] {
			return fmt.Sprintf("the owner of %s, %s", o.key(), o.Owner)
		}
		source := o.out().String("source")
		if o.Type == typePermission && kindOfSource(source) == sourceGroup && !there[key(typeSecurityGroup, source)] && !groups.stale(o.out(), "groupId", "source") {
			return fmt.Sprintf("the source of %s, %s", o.key(), source)
		}
		for property, typ := range references {
			if o.Type == typeRoute && property == "vpcPeeringConnectionId" || groups.stale(o.out(), "securityGroupId", property) {
				continue
			}
			ids := append(o.out().Strings(property), o.out().String(property))
			for _, id := range ids {
				if id != "" && !there[key(typ, id)] {
					return fmt.Sprintf("%s of %s, %s", property, o.key(), id)
				}
			}
		}
	}
	return ""
}

// builder draws inputs for a new object from what stands in the account.
type builder struct {
	*rapid.T
	objects []Object
}

// any draws the ID of an object that stands, or sometimes one that does not.
// It draws a number and not the ID, so that rapid can repeat what failed.
func (b builder) any(typ string) string {
	ids := []string{}
	for _, o := range b.objects {
		if o.Type == typ {
			ids = append(ids, o.ID)
		}
	}
	if len(ids) == 0 || rapid.IntRange(0, 15).Draw(b.T, "missing") == 15 {
		return map[string]string{typeSecurityGroup: "sg-0123"}[typ] + "0123"
	}
	return ids[rapid.IntRange(0, len(ids)-1).Draw(b.T, typ)]
}

func (b builder) inputs(typ string) m {
	third := rapid.IntRange(0, 3).Draw(b.T, "third")
	switch typ {
	case typeVPC:
		return m{"cidrBlock": fmt.Sprintf("10.%d.0.0/16", rapid.IntRange(0, 2).Draw(b.T, "second")), "enableDnsHostnames": true}
	case typeSubnet:
		return m{"vpcId": b.any(typeVPC), "cidrBlock": fmt.Sprintf("10.%d.%d.0/24", rapid.IntRange(0, 2).Draw(b.T, "second"), third)}
	case typeInternetGateway, typeRouteTable, typeSecurityGroup, typeDefaultSecurityGroup:
		return m{"vpcId": b.any(typeVPC)}
	case typeAddress:
		return m{"domain": "vpc"}
	case typeNATGateway:
		return m{"subnetId": b.any(typeSubnet), "allocationId": b.any(typeAddress)}
	case typeRouteTableAssociation:
		return m{"subnetId": b.any(typeSubnet), "routeTableId": b.any(typeRouteTable)}
	case typeRoute:
		target := rapid.SampledFrom([]string{"gatewayId", "natGatewayId", "vpcPeeringConnectionId"}).Draw(b.T, "target")
		types := map[string]string{"gatewayId": typeInternetGateway, "natGatewayId": typeNATGateway, "vpcPeeringConnectionId": typePeering}
		return m{"routeTableId": b.any(typeRouteTable), "destinationCidrBlock": fmt.Sprintf("192.168.%d.0/24", third), target: b.any(types[target])}
	case typeSecurityGroupRule:
		return m{"type": "ingress", "securityGroupId": b.any(typeSecurityGroup), "sourceSecurityGroupId": b.any(typeSecurityGroup), "protocol": "tcp", "fromPort": third, "toPort": third}
	case typeIngressRule, typeEgressRule:
		return m{"securityGroupId": b.any(typeSecurityGroup), "referencedSecurityGroupId": b.any(typeSecurityGroup), "ipProtocol": "tcp", "fromPort": third, "toPort": third}
	case typeVPCEndpoint:
		if rapid.Bool().Draw(b.T, "gateway") {
			return m{"vpcId": b.any(typeVPC), "serviceName": serviceName("s3"), "routeTableIds": l(b.any(typeRouteTable))}
		}
		return m{"vpcId": b.any(typeVPC), "serviceName": serviceName("sts"), "vpcEndpointType": "Interface", "subnetIds": l(b.any(typeSubnet)), "securityGroupIds": l(b.any(typeSecurityGroup))}
	case typePeering:
		return m{"vpcId": b.any(typeVPC), "peerVpcId": b.any(typeVPC)}
	}
	return m{"vpcPeeringConnectionId": b.any(typePeering), "autoAccept": true}
}

// seed makes the ground that most types stand on, which chance alone would
// seldom make.
func seed(w *world) {
	vpc := w.vpc("10.0.0.0/16")
	w.create(typeSubnet, m{"vpcId": vpc.ID, "cidrBlock": "10.0.0.0/24"})
	w.create(typeInternetGateway, m{"vpcId": vpc.ID})
	w.create(typeAddress, m{"domain": "vpc"})
	w.create(typeRouteTable, m{"vpcId": vpc.ID})
	w.create(typeSecurityGroup, m{"vpcId": vpc.ID})
	w.create(typePeering, m{"vpcId": vpc.ID, "peerVpcId": w.vpc("10.1.0.0/16").ID})
}

// Whatever is made and deleted in whatever order, nothing that stands refers to
// something that is gone; a refusal changes nothing; and what stands in the end
// can be deleted in some order, until the account is empty.
func TestNothingEverDangles(t *testing.T) {
	types := []string{
		typeVPC, typeSubnet, typeInternetGateway, typeAddress, typeNATGateway, typeRouteTable, typeRouteTableAssociation, typeRoute, typeSecurityGroup,
		typeDefaultSecurityGroup, typeSecurityGroupRule, typeIngressRule, typeEgressRule, typeVPCEndpoint, typePeering, typePeeringAccepter,
	}
	made := map[string]int{typePeering: 1} // the seed has one, and a second needs much luck
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		empty(t, w)
		seed(w)
		groups := vpcOfGroup{}
		for range rapid.IntRange(10, 40).Draw(t, "steps") {
			objects := w.a.Objects()
			mine := slices.DeleteFunc(slices.Clone(objects), func(o Object) bool { return o.Owner != "" })
			if len(mine) > 0 && rapid.IntRange(0, 4).Draw(t, "delete") == 0 {
				victim := mine[rapid.IntRange(0, len(mine)-1).Draw(t, "victim")]
				if err := w.delete(&victim); err != nil && !isRefusal(err) {
					t.Fatalf("deleting %s: %v", victim.key(), err)
				}
			} else {
				typ := rapid.SampledFrom(types).Draw(t, "type")
				if _, err := w.try(typ, (builder{t, objects}).inputs(typ)); err == nil {
					made[typ]++
				} else if !isRefusal(err) {
					t.Fatalf("creating %s: %v", typ, err)
				} else if len(w.a.Objects()) != len(objects) {
					t.Fatalf("a refused creation left something: %v", err)
				}
			}
			if what := groups.dangling(w.a.Objects()); what != "" {
				t.Fatalf("there is no %s", what)
			}
		}
		empty(t, w)
	})
	for _, typ := range types {
		if made[typ] == 0 {
			t.Errorf("no %s was ever made: the test proves nothing about it", typ)
		}
	}
}

func isRefusal(err error) bool {
	var refusal *Error
	return errors.As(err, &refusal)
}

// empty deletes everything that programs made, as often as something goes.
func empty(t *rapid.T, w *world) {
	for {
		objects := w.a.Objects()
		if len(objects) == 0 {
			return
		}
		var last error
		progress := false
		for _, o := range objects {
			if o.Owner != "" {
				continue
			}
			if err := w.delete(&o); err != nil {
				last = err
			} else {
				progress = true
			}
		}
		if !progress {
			t.Fatalf("%d objects cannot be deleted: %v", len(objects), last)
		}
	}
}
