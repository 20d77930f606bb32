package account

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// typePermission is one rule of a security group as AWS keeps it: one
// direction, protocol, range of ports and source. It is not a type that
// programs create here: security groups and the three types of rules make
// permissions and own them.
const typePermission = "aws:ec2/securityGroupPermission:SecurityGroupPermission"

// The directions are the properties of a group that hold its rules, too.
const (
	ingress = "ingress"
	egress  = "egress"
)

var directions = []string{egress, ingress}

// allProtocols is AWS's word for every protocol and port.
const allProtocols = "-1"

type permission struct {
	groupID, direction, protocol string
	from, to                     int
	source                       string // CIDR, security group or prefix list
	description                  string
}

func newPermission(groupID, direction, protocol string, from, to int, description string) permission {
	protocol = protocolName(protocol)
	if protocol == allProtocols {
		from, to = -1, -1
	}
	return permission{groupID: groupID, direction: direction, protocol: protocol, from: from, to: to, description: description}
}

func permissionOf(o *Object) permission {
	out := o.out()
	return permission{
		groupID: out.String("groupId"), direction: out.String("direction"), protocol: out.String("protocol"),
		from: out.Int("fromPort", -1), to: out.Int("toPort", -1), source: out.String("source"), description: out.String("description"),
	}
}

func (p permission) outputs() map[string]any {
	return map[string]any{
		"groupId": p.groupID, "direction": p.direction, "protocol": p.protocol, "fromPort": float64(p.from), "toPort": float64(p.to),
		"source": p.source, "description": p.description,
	}
}

// same says whether AWS takes two permissions for one and the same: their
// descriptions do not count.
func (p permission) same(q permission) bool {
	p.description, q.description = "", ""
	return p == q
}

// permit adds a permission to a group.
func (v *view) permit(owner *Object, id string, group *Object, p permission) error {
	if err := v.checkSource(group, p.source); err != nil {
		return err
	}
	for _, standing := range v.permissionsOf(p.groupID, p.direction) {
		if standing.ID != id && permissionOf(standing).same(p) {
			return duplicatePermission(p)
		}
	}
	v.own(owner, typePermission, id, p.outputs())
	return nil
}

func duplicatePermission(p permission) error {
	return refuse("InvalidPermission.Duplicate", "the specified rule \"peer: %s, %s, from port: %d, to port: %d, ALLOW\" already exists in security group %q (%s)",
		p.source, strings.ToUpper(p.protocol), p.from, p.to, p.groupID, p.direction)
}

// checkSource checks that what a rule names as its source exists and is in
// reach: a security group in the same VPC or in one that is peered with it.
func (v *view) checkSource(group *Object, source string) error {
	if source == group.ID {
		return nil
	}
	switch kindOfSource(source) {
	case sourceGroup:
		other, err := v.securityGroupOf(source, group.Region)
		if err != nil {
			return err
		}
		here, there := group.out().String("vpcId"), other.out().String("vpcId")
		if here != there && !v.peered(here, there) {
			return refuse("InvalidGroup.NotFound", "security group %q in VPC %q and %q in VPC %q belong to different networks, which are not peered", group.ID, here, source, there)
		}
	case sourcePrefixList:
		if !knownPrefixList(group.Region, source) {
			return missingReference("InvalidPrefixListID.NotFound", "the prefix list ID %q does not exist in %s", source, group.Region)
		}
	}
	return nil
}

func (v *view) permissionsOf(groupID, direction string) []*Object {
	return v.all(typePermission, func(o *Object) bool {
		return o.out().String("groupId") == groupID && o.out().String("direction") == direction
	})
}

// revoke takes a permission away, and with it the resource that held nothing
// else.
func (v *view) revoke(o *Object) {
	v.del(o.Type, o.ID)
	typ, id, _ := strings.Cut(o.Owner, " ")
	switch typ {
	case typeSecurityGroupRule, typeIngressRule, typeEgressRule:
		if owner := v.get(typ, id); owner != nil && len(v.owned(owner, typePermission)) == 0 {
			v.del(typ, id)
		}
	}
}

// revokeAll takes all rules of a group away.
func (v *view) revokeAll(groupID string) {
	for _, direction := range directions {
		for _, p := range v.permissionsOf(groupID, direction) {
			v.revoke(p)
		}
	}
}

type sourceKind int

const (
	sourceIPv4 sourceKind = iota
	sourceIPv6
	sourceGroup
	sourcePrefixList
)

func kindOfSource(source string) sourceKind {
	switch {
	case strings.HasPrefix(source, "sg-"):
		return sourceGroup
	case strings.HasPrefix(source, "pl-"):
		return sourcePrefixList
	case strings.Contains(source, ":"):
		return sourceIPv6
	}
	return sourceIPv4
}

// protocols that AWS knows by name, by their numbers.
var protocols = map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": allProtocols}

// protocolName brings a protocol to the form in which AWS tells it.
func protocolName(protocol string) string {
	protocol = strings.ToLower(protocol)
	if name, ok := protocols[protocol]; ok {
		return name
	}
	return protocol
}

// checkPorts checks the protocol and ports of a rule. Where the protocol is not
// known yet, the ports cannot be judged.
func checkPorts(at string, protocol, from, to any) []Failure {
	text, ok := protocol.(string)
	if !ok {
		return nil
	}
	lowest, highest := 0.0, 65535.0
	switch name := protocolName(text); name {
	case allProtocols:
		return nil
	case "tcp", "udp":
	case "icmp", "icmpv6":
		lowest, highest = -1, 255 // type and code
	default:
		if n, err := strconv.Atoi(name); err != nil || n < 0 || n > 255 {
			return []Failure{{Property: at + "protocol", Reason: fmt.Sprintf(`%q is not a protocol: expected "tcp", "udp", "icmp", "icmpv6", "-1" for all, or a number`, text)}}
		}
		return nil
	}
	var failures []Failure
	for property, port := range map[string]any{"fromPort": from, "toPort": to} {
		n, ok := port.(float64)
		if port == nil {
			failures = append(failures, Failure{Property: at + property, Reason: fmt.Sprintf("is required for protocol %q", text)})
		} else if ok && (n < lowest || n > highest) {
			failures = append(failures, Failure{Property: at + property, Reason: fmt.Sprintf("%v is out of range for protocol %q: expected %v to %v", n, text, lowest, highest)})
		}
	}
	first, ok1 := from.(float64)
	last, ok2 := to.(float64)
	if ok1 && ok2 && lowest == 0 && first > last {
		failures = append(failures, Failure{Property: at + "fromPort", Reason: fmt.Sprintf("%v is greater than toPort, %v", first, last)})
	}
	return failures
}

// checkRuleCIDR checks a network that a rule names.
func checkRuleCIDR(path string, v any, ipv6 bool) []Failure {
	if !ipv6 {
		return checkCIDR(path, v, 0, 32)
	}
	text, ok := v.(string)
	if !ok {
		return nil
	}
	if prefix, err := netip.ParsePrefix(text); err != nil || !prefix.Addr().Is6() || prefix.Masked() != prefix {
		return []Failure{{Property: path, Reason: fmt.Sprintf("%q is not an IPv6 network in CIDR notation", text)}}
	}
	return nil
}
