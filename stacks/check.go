package stacks

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/internal/cidr"
)

var (
	nameForm         = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	regionForm       = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	serviceForm      = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)
	instanceTypeForm = regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`)
	domainForm       = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	principalForm    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+$`)
)

// retentions are the lengths that CloudWatch Logs knows, in days, see
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html.
var retentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// carrierGrade is the shared address space of RFC 6598, which AWS allows in VPCs.
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// check reports all that is wrong with values of the right type.
func (c *Config) check(d *decoder) {
	c.checkStack(d)
	c.checkNetwork(d)
	c.checkCluster(d)
	c.checkRole(d)
	c.checkFlux(d)
}

func (c *Config) checkStack(d *decoder) {
	checkName(d, "name", c.Name)
	if d.required("region") && !regionForm.MatchString(c.Region) {
		d.problemf("region", "%q is no AWS region: expected one such as %q", c.Region, "eu-west-1")
	}
	for key := range c.Tags {
		if strings.HasPrefix(key, namespace+":") || key == "Name" {
			d.problemf("tags."+key, "is set by the program: use another key")
		}
	}
	if err := c.baseTags().Merge(c.Tags).Validate(); err != nil {
		d.problem("tags", strings.TrimPrefix(err.Error(), "tags: "))
	}
}

// checkName holds what is allowed in the names of every resource that a name begins.
func checkName(d *decoder, path, name string) {
	if !nameForm.MatchString(name) || len(name) > 32 {
		d.problemf(path, "%q is no usable name: expected at most 32 letters of lower case, digits and single hyphens, "+
			"beginning with a letter", name)
	}
}

func (c *Config) checkNetwork(d *decoder) {
	n := &c.Network
	if d.required("network.cidr") {
		checkVPCRange(d, "network.cidr", n.CIDR)
	}
	if d.required("network.zones") {
		n.checkZones(d, c.Region)
	}
	n.checkSubnets(d)
	if nats := []string{"none", "single", "perZone"}; !slices.Contains(nats, n.NAT) {
		d.problemf("network.nat", "%q is no NAT strategy: expected one of %s", n.NAT, quoted(nats))
	}
	for i, service := range n.InterfaceEndpoints {
		at := index("network.interfaceEndpoints", i)
		switch {
		case !serviceForm.MatchString(service) || strings.HasPrefix(service, "com.amazonaws."):
			d.problemf(at, "%q is no short service name: expected one such as %q", service, "ecr.api")
		case service == "s3":
			d.problemf(at, "%q always has a gateway endpoint, which costs nothing: remove it", service)
		case slices.Contains(n.InterfaceEndpoints[:i], service):
			d.problemf(at, "%q is listed twice", service)
		}
	}
	checkRetention(d, "network.flowLogsRetentionDays", n.FlowLogsRetentionDays)
}

func (n *Network) checkZones(d *decoder, region string) {
	if len(n.Zones) < 2 {
		d.problemf("network.zones", "%d given: EKS needs at least two availability zones, such as [a, b]", len(n.Zones))
	}
	for i, zone := range n.Zones {
		letter, inRegion := strings.CutPrefix(zone, region)
		switch {
		case d.failed("region"):
		case !inRegion || len(letter) != 1 || letter[0] < 'a' || letter[0] > 'z':
			d.problemf(index("network.zones", i), "%q is no availability zone of %s: expected a letter or a name such as %q",
				zone, region, region+"a")
		case slices.Contains(n.Zones[:i], zone):
			d.problemf(index("network.zones", i), "zone %q is listed twice", zone)
		}
	}
}

// checkSubnets lets the planner say whether the subnets fit, once the range and the
// zones are right as such.
func (n *Network) checkSubnets(d *decoder) {
	if d.failed("network.cidr") || d.failed("network.zones") {
		return
	}
	_, err := cidr.New(cidr.Request{
		VPC: n.CIDR, Zones: n.Zones, PrivatePrefix: n.PrivatePrefix, PublicPrefix: n.PublicPrefix,
	})
	if err != nil {
		setting, message, _ := strings.Cut(err.Error(), ": ")
		d.problem("network."+setting, message)
	}
}

func (c *Config) checkCluster(d *decoder) {
	k := &c.Cluster
	if d.required("cluster.version") && !slices.Contains(ekscluster.SupportedVersions, k.Version) {
		d.problemf("cluster.version", "Kubernetes %q is not supported: expected one of %s",
			k.Version, quoted(ekscluster.SupportedVersions))
	}
	for i, ipRange := range k.PublicAccessCIDRs {
		checkPublicRange(d, index("cluster.publicAccessCidrs", i), ipRange)
	}
	for i, arn := range k.Admins {
		if !principalForm.MatchString(arn) {
			d.problemf(index("cluster.admins", i), "%q is no ARN of an IAM role or user: expected one such as %q",
				arn, "arn:aws:iam::123456789012:role/platform-admin")
		} else if slices.Contains(k.Admins[:i], arn) {
			d.problemf(index("cluster.admins", i), "%q is listed twice", arn)
		}
	}
	checkRetention(d, "cluster.logRetentionDays", k.LogRetentionDays)
	if !d.required("cluster.nodeGroups") {
		return
	}
	if len(k.NodeGroups) == 0 {
		d.problem("cluster.nodeGroups", "the list is empty: a cluster needs at least one node group")
	}
	names := map[string]bool{}
	for i, g := range k.NodeGroups {
		at := index("cluster.nodeGroups", i)
		g.check(d, at)
		if names[g.Name] {
			d.problemf(at+".name", "there is another node group %q: names are unique in a cluster", g.Name)
		}
		names[g.Name] = true
	}
}

func (g *NodeGroup) check(d *decoder, at string) {
	if d.required(at + ".name") {
		checkName(d, at+".name", g.Name)
	}
	if d.required(at+".instanceTypes") && len(g.InstanceTypes) == 0 {
		d.problem(at+".instanceTypes", `the list is empty: expected EC2 instance types such as ["m6i.large"]`)
	}
	for i, it := range g.InstanceTypes {
		if !instanceTypeForm.MatchString(it) {
			d.problemf(index(at+".instanceTypes", i), "%q is no EC2 instance type: expected one such as %q", it, "m6i.large")
		}
	}
	switch {
	case !d.required(at + ".max"):
	case g.Min < 0:
		d.problemf(at+".min", "%d nodes is less than none", g.Min)
	case g.Max < 1:
		d.problemf(at+".max", "%d is too few: EKS wants a maximum of at least 1", g.Max)
	case g.Min > g.Max:
		d.problemf(at+".min", "the minimum of %d nodes is above the maximum of %d: lower min or raise max", g.Min, g.Max)
	case g.Desired < g.Min || g.Desired > g.Max:
		d.problemf(at+".desired", "%d nodes is outside of min %d to max %d", g.Desired, g.Min, g.Max)
	}
	if g.DiskGiB < 20 || g.DiskGiB > 16384 {
		d.problemf(at+".diskGiB", "%d GiB is no usable size: expected 20 (what the node image needs) to 16384", g.DiskGiB)
	}
}

// checkRole checks the keys that only one role has.
func (c *Config) checkRole(d *decoder) {
	switch c.Role {
	case Tooling:
		if d.has("toolingStack") {
			d.problem("toolingStack", "only an application stack has this key: remove it")
		}
		switch zone := c.PrivateZone; {
		case !domainForm.MatchString(zone):
			d.problemf("privateZone", "%q is no domain name: expected one such as %q", zone, "tooling.internal")
		case strings.HasSuffix(zone, ".local"):
			d.problemf("privateZone", "%q ends in %q, which belongs to multicast DNS: use one such as %q",
				zone, ".local", "tooling.internal")
		}
		c.checkVault(d)
		c.checkVaultInside(d)
		if d.has("vpn") && d.required("vpn.clientCidr") {
			c.checkVPN(d)
		}
	case Application:
		for _, key := range c.toolingKeys(d) {
			if d.has(key) {
				d.problem(key, "only a tooling stack has this key: the application stack reads it from there, remove it")
			}
		}
		c.checkVaultInside(d)
		if c.ToolingStack == "" {
			d.problemf("toolingStack", "required, because the stack's name %q does not begin with %q: "+
				"name the stack whose Vault is used", c.Stack, Application)
		}
	}
}

// toolingKeys are the keys that an application stack does not have.
func (c *Config) toolingKeys(d *decoder) []string {
	keys := []string{"privateZone", "vpn", "gitlab"}
	for field := range reflect.TypeFor[Vault]().Fields() {
		if key := field.Tag.Get("config"); key != "" && !slices.Contains(applicationVaultKeys, key) {
			keys = append(keys, "vault."+key)
		}
	}
	return keys
}

// checkVPCRange holds the limits of a VPC's range, see
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html.
func checkVPCRange(d *decoder, path, value string) {
	vpc, err := cidr.Parse(value)
	switch {
	case err != nil:
		d.problem(path, err.Error())
	case vpc.Bits() < cidr.MinPrefix:
		d.problemf(path, "%s is too large: a VPC has at most /%d", vpc, cidr.MinPrefix)
	case !vpc.Addr().IsPrivate() && !carrierGrade.Contains(vpc.Addr()):
		d.problemf(path, "%s is public address space: choose from 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or %s",
			vpc, carrierGrade)
	}
}

// checkPublicRange refuses what EKS refuses for the public endpoint, and the whole
// internet, because the Kubernetes API is never open to everyone here.
func checkPublicRange(d *decoder, path, value string) {
	r, err := cidr.Parse(value)
	switch {
	case err != nil:
		d.problem(path, err.Error())
	case r.Bits() < ekscluster.MinPublicBits:
		d.problemf(path, "%s opens the Kubernetes API to the whole internet: "+
			"list the ranges that you work from, or none for a private API", r)
	case r.Addr().IsPrivate() || r.Addr().IsLoopback() || r.Addr().IsLinkLocalUnicast():
		d.problemf(path, "%s is private address space, which EKS refuses here: "+
			"from inside the VPC the API is reached by its private endpoint", r)
	}
}

func checkRetention(d *decoder, path string, days int) {
	if !slices.Contains(retentions, days) {
		d.problemf(path, "%d days is no retention of CloudWatch Logs: expected one of %s",
			days, strings.Trim(fmt.Sprint(retentions), "[]"))
	}
}
