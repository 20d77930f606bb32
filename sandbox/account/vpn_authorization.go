package account

import "strings"

// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ec2/vpnclient_authorization_rule.go
var _ = register(typeVPNAuthorization, rules{
	forceNew: []string{"accessGroupId", "authorizeAllGroups", "clientVpnEndpointId", "description", "targetNetworkCidr"},
	// Groups come from a directory, and the account has none.
	unmodelled: []string{"accessGroupId"},
	check:      checkVPNAuthorization,
	create:     createVPNAuthorization,
})

func checkVPNAuthorization(in Props) []Failure {
	failures := checkCIDR("targetNetworkCidr", in["targetNetworkCidr"], 0, 32)
	if all, given := in["authorizeAllGroups"]; !given || all == false {
		failures = append(failures, Failure{Property: "authorizeAllGroups", Reason: "must be true where there is no accessGroupId"})
	}
	return failures
}

func createVPNAuthorization(v *view, o *Object) error {
	endpoint, err := v.vpnEndpointOf(o.in().String("clientVpnEndpointId"), o.Region)
	if err != nil {
		return err
	}
	o.ID = strings.Join([]string{endpoint.ID, o.in().String("targetNetworkCidr")}, ",")
	if v.get(typeVPNAuthorization, o.ID) != nil {
		return refuse("InvalidClientVpnDuplicateAuthorizationRule", "endpoint %q has an authorization rule for %s already", endpoint.ID, o.in().String("targetNetworkCidr"))
	}
	return nil
}
