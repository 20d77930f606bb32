package account

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// serviceReferences are what objects of a type name, by property. A target
// group's VPC and the VPCs of a zone are not among them: EC2 lets a VPC go
// without asking.
var serviceReferences = map[string]map[string]string{
	typeRolePolicy:           {"role": typeRole},
	typeRolePolicyAttachment: {"role": typeRole, "policyArn": typePolicy},
	typeInstanceProfile:      {"role": typeRole},
	typeRole:                 {"permissionsBoundary": typePolicy, "managedPolicyArns": typePolicy},
	typeKeyAlias:             {"targetKeyId": typeKey},
	typeLoadBalancer:         {"subnets": typeSubnet, "securityGroups": typeSecurityGroup, "vpcId": typeVPC},
	typeListener:             {"loadBalancerArn": typeLoadBalancer},
	typeTargetGroup:          {"loadBalancerArns": typeLoadBalancer},
	typeRecord:               {"zoneId": typeZone},
	typeZoneAssociation:      {"zoneId": typeZone},
	typeNetworkInterface:     {"subnetId": typeSubnet, "securityGroups": typeSecurityGroup},
}

// serviceDangling returns a description of a reference to something that is
// gone, or "".
func serviceDangling(objects []Object) string {
	there := map[string]bool{}
	for _, o := range objects {
		there[o.key()] = true
	}
	for _, o := range objects {
		if o.Owner != "" && !there[o.Owner] {
			return fmt.Sprintf("the owner of %s, %s", o.key(), o.Owner)
		}
		for property, typ := range serviceReferences[o.Type] {
			for _, id := range append(o.out().Strings(property), o.out().String(property)) {
				if id != "" && !strings.HasPrefix(id, "arn:aws:iam::aws:") && !there[key(typ, id)] {
					return fmt.Sprintf("%s of %s, %s", property, o.key(), id)
				}
			}
		}
		if o.Type != typeListener {
			continue
		}
		for _, group := range forwardTargets(o.in()) {
			if !there[key(typeTargetGroup, group)] {
				return fmt.Sprintf("target group of %s, %s", o.key(), group)
			}
		}
	}
	return ""
}

func (b builder) serviceInputs(typ string) m {
	n := rapid.IntRange(0, 3).Draw(b.T, "n")
	switch typ {
	case typeVPC:
		return m{"cidrBlock": fmt.Sprintf("10.%d.0.0/16", n)}
	case typeSubnet:
		return m{"vpcId": b.any(typeVPC), "cidrBlock": fmt.Sprintf("10.%d.%d.0/24", n, n)}
	case typeRole:
		inputs := m{"assumeRolePolicy": ec2Trust, "name": fmt.Sprintf("role%d", n), "forceDetachPolicies": n == 3}
		if n == 2 {
			inputs["permissionsBoundary"] = b.any(typePolicy)
		}
		return inputs
	case typePolicy:
		return m{"policy": readLogs}
	case typeRolePolicy:
		return m{"role": b.any(typeRole), "name": fmt.Sprintf("policy%d", n), "policy": readLogs}
	case typeRolePolicyAttachment:
		if n == 0 {
			return m{"role": b.any(typeRole), "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}
		}
		return m{"role": b.any(typeRole), "policyArn": b.any(typePolicy)}
	case typeInstanceProfile:
		return m{"role": b.any(typeRole)}
	case typeKeyAlias:
		return m{"name": fmt.Sprintf("alias/a%d", n), "targetKeyId": b.any(typeKey)}
	case typeLoadBalancer:
		return m{"loadBalancerType": "network", "internal": true, "subnets": l(b.any(typeSubnet)), "securityGroups": l(b.any(typeSecurityGroup))}
	case typeTargetGroup:
		return m{"vpcId": b.any(typeVPC), "targetType": "ip", "protocol": "TCP", "port": 8200}
	case typeListener:
		return m{"loadBalancerArn": b.any(typeLoadBalancer), "port": 8200 + n, "protocol": "TCP", "defaultActions": l(m{"type": "forward", "targetGroupArn": b.any(typeTargetGroup)})}
	case typeZone:
		return m{"name": fmt.Sprintf("zone%d.internal", n), "vpcs": l(m{"vpcId": b.any(typeVPC)}), "forceDestroy": n == 3}
	case typeZoneAssociation:
		return m{"zoneId": b.any(typeZone), "vpcId": b.any(typeVPC)}
	case typeRecord:
		return m{"zoneId": b.any(typeZone), "name": fmt.Sprintf("record%d", n), "type": "A", "ttl": 60, "records": l("10.0.0.5")}
	}
	return m{}
}

// Whatever is made and deleted in whatever order, nothing that stands refers to
// something that is gone; a refusal changes nothing; and what stands in the end
// can be deleted until the account is empty.
func TestNothingOfTheServicesEverDangles(t *testing.T) {
	types := []string{
		typeVPC, typeSubnet, typeRole, typePolicy, typeRolePolicy, typeRolePolicyAttachment, typeInstanceProfile, typeKey, typeKeyAlias, typeLogGroup,
		typeLoadBalancer, typeTargetGroup, typeListener, typeZone, typeZoneAssociation, typeRecord,
	}
	made := map[string]int{}
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		empty(t, w)
		vpc := w.vpc("10.0.0.0/16")
		w.balancer(vpc, l(w.subnet(vpc, "10.0.0.0/24", "a").ID))
		w.targetGroup(vpc)
		for range rapid.IntRange(10, 40).Draw(t, "steps") {
			objects := w.a.Objects()
			mine := slices.DeleteFunc(slices.Clone(objects), func(o Object) bool { return o.Owner != "" })
			if rapid.IntRange(0, 3).Draw(t, "delete") == 0 && len(mine) > 0 {
				victim := mine[rapid.IntRange(0, len(mine)-1).Draw(t, "victim")]
				if err := w.delete(&victim); err != nil && !isRefusal(err) {
					t.Fatalf("deleting %s: %v", victim.key(), err)
				}
			} else {
				typ := rapid.SampledFrom(types).Draw(t, "type")
				if _, err := w.try(typ, (builder{t, objects}).serviceInputs(typ)); err == nil {
					made[typ]++
				} else if len(w.a.Objects()) != len(objects) {
					t.Fatalf("a refused creation left something: %v", err)
				}
			}
			if what := serviceDangling(w.a.Objects()); what != "" {
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
