package clientvpn

import (
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/tags"
)

// Args of a ClientVPN.
type Args struct {
	VPCID pulumi.StringInput
	// VPCCIDR is the VPC's range, which clients get a route to.
	VPCCIDR string
	// Subnets are the target networks: private subnets, one per zone, of at least
	// /27. Each costs by the hour.
	Subnets []Subnet
	// ClientCIDR is the range for clients, /12 to /22, apart from every VPC that
	// they reach. Another range is another endpoint, and so other profiles.
	ClientCIDR string
	// ServerName is the name in the endpoint's certificate, such as
	// "vpn.tooling.internal". It need not resolve.
	ServerName string
	// Authority is given by the person who keeps its key. Nil: one is made here, and
	// its key is in the state, encrypted.
	Authority *Authority
	// AuthorityDays and CertificateDays are how long the authority and the
	// endpoint's certificate that are made here are good. Default: 3650 and 365.
	AuthorityDays   int
	CertificateDays int
	// Targets are what clients reach. Nothing else lets them in.
	Targets []Target
	// DNSServer that clients ask, in the VPC. Default: the VPC's own resolver, which
	// alone knows the private zones.
	DNSServer string
	// SessionHours until a client must connect anew: 8, 10, 12 or 24. Default 8.
	SessionHours int
	// Banner is shown to who connects, at most 1400 bytes. Empty: none.
	Banner string
	// LogRetentionDays is how long connections are on record, one of the values
	// that CloudWatch Logs takes. Default 90.
	LogRetentionDays int
	Tags             tags.Tags
	// Protect the endpoint, the authority, the log and the index against deletion
	// and replacement. Without, the index's bucket goes with all that is in it.
	Protect bool
}

// Subnet is a target network of the endpoint.
type Subnet struct {
	// Name is unique and does not change: a zone's letter.
	Name string
	ID   pulumi.StringInput
}

// Target is a TCP port that clients reach.
type Target struct {
	// Name is unique: "vault".
	Name string
	// SecurityGroupID is the group of what listens, which gets a rule that lets
	// clients in.
	SecurityGroupID pulumi.StringInput
	Port            int
}

// Authority is a certificate authority whose key this program never sees.
type Authority struct {
	// Certificate of the authority, in PEM.
	Certificate string
	// ServerCertificate is signed by it for the endpoint, in PEM, and ServerKey its
	// private key: AWS terminates TLS, so it must have that one.
	ServerCertificate string
	ServerKey         string
}

// Defaults of Args.
const (
	DefaultAuthorityDays    = 3650
	DefaultCertificateDays  = 365
	defaultSessionHours     = 8
	defaultLogRetentionDays = 90
)

func orDefault(value, otherwise int) int {
	if value == 0 {
		return otherwise
	}
	return value
}

func (a *Args) authorityDays() int   { return orDefault(a.AuthorityDays, DefaultAuthorityDays) }
func (a *Args) certificateDays() int { return orDefault(a.CertificateDays, DefaultCertificateDays) }
func (a *Args) sessionHours() int    { return orDefault(a.SessionHours, defaultSessionHours) }

func (a *Args) logRetentionDays() int {
	return orDefault(a.LogRetentionDays, defaultLogRetentionDays)
}

func (a *Args) dnsServer() string {
	if a.DNSServer != "" {
		return a.DNSServer
	}
	return Resolver(netip.MustParsePrefix(a.VPCCIDR)).String() // validated before
}

// Resolver is the address of Amazon's resolver in a VPC, the third of its range:
// https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
func Resolver(vpc netip.Prefix) netip.Addr { return vpc.Masked().Addr().Next().Next() }

// inputs are what the state shows for the component. The server's key is not
// among them.
func (a *Args) inputs() pulumi.Map {
	subnets, targets := pulumi.Map{}, pulumi.Map{}
	for _, s := range a.Subnets {
		subnets[s.Name] = s.ID
	}
	for _, t := range a.Targets {
		targets[t.Name] = pulumi.Int(t.Port)
	}
	return pulumi.Map{
		"vpcId":            a.VPCID,
		"vpcCidr":          pulumi.String(a.VPCCIDR),
		"subnets":          subnets,
		"clientCidr":       pulumi.String(a.ClientCIDR),
		"serverName":       pulumi.String(a.ServerName),
		"authority":        pulumi.String(map[bool]string{true: "made here", false: "given"}[a.Authority == nil]),
		"targets":          targets,
		"dnsServer":        pulumi.String(a.dnsServer()),
		"sessionHours":     pulumi.Int(a.sessionHours()),
		"logRetentionDays": pulumi.Int(a.logRetentionDays()),
		"tags":             a.Tags.Map(),
	}
}
