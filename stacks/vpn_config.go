package stacks

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/strongroom-platform/strongroom/components/clientvpn"
	"github.com/strongroom-platform/strongroom/internal/cidr"
)

// VPN is the Client VPN endpoint.
type VPN struct {
	// ClientCIDR is the IPv4 range for VPN clients, /12 to /22. It may not overlap
	// any VPC that clients reach. A change replaces the endpoint, and everyone needs
	// a new profile; strongroom:protect keeps that from happening. Empty: no VPN.
	ClientCIDR string `config:"clientCidr"`

	// ServerName is the name in the endpoint's certificate, which clients verify.
	// Default: "vpn." and the private zone.
	ServerName string `config:"serverName"`

	// DNSServer is the resolver that clients use, an address in the VPC. Default:
	// the VPC's own, the third address of its range.
	DNSServer string `config:"dnsServer"`

	// SessionHours is after how long a client must connect anew: 8, 10, 12 or 24.
	// Default: 8.
	SessionHours int `config:"sessionHours"`

	// Banner is shown to who connects, at most 1400 bytes. Default: none.
	Banner string `config:"banner"`

	// LogRetentionDays is how long connections are on record, one of the lengths
	// that CloudWatch Logs knows. Default: 90.
	LogRetentionDays int `config:"logRetentionDays"`

	// CertificateDays and AuthorityDays are how long the endpoint's certificate and
	// the authority that signs it are good. Any `up` in the last 60 days of the
	// former renews it. Default: 365 and 3650, where no authority is given.
	CertificateDays int `config:"certificateDays"`
	AuthorityDays   int `config:"authorityDays"`

	// Authority is given where its key must not be in the state, not even encrypted.
	// Default: the stack makes one.
	Authority Authority `config:"authority"`
}

// Authority is the VPN's certificate authority, with the key kept by a person.
// Each is the path of a file in PEM, absolute or from the project's directory.
type Authority struct {
	// CertificateFile is the authority's own certificate.
	CertificateFile string `config:"certificateFile"`

	// ServerCertificateFile is signed by it for vpn.serverName, ServerKeyFile the
	// private key of that certificate, which AWS needs.
	ServerCertificateFile string `config:"serverCertificateFile"`
	ServerKeyFile         string `config:"serverKeyFile"`

	// given is what the files hold, nil where there are none. Not a key.
	given *clientvpn.Authority `config:"-"`
}

func defaultVPN() VPN {
	return VPN{SessionHours: 8, LogRetentionDays: 90}
}

// checkVPN holds the limits of a Client VPN endpoint, see
// https://docs.aws.amazon.com/vpn/latest/clientvpn-admin/what-is-best-practices.html.
func (c *Config) checkVPN(d *decoder) {
	if c.VPN.ClientCIDR == "" {
		return // no VPN: what else is set for it has no effect
	}
	vpc, vpcErr := cidr.Parse(c.Network.CIDR)
	c.checkClients(d, vpc, vpcErr == nil)
	c.checkVPNSettings(d)
	c.checkVPNCertificates(d)
	if server, err := netip.ParseAddr(c.VPN.DNSServer); c.VPN.DNSServer != "" && (err != nil || vpcErr == nil && !vpc.Contains(server)) {
		d.problemf("vpn.dnsServer", "%q is no address in the VPC's range %s: only a resolver in there knows the private zone; remove the key for the VPC's own",
			c.VPN.DNSServer, c.Network.CIDR)
	}
}

func (c *Config) checkClients(d *decoder, vpc netip.Prefix, vpcKnown bool) {
	const path = "vpn.clientCidr"
	clients, err := cidr.Parse(c.VPN.ClientCIDR)
	sizes := fmt.Sprintf("a Client VPN takes /%d to /%d", clientvpn.MinClientPrefix, clientvpn.MaxClientPrefix)
	switch {
	case err != nil:
		d.problem(path, err.Error())
	case clients.Bits() > clientvpn.MaxClientPrefix:
		d.problemf(path, "%s is too small: %s", clients, sizes)
	case clients.Bits() < clientvpn.MinClientPrefix:
		d.problemf(path, "%s is too large: %s", clients, sizes)
	case vpcKnown && cidr.Overlap(clients, vpc):
		d.problemf(path, "%s overlaps the VPC's range %s (%s:network.cidr): choose a range that no VPC uses", clients, vpc, namespace)
	}
}

func (c *Config) checkVPNSettings(d *decoder) {
	if !slices.Contains(clientvpn.SessionHours, c.VPN.SessionHours) {
		d.problemf("vpn.sessionHours", "%d hours is no length of a session: expected one of %s",
			c.VPN.SessionHours, strings.Trim(fmt.Sprint(clientvpn.SessionHours), "[]"))
	}
	if n := len(c.VPN.Banner); n > clientvpn.MaxBanner {
		d.problemf("vpn.banner", "it has %d bytes, AWS takes at most %d: shorten it", n, clientvpn.MaxBanner)
	}
	checkRetention(d, "vpn.logRetentionDays", c.VPN.LogRetentionDays)
	if !domainForm.MatchString(c.VPN.ServerName) || len(c.VPN.ServerName) > clientvpn.MaxServerName {
		d.problemf("vpn.serverName", "%q is no domain name of at most %d characters: expected one such as %q",
			c.VPN.ServerName, clientvpn.MaxServerName, "vpn.tooling.internal")
	}
}

func (c *Config) checkVPNCertificates(d *decoder) {
	const days, authority = "vpn.certificateDays", "vpn.authority"
	if d.has(authority) {
		for _, key := range []string{"certificateFile", "serverCertificateFile", "serverKeyFile"} {
			d.required(authority + "." + key)
		}
		for _, key := range []string{days, "vpn.authorityDays"} {
			if d.has(key) {
				d.problem(key, "is for certificates that the stack makes: with an authority of your own, remove it")
			}
		}
		return
	}
	certificateDays, authorityDays := c.VPN.CertificateDays, c.VPN.AuthorityDays
	if !d.has(days) {
		certificateDays = clientvpn.DefaultCertificateDays
	}
	if !d.has("vpn.authorityDays") {
		authorityDays = clientvpn.DefaultAuthorityDays
	}
	switch {
	case certificateDays <= clientvpn.RenewalDays || certificateDays > maxDays:
		d.problemf(days, "%d days is not possible: expected %d to %d, because the certificate is renewed %d days before its end",
			certificateDays, clientvpn.RenewalDays+1, maxDays, clientvpn.RenewalDays)
	case authorityDays < certificateDays:
		d.problemf("vpn.authorityDays", "the authority would expire after %d days, before its certificate, which is good for %d (%s:%s): raise it or lower that",
			authorityDays, certificateDays, namespace, days)
	case authorityDays > maxDays:
		d.problemf("vpn.authorityDays", "%d days is more than %d, a hundred years", authorityDays, maxDays)
	}
}

const maxDays = 36500

// readAuthority reads and checks the files of an authority that is given.
func (c *Config) readAuthority(dir string) error {
	a := &c.VPN.Authority
	if c.VPN.ClientCIDR == "" || a.CertificateFile == "" {
		return nil
	}
	given := &clientvpn.Authority{}
	fail := func(key, message string) error {
		return &ConfigError{Stack: c.Stack, Problems: []Problem{{namespace + ":vpn.authority." + key + "File", message}}}
	}
	for _, file := range []struct {
		key, path string
		text      *string
	}{
		{"certificate", a.CertificateFile, &given.Certificate},
		{"serverCertificate", a.ServerCertificateFile, &given.ServerCertificate},
		{"serverKey", a.ServerKeyFile, &given.ServerKey},
	} {
		path := file.path
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fail(file.key, fmt.Sprintf("cannot be read: %v", err))
		}
		*file.text = string(text)
	}
	if err := given.Validate(c.VPN.ServerName); err != nil {
		key, message, _ := strings.Cut(err.Error(), ": ")
		return fail(key, message)
	}
	a.given = given
	return nil
}
