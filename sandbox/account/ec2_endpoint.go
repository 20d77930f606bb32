package account

import (
	"fmt"
	"slices"
	"strings"
)

// Types of VPC endpoints.
const (
	gatewayEndpoint   = "Gateway"
	interfaceEndpoint = "Interface"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpc_endpoint.go
var _ = register(typeVPCEndpoint, rules{
	defaults: map[string]any{"vpcEndpointType": gatewayEndpoint},
	forceNew: []string{"resourceConfigurationArn", "serviceName", "serviceNetworkArn", "serviceRegion", "vpcEndpointType", "vpcId"},
	computed: []string{
		"dnsOptions", "dnsOptions.dnsRecordIpType", "ipAddressType", "policy", "privateDnsEnabled", "routeTableIds",
		"securityGroupIds", "serviceRegion", "subnetConfigurations", "subnetIds",
	},
	sets:      []string{"routeTableIds", "securityGroupIds", "subnetConfigurations", "subnetIds"},
	documents: []string{"policy"},
	unmodelled: []string{
		"dnsOptions.privateDnsOnlyForInboundResolverEndpoint", "resourceConfigurationArn", "serviceNetworkArn", "serviceRegion", "subnetConfigurations",
	},
	check:    checkEndpoint,
	replaces: replacesEndpoint,
	create:   createEndpoint,
	update:   updateEndpoint,
	remove:   removeEndpoint,
	read:     readEndpoint,
})

func checkEndpoint(in Props) []Failure {
	failures := append(oneOf(in, "vpcEndpointType", gatewayEndpoint, interfaceEndpoint), oneOf(in, "ipAddressType", "ipv4")...)
	if !in.Has("serviceName") {
		failures = append(failures, Failure{Property: "serviceName", Reason: "is required"})
	}
	refused := map[string][]string{
		gatewayEndpoint:   {"dnsOptions", "privateDnsEnabled", "securityGroupIds", "subnetIds"},
		interfaceEndpoint: {"routeTableIds"},
	}
	for _, property := range refused[in.String("vpcEndpointType")] {
		if given(in, []string{property}) {
			failures = append(failures, Failure{Property: property, Reason: fmt.Sprintf("cannot be given for an endpoint of type %q", in.String("vpcEndpointType"))})
		}
	}
	return failures
}

// replacesEndpoint is the provider's rule that private DNS can be switched on
// and off only at an interface endpoint.
func replacesEndpoint(old, new Props) []string {
	if new.String("vpcEndpointType") != interfaceEndpoint && new.Has("privateDnsEnabled") && old["privateDnsEnabled"] != new["privateDnsEnabled"] {
		return []string{"privateDnsEnabled"}
	}
	return nil
}

func createEndpoint(v *view, o *Object) error {
	vpc, err := v.vpcOf(o.in().String("vpcId"), o.Region)
	if err != nil {
		return err
	}
	service, err := endpointServiceOf(o.in().String("serviceName"), o.Region)
	if err != nil {
		return err
	}
	kind := o.in().String("vpcEndpointType")
	if kind == gatewayEndpoint && !service.gateway {
		return refuse("InvalidParameter", "the VPC endpoint service %s does not support endpoints of type %q, only %q", o.in().String("serviceName"), kind, interfaceEndpoint)
	}
	o.ID = ec2ID("vpce")
	o.Outputs["arn"] = arn("ec2", o.Region, "vpc-endpoint/"+o.ID)
	o.Outputs["ownerId"] = AccountID
	o.Outputs["requesterManaged"] = false
	o.Outputs["state"] = "available"
	o.Outputs["serviceRegion"] = o.Region
	o.Outputs["ipAddressType"] = "ipv4"
	o.Outputs["policy"] = o.in().StringOr("policy", openEndpointPolicy)
	o.Outputs["privateDnsEnabled"] = o.in().Bool("privateDnsEnabled", false)
	o.Outputs["dnsOptions"] = map[string]any{"dnsRecordIpType": map[string]string{gatewayEndpoint: "service-defined", interfaceEndpoint: "ipv4"}[kind]}
	if groups := o.in().Strings("securityGroupIds"); kind == interfaceEndpoint && len(groups) == 0 {
		o.Outputs["securityGroupIds"] = list([]string{vpc.out().String("defaultSecurityGroupId")})
	}
	return v.placeEndpoint(o, vpc, service)
}

// openEndpointPolicy is what AWS gives an endpoint that has no policy.
const openEndpointPolicy = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}],"Version":"2008-10-17"}`

func updateEndpoint(v *view, _, o *Object) error {
	vpc, err := v.vpcOf(o.in().String("vpcId"), o.Region)
	if err != nil {
		return err
	}
	service, err := endpointServiceOf(o.in().String("serviceName"), o.Region)
	if err != nil {
		return err
	}
	return v.placeEndpoint(o, vpc, service)
}

// placeEndpoint brings the endpoint's routes or interfaces to what its outputs
// ask for.
func (v *view) placeEndpoint(o, vpc *Object, service endpointService) error {
	var err error
	if o.out().String("vpcEndpointType") == gatewayEndpoint {
		err = v.routeToEndpoint(o, vpc, service)
	} else {
		err = v.attachEndpoint(o, vpc, service)
	}
	if err != nil {
		return err
	}
	readEndpoint(v, o)
	return nil
}

// routeToEndpoint puts a route to a gateway endpoint into each of its tables.
func (v *view) routeToEndpoint(o, vpc *Object, service endpointService) error {
	tables := o.out().Strings("routeTableIds")
	for _, route := range v.owned(o, typeRoute) {
		if !slices.Contains(tables, route.out().String("routeTableId")) {
			v.del(route.Type, route.ID)
		}
	}
	prefixList := prefixListID(o.Region, service.name)
	for _, id := range tables {
		table, err := v.routeTableOf(id, o.Region)
		if err != nil {
			return err
		}
		if table.out().String("vpcId") != vpc.ID {
			return refuse("InvalidParameter", "route table %s belongs to VPC %q, the endpoint to %q", id, table.out().String("vpcId"), vpc.ID)
		}
		standing := v.get(typeRoute, routeID(id, prefixList))
		if standing != nil && standing.Owner != o.key() {
			return refuse("RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s", id, prefixList)
		}
		if standing == nil {
			route := v.own(o, typeRoute, routeID(id, prefixList), map[string]any{"routeTableId": id, "destinationPrefixListId": prefixList, "gatewayId": o.ID})
			readRoute(v, route)
		}
	}
	return nil
}

// attachEndpoint puts an interface of the endpoint into each of its subnets.
func (v *view) attachEndpoint(o, vpc *Object, service endpointService) error {
	subnets, err := v.subnetsOf(o.out().Strings("subnetIds"), o.Region)
	if err != nil {
		return err
	}
	for _, subnet := range subnets {
		if subnet.out().String("vpcId") != vpc.ID {
			return refuse("InvalidParameter", "subnet %s belongs to VPC %q, the endpoint to %q", subnet.ID, subnet.out().String("vpcId"), vpc.ID)
		}
	}
	if err := distinctZones(subnets, "DuplicateSubnetsInSameZone", "the endpoint"); err != nil {
		return err
	}
	groups := o.out().Strings("securityGroupIds")
	for _, id := range groups {
		group, err := v.securityGroupOf(id, o.Region)
		if err != nil {
			return err
		}
		if group.out().String("vpcId") != vpc.ID {
			return refuse("InvalidParameter", "security group %s belongs to VPC %q, the endpoint to %q", id, group.out().String("vpcId"), vpc.ID)
		}
	}
	if o.out().Bool("privateDnsEnabled", false) {
		if err := v.checkPrivateDNS(o, vpc); err != nil {
			return err
		}
	}
	return v.attachEach(o, subnets, "VPC Endpoint Interface "+o.ID, groups)
}

func (v *view) checkPrivateDNS(o, vpc *Object) error {
	if !vpc.out().Bool("enableDnsSupport", true) || !vpc.out().Bool("enableDnsHostnames", false) {
		return refuse("InvalidParameter", "enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", vpc.ID)
	}
	same := v.first(typeVPCEndpoint, func(other *Object) bool {
		return other.ID != o.ID && other.out().String("vpcId") == vpc.ID &&
			other.out().String("serviceName") == o.out().String("serviceName") && other.out().Bool("privateDnsEnabled", false)
	})
	if same != nil {
		return refuse("InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s: that of %s", o.out().String("serviceName"), vpc.ID, same.ID)
	}
	return nil
}

// readEndpoint tells where the endpoint stands and under which names.
func readEndpoint(v *view, o *Object) {
	service, err := endpointServiceOf(o.out().String("serviceName"), o.Region)
	if err != nil {
		return // a name that was accepted once stays known
	}
	subnets, interfaces, tables := []string{}, []string{}, []string{}
	configurations, cidrs, entries := []any{}, []string{}, []any{}
	var zones []string
	for _, nic := range v.owned(o, typeNetworkInterface) {
		id := nic.out().String("subnetId")
		subnets, interfaces = append(subnets, id), append(interfaces, nic.ID)
		configurations = append(configurations, map[string]any{"subnetId": id, "ipv4": nic.out().String("privateIp")})
		if subnet := v.get(typeSubnet, id); subnet != nil {
			zones = append(zones, subnet.out().String("availabilityZone"))
		}
	}
	for _, route := range v.owned(o, typeRoute) {
		tables = append(tables, route.out().String("routeTableId"))
	}
	o.Outputs["prefixListId"] = ""
	if o.out().String("vpcEndpointType") == gatewayEndpoint {
		o.Outputs["prefixListId"] = prefixListID(o.Region, service.name)
		cidrs = service.cidrs
	} else {
		entries = endpointNames(o, service, zones)
	}
	if o.Outputs["securityGroupIds"] == nil {
		o.Outputs["securityGroupIds"] = []any{}
	}
	slices.Sort(subnets)
	o.Outputs["subnetIds"] = list(subnets)
	o.Outputs["networkInterfaceIds"] = list(interfaces)
	o.Outputs["subnetConfigurations"] = configurations
	o.Outputs["routeTableIds"] = list(tables)
	wanted := slices.Sorted(slices.Values(o.in().Strings("routeTableIds")))
	slices.Sort(tables)
	if o.in().Has("routeTableIds") && !slices.Equal(slices.Compact(wanted), tables) {
		o.Inputs["routeTableIds"] = list(tables) // a table was deleted: a difference
	}
	o.Outputs["cidrBlocks"] = list(cidrs)
	o.Outputs["dnsEntries"] = entries
}

// endpointNames are the names of an interface endpoint: its own, one per
// availability zone, and that of the service where private DNS is on.
func endpointNames(o *Object, service endpointService, zones []string) []any {
	hostedZone := "Z" + strings.ToUpper(digits("endpoint zone "+o.Region, 20))
	entries := []any{}
	add := func(name, zone string) {
		entries = append(entries, map[string]any{"dnsName": name, "hostedZoneId": zone})
	}
	suffix := fmt.Sprintf(".%s.%s.vpce.amazonaws.com", service.name, o.Region)
	own := o.ID + "-" + digits(o.ID, 8)
	add(own+suffix, hostedZone)
	slices.Sort(zones)
	for _, zone := range zones {
		add(own+"-"+zone+suffix, hostedZone)
	}
	if o.out().Bool("privateDnsEnabled", false) {
		add(service.domain(o.Region), "Z"+strings.ToUpper(digits("private zone "+o.ID, 20)))
	}
	return entries
}

func removeEndpoint(v *view, o *Object) error {
	v.dropOwned(o, typeRoute, typeNetworkInterface)
	return nil
}
