package account

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpnclient_endpoint.go
var _ = register(typeVPNEndpoint, rules{
	defaults: map[string]any{
		"selfServicePortal": "disabled", "sessionTimeoutHours": 24.0, "splitTunnel": false, "transportProtocol": "udp", "vpnPort": 443.0,
	},
	forceNew: []string{"authenticationOptions", "clientCidrBlock", "transportProtocol"},
	computed: []string{
		"clientConnectOptions", "clientLoginBannerOptions", "clientRouteEnforcementOptions", "connectionLogOptions.cloudwatchLogStream",
		"disconnectOnSessionTimeout", "securityGroupIds", "vpcId",
	},
	sets: []string{"authenticationOptions", "securityGroupIds"},
	unmodelled: []string{
		"authenticationOptions.activeDirectoryId", "authenticationOptions.samlProviderArn",
		"authenticationOptions.selfServiceSamlProviderArn", "clientConnectOptions.lambdaFunctionArn",
	},
	check:  checkVPNEndpoint,
	create: createVPNEndpoint,
	update: updateVPNEndpoint,
	remove: removeVPNEndpoint,
})

// The sizes of the client range:
// https://docs.aws.amazon.com/vpn/latest/clientvpn-admin/what-is-best-practices.html
const shortestClientCIDR, longestClientCIDR = 12, 22

const maxBanner = 1400 // bytes of UTF-8

func checkVPNEndpoint(in Props) []Failure {
	failures := checkCIDR("clientCidrBlock", in["clientCidrBlock"], shortestClientCIDR, longestClientCIDR)
	failures = append(failures, oneOf(in, "transportProtocol", "tcp", "udp")...)
	failures = append(failures, onlyModelled(in, "selfServicePortal", "disabled")...)
	failures = append(failures, oneNumber(in, "sessionTimeoutHours", 8, 10, 12, 24)...)
	failures = append(failures, oneNumber(in, "vpnPort", 443, 1194)...)
	if options, known := in["authenticationOptions"].([]any); known && len(options) != 1 {
		failures = append(failures, Failure{Property: "authenticationOptions", Reason: fmt.Sprintf("there are %d, the simulated AWS account takes one: mutual TLS", len(options))})
	}
	for _, option := range in.List("authenticationOptions") {
		for _, f := range onlyModelled(option, "type", "certificate-authentication") {
			failures = append(failures, Failure{Property: "authenticationOptions[0]." + f.Property, Reason: f.Reason})
		}
		if option["type"] == "certificate-authentication" && option["rootCertificateChainArn"] == nil {
			failures = append(failures, Failure{Property: "authenticationOptions[0].rootCertificateChainArn", Reason: "is required for mutual TLS"})
		}
	}
	log := in.Props("connectionLogOptions")
	if log["enabled"] == true && log["cloudwatchLogGroup"] == nil {
		failures = append(failures, Failure{Property: "connectionLogOptions.cloudwatchLogGroup", Reason: "is required while the connection log is enabled"})
	}
	if banner := in.Props("clientLoginBannerOptions").String("bannerText"); len(banner) > maxBanner {
		failures = append(failures, Failure{Property: "clientLoginBannerOptions.bannerText", Reason: fmt.Sprintf("has %d bytes, AWS takes at most %d", len(banner), maxBanner)})
	}
	if servers, known := in["dnsServers"].([]any); known && len(servers) > 2 {
		failures = append(failures, Failure{Property: "dnsServers", Reason: fmt.Sprintf("there are %d, an endpoint takes at most 2", len(servers))})
	}
	for i, server := range in.Strings("dnsServers") {
		if addr, err := netip.ParseAddr(server); err != nil || !addr.Is4() {
			failures = append(failures, Failure{Property: fmt.Sprintf("dnsServers[%d]", i), Reason: fmt.Sprintf("%q is not an IPv4 address", server)})
		}
	}
	if groups, known := in["securityGroupIds"].([]any); known && (len(groups) < 1 || len(groups) > 5) {
		failures = append(failures, Failure{Property: "securityGroupIds", Reason: fmt.Sprintf("there are %d, an endpoint takes 1 to 5", len(groups))})
	}
	if in.Has("securityGroupIds") && !in.Has("vpcId") {
		failures = append(failures, Failure{Property: "vpcId", Reason: `is required together with "securityGroupIds"`})
	}
	return failures
}

func oneNumber(in Props, property string, allowed ...int) []Failure {
	n, ok := in[property].(float64)
	if !ok || slices.Contains(allowed, int(n)) {
		return nil
	}
	return []Failure{{Property: property, Reason: fmt.Sprintf("%v is not allowed: expected one of %v", n, allowed)}}
}

func createVPNEndpoint(v *view, o *Object) error {
	o.ID = ec2ID("cvpn-endpoint")
	o.Outputs["arn"] = arn("ec2", o.Region, "client-vpn-endpoint/"+o.ID)
	// Clients put a random label in the place of the star:
	// https://docs.aws.amazon.com/vpn/latest/clientvpn-admin/cvpn-working-endpoint-export.html
	o.Outputs["dnsName"] = "*." + o.ID + ".prod.clientvpn." + o.Region + ".amazonaws.com"
	o.Outputs["selfServicePortalUrl"] = ""
	return v.completeVPNEndpoint(o)
}

func updateVPNEndpoint(v *view, old, o *Object) error {
	if err := v.completeVPNEndpoint(o); err != nil {
		return err
	}
	if former := old.out().String("vpcId"); former != o.out().String("vpcId") && len(v.associationsOf(o.ID)) > 0 {
		return refuse("InvalidParameterValue", "the VPC of Client VPN endpoint %s cannot change while it has target networks in %s", o.ID, former)
	}
	// The groups are those of its network interfaces, in every target network.
	for _, association := range v.associationsOf(o.ID) {
		for _, nic := range v.owned(association, typeNetworkInterface) {
			v.edit(nic.Type, nic.ID).Outputs["securityGroups"] = clone(o.Outputs["securityGroupIds"])
		}
	}
	return nil
}

// completeVPNEndpoint checks what the endpoint refers to and fills in what AWS
// does.
func (v *view) completeVPNEndpoint(o *Object) error {
	for _, reference := range append(rootChains(o), o.in().String("serverCertificateArn")) {
		if err := v.checkVPNCertificate(reference, o.Region); err != nil {
			return err
		}
	}
	if err := v.completeConnectionLog(o); err != nil {
		return err
	}
	for property, off := range map[string]map[string]any{
		"clientConnectOptions":          {"enabled": false},
		"clientLoginBannerOptions":      {"enabled": false},
		"clientRouteEnforcementOptions": {"enforced": false},
	} {
		if o.Outputs[property] == nil {
			o.Outputs[property] = off
		}
	}
	if o.Outputs["disconnectOnSessionTimeout"] == nil {
		o.Outputs["disconnectOnSessionTimeout"] = false
	}
	return v.completeVPNNetwork(o)
}

// checkVPNCertificate holds what Client VPN demands of a certificate in ACM:
// https://docs.aws.amazon.com/vpn/latest/clientvpn-admin/mutual.html
func (v *view) checkVPNCertificate(reference, region string) error {
	certificate := v.certificateOf(reference, region)
	if certificate == nil {
		return missingReference("InvalidParameterValue", "certificate %s does not exist in %s", reference, region)
	}
	if len(certificate.out().Strings("subjectAlternativeNames")) == 0 {
		return refuse("InvalidParameterValue", "certificate %s does not have a domain", reference)
	}
	if algorithm := certificate.out().String("keyAlgorithm"); algorithm != "RSA_1024" && algorithm != "RSA_2048" {
		return refuse("InvalidParameterValue", "certificate %s has a key of type %s: a Client VPN takes RSA_1024 and RSA_2048", reference, algorithm)
	}
	return nil
}

// rootChains returns the ARNs of the certificates whose chains end in the CAs of
// the clients.
func rootChains(endpoint *Object) []string {
	var arns []string
	for _, option := range endpoint.in().List("authenticationOptions") {
		if arn := option.String("rootCertificateChainArn"); arn != "" {
			arns = append(arns, arn)
		}
	}
	return arns
}

func (v *view) completeConnectionLog(o *Object) error {
	log, given := o.Outputs["connectionLogOptions"].(map[string]any)
	if !given || log["enabled"] != true {
		return nil
	}
	name := Props(log).String("cloudwatchLogGroup")
	if group := v.get(typeLogGroup, name); group == nil || group.Region != o.Region {
		return missingReference("InvalidParameterValue", "CloudWatch log group %q does not exist in %s", name, o.Region)
	}
	if log["cloudwatchLogStream"] == nil {
		// AWS makes a stream of its own where none is named.
		log["cloudwatchLogStream"] = strings.Join([]string{o.ID, o.Region, o.Created.Format("2006/01/02"), digits(o.ID, 12)}, "-")
	}
	return nil
}

func (v *view) completeVPNNetwork(o *Object) error {
	id := o.out().String("vpcId")
	if id == "" {
		return nil // it takes the VPC of its first target network
	}
	vpc, err := v.vpcOf(id, o.Region)
	if err != nil {
		return err
	}
	if o.Outputs["securityGroupIds"] == nil {
		o.Outputs["securityGroupIds"] = list([]string{vpc.out().String("defaultSecurityGroupId")})
	}
	for _, groupID := range o.out().Strings("securityGroupIds") {
		group, err := v.securityGroupOf(groupID, o.Region)
		if err != nil {
			return err
		}
		if group.out().String("vpcId") != vpc.ID {
			return refuse("InvalidGroup.NotFound", "security group %q is not in VPC %q", groupID, vpc.ID)
		}
	}
	return nil
}

// removeVPNEndpoint takes the endpoint's rules and its revocation list with it.
func removeVPNEndpoint(v *view, o *Object) error {
	if associations := v.associationsOf(o.ID); len(associations) > 0 {
		return refuse("DependencyViolation", "the Client VPN endpoint %q has target networks and cannot be deleted: %s", o.ID, associations[0].ID)
	}
	for _, rule := range v.all(typeVPNAuthorization, func(r *Object) bool { return r.in().String("clientVpnEndpointId") == o.ID }) {
		v.del(rule.Type, rule.ID)
	}
	v.dropOwned(o, typeRevocationList)
	return nil
}

// vpnEndpointOf returns the endpoint that something refers to.
func (v *view) vpnEndpointOf(id, region string) (*Object, error) {
	endpoint := v.get(typeVPNEndpoint, id)
	if endpoint == nil || endpoint.Region != region {
		return nil, missingReference("InvalidClientVpnEndpointId.NotFound", "endpoint %s does not exist in %s", id, region)
	}
	return endpoint, nil
}
