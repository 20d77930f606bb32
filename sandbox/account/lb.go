package account

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/elbv2/load_balancer.go
var _ = register(typeLoadBalancer, rules{
	name: &autoname{property: "name", max: 32},
	defaults: map[string]any{
		"clientKeepAlive": 3600.0, "desyncMitigationMode": "defensive", "dnsRecordClientRoutingPolicy": "any_availability_zone",
		"dropInvalidHeaderFields": false, "enableCrossZoneLoadBalancing": false, "enableDeletionProtection": false, "enableHttp2": true,
		"enableTlsVersionAndCipherSuiteHeaders": false, "enableWafFailOpen": false, "enableXffClientPort": false,
		"enableZonalShift": false, "idleTimeout": 60.0, "loadBalancerType": "application", "preserveHostHeader": false,
		"xffHeaderProcessingMode": "append",
	},
	forceNew: []string{"customerOwnedIpv4Pool", "internal", "loadBalancerType", "name", "namePrefix"},
	computed: []string{
		"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "internal", "ipAddressType", "name", "securityGroups",
		"subnetMappings", "subnets",
	},
	sets: []string{"securityGroups", "subnets"},
	unmodelled: []string{
		"accessLogs", "connectionLogs", "customerOwnedIpv4Pool", "ipamPools", "minimumLoadBalancerCapacity", "namePrefix", "subnetMappings",
	},
	check:    checkLoadBalancer,
	replaces: loadBalancerReplaces,
	create:   createLoadBalancer,
	update:   updateLoadBalancer,
	remove:   removeLoadBalancer,
	plan: func(oldOutputs, inputs, planned Props) {
		if hasUnknown(inputs["subnets"]) || !sameStrings(oldOutputs.Strings("subnets"), inputs.Strings("subnets")) {
			planned["subnetMappings"] = Unknown{}
		}
	},
})

var loadBalancerNameForm = regexp.MustCompile(`^[0-9A-Za-z-]{1,32}$`)

// checkLoadBalancerName checks the name of a load balancer or a target group.
func checkLoadBalancerName(in Props) []Failure {
	name, ok := in["name"].(string)
	switch {
	case !ok:
		return nil
	case !loadBalancerNameForm.MatchString(name):
		return []Failure{{Property: "name", Reason: fmt.Sprintf("%q must have 1 to 32 letters, digits and hyphens", name)}}
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return []Failure{{Property: "name", Reason: fmt.Sprintf("%q must not begin or end with a hyphen", name)}}
	}
	return nil
}

func checkLoadBalancer(in Props) []Failure {
	failures := append(checkLoadBalancerName(in), onlyModelled(in, "loadBalancerType", "network")...)
	failures = append(failures, onlyModelled(in, "ipAddressType", "ipv4")...)
	failures = append(failures, oneOf(in, "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "on", "off")...)
	failures = append(failures, oneOf(in, "dnsRecordClientRoutingPolicy",
		"any_availability_zone", "availability_zone_affinity", "partial_availability_zone_affinity")...)
	if name := in.String("name"); strings.HasPrefix(name, "internal-") {
		failures = append(failures, Failure{Property: "name", Reason: fmt.Sprintf(`%q must not begin with "internal-", that is AWS's own`, name)})
	}
	if subnets, known := in["subnets"].([]any); (known && len(subnets) == 0) || in["subnets"] == nil {
		failures = append(failures, Failure{Property: "subnets", Reason: "at least one is required"})
	}
	return failures
}

// loadBalancerReplaces is the provider's rule for network load balancers:
// subnets can only be added, and security groups neither come to one without
// any nor go from it altogether. Values that are not known yet do not count.
func loadBalancerReplaces(old, new Props) []string {
	if new.String("loadBalancerType") != "network" {
		return nil
	}
	var replaced []string
	if after, known := new["subnets"].([]any); known && !hasUnknown(after) && !sameStrings(old.Strings("subnets"), new.Strings("subnets")) &&
		len(after) <= len(old.Strings("subnets")) {
		replaced = append(replaced, "subnets")
	}
	if after, known := new["securityGroups"].([]any); known && !hasUnknown(after) && (len(after) == 0) != (len(old.Strings("securityGroups")) == 0) {
		replaced = append(replaced, "securityGroups")
	}
	return replaced
}

func sameStrings(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func createLoadBalancer(v *view, o *Object) error {
	name := o.in().String("name")
	if v.first(typeLoadBalancer, func(other *Object) bool { return other.Region == o.Region && other.in().String("name") == name }) != nil {
		return refuse("DuplicateLoadBalancerName", "a load balancer with the same name %q exists, but with different settings", name)
	}
	id := randomHex(16)
	o.ID = arn("elasticloadbalancing", o.Region, "loadbalancer/net/"+name+"/"+id)
	o.Outputs["arn"] = o.ID
	o.Outputs["arnSuffix"] = "net/" + name + "/" + id
	o.Outputs["dnsName"] = name + "-" + id + ".elb." + o.Region + ".amazonaws.com"
	o.Outputs["zoneId"] = regions[o.Region].nlbZone
	o.Outputs["internal"] = o.in().Bool("internal", false)
	o.Outputs["ipAddressType"] = "ipv4"
	if o.in()["securityGroups"] == nil {
		o.Outputs["securityGroups"] = []any{}
	}
	if len(o.in().Strings("securityGroups")) > 0 {
		o.Outputs["enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = o.in().StringOr("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "on")
	}
	return v.placeLoadBalancer(o)
}

func updateLoadBalancer(v *view, old, o *Object) error {
	for _, subnet := range old.out().Strings("subnets") {
		if !slices.Contains(o.out().Strings("subnets"), subnet) {
			return refuse("InvalidConfigurationRequest",
				"subnet removal is not supported for network load balancers: %q is missing, specify all existing subnets along with any new ones", subnet)
		}
	}
	return v.placeLoadBalancer(o)
}

// placeLoadBalancer gives the load balancer a network interface in each of its
// subnets: that is what keeps the subnets and the security groups from going
// before it.
func (v *view) placeLoadBalancer(o *Object) error {
	subnets, err := v.subnetsOf(o.out().Strings("subnets"), o.Region)
	if err != nil {
		return err
	}
	if err := distinctZones(subnets, "InvalidConfigurationRequest", "a load balancer"); err != nil {
		return err
	}
	vpc := subnets[0].out().String("vpcId")
	if !o.out().Bool("internal", false) && v.first(typeInternetGateway, func(other *Object) bool { return other.out().String("vpcId") == vpc }) == nil {
		return refuse("InvalidSubnet", "VPC %s has no internet gateway, which a load balancer needs that is not internal", vpc)
	}
	groups := o.out().Strings("securityGroups")
	for _, id := range groups {
		group := v.get(typeSecurityGroup, id)
		if group == nil || group.Region != o.Region {
			return missingReference("InvalidSecurityGroup", "one or more security groups are invalid: %q does not exist in %s", id, o.Region)
		}
		if group.out().String("vpcId") != vpc {
			return refuse("InvalidConfigurationRequest", "one or more security groups are invalid: %q is in VPC %s, the load balancer in %s", id, group.out().String("vpcId"), vpc)
		}
	}
	o.Outputs["vpcId"] = vpc
	var mappings []any
	for _, subnet := range subnets {
		mappings = append(mappings, map[string]any{"subnetId": subnet.ID, "allocationId": "", "ipv6Address": "", "outpostId": "", "privateIpv4Address": ""})
	}
	o.Outputs["subnetMappings"] = mappings
	return v.attachEach(o, subnets, "ELB "+o.out().String("arnSuffix"), groups)
}

// removeLoadBalancer takes the listeners along, as AWS does.
func removeLoadBalancer(v *view, o *Object) error {
	if o.in().Bool("enableDeletionProtection", false) {
		return refuse("OperationNotPermitted", "load balancer %q cannot be deleted because deletion protection is enabled", o.ID)
	}
	for _, listener := range v.all(typeListener, func(other *Object) bool { return other.in().String("loadBalancerArn") == o.ID }) {
		v.del(listener.Type, listener.ID)
	}
	v.dropOwned(o, typeNetworkInterface)
	return nil
}

// loadBalancerOf returns the load balancer that something refers to.
func (v *view) loadBalancerOf(arn, region string) (*Object, error) {
	balancer := v.get(typeLoadBalancer, arn)
	if balancer == nil || balancer.Region != region {
		return nil, missingReference("LoadBalancerNotFound", "one or more load balancers not found: %q", arn)
	}
	return balancer, nil
}
