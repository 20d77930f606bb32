package endpoint

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/tags"
)

// maxName leaves room in the 32 characters of a load balancer's name for "-lb"
// and the 8 that Pulumi appends.
const maxName = 21

// minClientBits is the shortest prefix of clients: 10.0.0.0/8 is the largest
// private network.
const minClientBits = 8

// Args of an Endpoint.
type Args struct {
	VPCID pulumi.StringInput
	// SubnetIDs are private subnets, one per zone.
	SubnetIDs pulumi.StringArrayInput
	// Port of the listener and of the pods.
	Port        int
	HealthCheck HealthCheck
	// AllowedCIDRs are the IPv4 ranges whose clients may connect.
	AllowedCIDRs []string
	// TargetSecurityGroupID is the security group of the pods' nodes: it gets a
	// rule that lets the load balancer in, and the load balancer may reach only
	// it. Without, the load balancer may reach the ports everywhere, and letting
	// it in is left to the caller.
	TargetSecurityGroupID pulumi.StringInput
	// ZoneID of the private zone that Hostname belongs to.
	ZoneID pulumi.StringInput
	// Hostname in full, such as "vault.tooling.internal".
	Hostname string
	// CrossZone lets a connection of one zone go to a pod of another: needed with
	// fewer pods than zones, at the price of traffic between zones.
	CrossZone bool
	Tags      tags.Tags
}

// HealthCheck decides which pods get connections. The zero value is a TCP
// connection to the pods' port.
type HealthCheck struct {
	// Protocol is "TCP" (default), "HTTP" or "HTTPS". The certificate is not
	// verified by AWS.
	Protocol string
	// Path for HTTP and HTTPS, with the query.
	Path string
	// Port, 0 for the pods' port.
	Port int
	// Matcher is the codes that count as healthy for HTTP and HTTPS, such as
	// "200" (default) or "200-299".
	Matcher string
}

var (
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)
	hostnameForm = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	matcherForm  = regexp.MustCompile(`^[2-5]\d\d(-[2-5]\d\d)?(,[2-5]\d\d(-[2-5]\d\d)?)*$`)
)

// Validate reports the first argument that AWS would refuse.
func (a *Args) Validate(name string) error {
	if a == nil {
		return fmt.Errorf("endpoint %q: the arguments are nil", name)
	}
	if err := a.validate(name); err != nil {
		return fmt.Errorf("endpoint %q: %w", name, err)
	}
	return nil
}

func (a *Args) validate(name string) error {
	switch {
	case len(name) > maxName:
		return fmt.Errorf("the name has %d characters, but load balancer names end at 32: use at most %d", len(name), maxName)
	case !nameForm.MatchString(name):
		return errors.New("the name becomes that of a load balancer: use letters, digits and single hyphens")
	case strings.HasPrefix(name, "internal-"):
		return fmt.Errorf("the name begins with %q, which AWS keeps for itself in load balancer names: use another", "internal-")
	case a.VPCID == nil:
		return errors.New("vpcId is missing: give the VPC that the subnets are in")
	case a.SubnetIDs == nil:
		return errors.New("subnetIds are missing: give one private subnet per zone")
	case a.ZoneID == nil:
		return errors.New("zoneId is missing: give the private zone that the hostname belongs to")
	case len(a.Hostname) > 253 || !hostnameForm.MatchString(a.Hostname):
		return fmt.Errorf("hostname %q is not a full domain name in lower case: use one such as %q", a.Hostname, "vault.tooling.internal")
	case a.Port < 1 || a.Port > 65535:
		return fmt.Errorf("port %d is out of range: use 1 to 65535", a.Port)
	}
	if err := a.HealthCheck.validate(); err != nil {
		return fmt.Errorf("healthCheck: %w", err)
	}
	if err := a.validateCIDRs(); err != nil {
		return err
	}
	return a.Tags.Validate()
}

func (a *Args) validateCIDRs() error {
	seen := map[netip.Prefix]bool{}
	for _, cidr := range a.AllowedCIDRs {
		prefix, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil || !prefix.Addr().Is4():
			return fmt.Errorf("allowedCidrs: %q is no IPv4 range: use one such as %q", cidr, "10.0.0.0/16")
		case prefix != prefix.Masked():
			return fmt.Errorf("allowedCidrs: %q has bits set after its prefix: use %q", cidr, prefix.Masked())
		case prefix.Bits() < minClientBits:
			return fmt.Errorf("allowedCidrs: %q lets everyone in: name the ranges of the clients, each of /%d or longer", cidr, minClientBits)
		case seen[prefix]:
			return fmt.Errorf("allowedCidrs: %q is given twice: leave one out", cidr)
		}
		seen[prefix] = true
	}
	return nil
}

func (h HealthCheck) validate() error {
	if h.Port < 0 || h.Port > 65535 {
		return fmt.Errorf("port %d is out of range: use 1 to 65535, or 0 for the pods' port", h.Port)
	}
	switch h.protocol() {
	case "TCP":
		if h.Path != "" || h.Matcher != "" {
			return errors.New("a TCP check has neither path nor matcher: leave them out, or use HTTP or HTTPS")
		}
	case "HTTP", "HTTPS":
		if len(h.Path) == 0 || h.Path[0] != '/' || len(h.Path) > 1024 {
			return fmt.Errorf("path %q is not possible: use at most 1024 characters that start with /", h.Path)
		}
		if !matcherForm.MatchString(h.matcher()) {
			return fmt.Errorf("matcher %q is not a code, a range or a list of them: use one such as %q", h.Matcher, "200-299")
		}
	default:
		return fmt.Errorf("protocol %q is unknown: use TCP, HTTP or HTTPS", h.Protocol)
	}
	return nil
}

// targetPorts are those at which the load balancer reaches the pods, sorted.
func (a *Args) targetPorts() []int {
	ports := []int{a.Port}
	if p := a.HealthCheck.Port; p != 0 && p != a.Port {
		ports = append(ports, p)
	}
	slices.Sort(ports)
	return ports
}

// inputs are what the state shows for the component.
func (a *Args) inputs() pulumi.Map {
	in := pulumi.Map{
		"vpcId":        a.VPCID,
		"subnetIds":    a.SubnetIDs,
		"port":         pulumi.Int(a.Port),
		"allowedCidrs": pulumi.ToStringArray(a.AllowedCIDRs),
		"zoneId":       a.ZoneID,
		"hostname":     pulumi.String(a.Hostname),
		"crossZone":    pulumi.Bool(a.CrossZone),
		"tags":         a.Tags.Map(),
	}
	if a.TargetSecurityGroupID != nil {
		in["targetSecurityGroupId"] = a.TargetSecurityGroupID
	}
	return in
}
