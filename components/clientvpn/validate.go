package clientvpn

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"github.com/strongroom-platform/strongroom/internal/cidr"
)

// What AWS allows, see
// https://docs.aws.amazon.com/vpn/latest/clientvpn-admin/what-is-best-practices.html.
const (
	MinClientPrefix = 12
	MaxClientPrefix = 22
	MaxBanner       = 1400 // bytes
)

// SessionHours are the lengths of a session that AWS allows.
var SessionHours = []int{8, 10, 12, 24}

var (
	nameForm       = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	serverNameForm = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
)

// Validate reports the first argument that AWS would refuse.
func (a *Args) Validate(name string) error {
	if a == nil {
		return fmt.Errorf("client VPN %q: the arguments are nil", name)
	}
	for _, check := range []func() error{
		a.validateNetwork, a.validateClients, a.validateTargets, a.validateCertificates, a.validateSettings, a.Tags.Validate,
	} {
		if err := check(); err != nil {
			return fmt.Errorf("client VPN %q: %w", name, err)
		}
	}
	return nil
}

func (a *Args) validateNetwork() error {
	if a.VPCID == nil {
		return errors.New("vpcId is missing: give the VPC that clients reach")
	}
	if _, err := cidr.Parse(a.VPCCIDR); err != nil {
		return fmt.Errorf("vpcCidr: %w", err)
	}
	if len(a.Subnets) == 0 {
		return errors.New("subnets: none given: an endpoint without a target network lets nobody connect")
	}
	return validateSubnets(a.Subnets)
}

func validateSubnets(subnets []Subnet) error {
	seen := map[string]bool{}
	for _, s := range subnets {
		switch {
		case !nameForm.MatchString(s.Name):
			return fmt.Errorf("subnets: %q is not a name: use letters of lower case, digits and single hyphens", s.Name)
		case s.ID == nil:
			return fmt.Errorf("subnets: the id of %q is missing", s.Name)
		case seen[s.Name]:
			return fmt.Errorf("subnets: the name %q is given twice", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

func (a *Args) validateClients() error {
	vpc, err := cidr.Parse(a.VPCCIDR)
	if err != nil {
		return fmt.Errorf("vpcCidr: %w", err)
	}
	clients, err := cidr.Parse(a.ClientCIDR)
	switch {
	case err != nil:
		return fmt.Errorf("clientCidr: %w", err)
	case clients.Bits() > MaxClientPrefix:
		return fmt.Errorf("clientCidr: %s is too small: a Client VPN takes /%d to /%d", clients, MinClientPrefix, MaxClientPrefix)
	case clients.Bits() < MinClientPrefix:
		return fmt.Errorf("clientCidr: %s is too large: a Client VPN takes /%d to /%d", clients, MinClientPrefix, MaxClientPrefix)
	case cidr.Overlap(clients, vpc):
		return fmt.Errorf("clientCidr: %s overlaps the VPC's range %s: choose a range that no VPC uses", clients, vpc)
	}
	if a.DNSServer == "" {
		return nil
	}
	if server, err := netip.ParseAddr(a.DNSServer); err != nil || !vpc.Contains(server) {
		return fmt.Errorf("dnsServer: %q is no address in the VPC's range %s, whose resolver alone knows the private zones: leave it out for %s",
			a.DNSServer, vpc, Resolver(vpc))
	}
	return nil
}

func (a *Args) validateTargets() error {
	seen := map[string]bool{}
	for _, t := range a.Targets {
		switch {
		case !nameForm.MatchString(t.Name):
			return fmt.Errorf("targets: %q is not a name: use letters of lower case, digits and single hyphens", t.Name)
		case seen[t.Name]:
			return fmt.Errorf("targets: the name %q is given twice", t.Name)
		case t.SecurityGroupID == nil:
			return fmt.Errorf("targets: the securityGroupId of %q is missing", t.Name)
		case t.Port < 1 || t.Port > 65535:
			return fmt.Errorf("targets: port %d of %q is out of range: use 1 to 65535", t.Port, t.Name)
		}
		seen[t.Name] = true
	}
	return nil
}

func (a *Args) validateCertificates() error {
	switch {
	case len(a.ServerName) > MaxServerName || !serverNameForm.MatchString(a.ServerName):
		return fmt.Errorf("serverName: %q is not a full domain name in lower case of at most %d characters: use one such as %q",
			a.ServerName, MaxServerName, "vpn.tooling.internal")
	case a.CertificateDays < 0 || a.AuthorityDays < 0:
		return errors.New("authorityDays and certificateDays count days: use 1 or more")
	case a.Authority != nil && (a.CertificateDays != 0 || a.AuthorityDays != 0):
		return errors.New("authorityDays and certificateDays are for certificates made here: leave them out where an authority is given")
	case a.Authority != nil:
		if err := a.Authority.Validate(a.ServerName); err != nil {
			return fmt.Errorf("authority: %w", err)
		}
	case a.certificateDays() <= RenewalDays:
		return fmt.Errorf("certificateDays: %d is too short: the certificate is renewed %d days before its end", a.certificateDays(), RenewalDays)
	case a.authorityDays() < a.certificateDays():
		return fmt.Errorf("authorityDays: the authority would expire after %d days, before its certificate, which is good for %d: raise it",
			a.authorityDays(), a.certificateDays())
	}
	return nil
}

func (a *Args) validateSettings() error {
	if !slices.Contains(SessionHours, a.sessionHours()) {
		return fmt.Errorf("sessionHours: %d is not possible: use one of %v", a.SessionHours, SessionHours)
	}
	if len(a.Banner) > MaxBanner {
		return fmt.Errorf("banner: it has %d bytes, AWS takes at most %d", len(a.Banner), MaxBanner)
	}
	if a.LogRetentionDays < 0 {
		return fmt.Errorf("logRetentionDays: %d days is less than none", a.LogRetentionDays)
	}
	return nil
}
