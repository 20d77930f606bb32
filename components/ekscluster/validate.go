package ekscluster

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

var (
	nameForm        = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z-]*$`)
	clusterNameForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$`)
	groupNameForm   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$`)
	addonNameForm   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,98}[a-z0-9])?$`)
	labelKeyForm    = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	labelValueForm  = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)
)

// retentions are what CloudWatch Logs takes:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html.
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// maxName leaves room in the 64 characters of an IAM role's name for
// "-aws-ebs-csi-driver-role" and the 8 that Pulumi appends.
const maxName = 32

func checkName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("cluster component %q: the name becomes part of IAM role names: use letters, digits and hyphens, beginning with a letter", name)
	}
	if len(name) > maxName {
		return fmt.Errorf("cluster component %q: the name has %d characters, but IAM role names end at 64: use at most %d", name, len(name), maxName)
	}
	return nil
}

// Validate reports the first argument that AWS would refuse, by its key in the
// configuration.
func (a *Args) Validate() error {
	switch {
	case a == nil:
		return errors.New("cluster: the arguments are nil")
	case !clusterNameForm.MatchString(a.ClusterName):
		return fmt.Errorf("cluster.name: %q is not a cluster name: use at most 100 letters, digits, hyphens and underscores, beginning with a letter or digit", a.ClusterName)
	case !slices.Contains(SupportedVersions, a.Version):
		return fmt.Errorf("cluster.version: Kubernetes %q is not supported: use one of %s", a.Version, strings.Join(SupportedVersions, ", "))
	case a.VPCID == nil:
		return errors.New("cluster.vpcId is missing: give the VPC that the subnets are in")
	case a.PrivateSubnetIDs == nil:
		return errors.New("cluster.privateSubnetIds are missing: give private subnets of at least two zones")
	case a.LogRetentionDays != 0 && !slices.Contains(retentions, a.LogRetentionDays):
		return fmt.Errorf("cluster.logRetentionDays: CloudWatch Logs does not take %d: use one of %s", a.LogRetentionDays, join(retentions))
	case a.KMSDeletionWindowDays != 0 && (a.KMSDeletionWindowDays < minKMSDeletionWindowDays || a.KMSDeletionWindowDays > maxKMSDeletionWindowDays):
		return fmt.Errorf("cluster.kmsDeletionWindowDays: %d is out of range: use %d to %d", a.KMSDeletionWindowDays, minKMSDeletionWindowDays, maxKMSDeletionWindowDays)
	}
	for _, check := range []func() error{
		a.validatePublicAccess, a.validateAdmins, a.validateLogTypes, a.validateNodeGroups, a.validateAddons, a.Tags.Validate,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// MinPublicBits is the shortest prefix of a range that reaches the Kubernetes
// API over the internet. Nobody comes from more than a 256th of it, and with
// shorter prefixes two ranges would be enough to open the API to everyone.
const MinPublicBits = 8

// maxPublicRanges is EKS's limit:
// https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html.
const maxPublicRanges = 40

func (a *Args) validatePublicAccess() error {
	if len(a.PublicAccessCIDRs) > maxPublicRanges {
		return fmt.Errorf("cluster.publicAccessCidrs: %d ranges are given, EKS takes %d: join or remove some", len(a.PublicAccessCIDRs), maxPublicRanges)
	}
	seen := map[netip.Prefix]bool{}
	for _, cidr := range a.PublicAccessCIDRs {
		prefix, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil || !prefix.Addr().Is4():
			return fmt.Errorf("cluster.publicAccessCidrs: %q is no IPv4 range: use one such as %q", cidr, "198.51.100.0/24")
		case prefix != prefix.Masked():
			return fmt.Errorf("cluster.publicAccessCidrs: %q has bits set after its prefix: use %q", cidr, prefix.Masked())
		case prefix.Bits() < MinPublicBits:
			return fmt.Errorf("cluster.publicAccessCidrs: %q opens the Kubernetes API to everyone: name the ranges you come from, each of /%d or longer", cidr, MinPublicBits)
		case prefix.Addr().IsPrivate() || prefix.Addr().IsLoopback() || prefix.Addr().IsLinkLocalUnicast():
			return fmt.Errorf("cluster.publicAccessCidrs: %q is private, and does not occur on the internet: leave it out, the private endpoint needs no range", cidr)
		case seen[prefix]:
			return fmt.Errorf("cluster.publicAccessCidrs: %q is given twice: leave one out", cidr)
		}
		seen[prefix] = true
	}
	return nil
}

func (a *Args) validateAdmins() error {
	seen := map[string]string{}
	for _, arn := range a.Admins {
		if strings.Contains(arn, ":assumed-role/") {
			return fmt.Errorf("cluster.admins: %q is a session of a role: use the role itself, arn:aws:iam::<account>:role/<name>", arn)
		}
		if !adminForm.MatchString(arn) {
			return fmt.Errorf("cluster.admins: %q is not the ARN of an IAM role or user: use one such as %q", arn, "arn:aws:iam::123456789012:role/platform-admin")
		}
		if other, taken := seen[adminName(arn)]; taken {
			return fmt.Errorf("cluster.admins: %q and %q are the same role or user: leave one out", other, arn)
		}
		seen[adminName(arn)] = arn
	}
	return nil
}

func (a *Args) validateLogTypes() error {
	seen := map[string]bool{}
	for _, logType := range a.LogTypes {
		if !slices.Contains(allLogTypes, logType) {
			return fmt.Errorf("cluster.logTypes: %q is not a log of the control plane: use %s", logType, strings.Join(allLogTypes, ", "))
		}
		if seen[logType] {
			return fmt.Errorf("cluster.logTypes: %q is given twice: leave one out", logType)
		}
		seen[logType] = true
	}
	return nil
}

func (a *Args) validateNodeGroups() error {
	if len(a.NodeGroups) == 0 {
		return errors.New("cluster.nodeGroups: none is given: add one, or the add-ons have nowhere to run")
	}
	seen := map[string]bool{}
	for _, g := range a.NodeGroups {
		if err := g.validate(); err != nil {
			return fmt.Errorf("cluster.nodeGroups[%s]: %w", g.Name, err)
		}
		if seen[g.Name] {
			return fmt.Errorf("cluster.nodeGroups[%s]: the name is given twice: use names that differ", g.Name)
		}
		seen[g.Name] = true
	}
	return nil
}

func (g NodeGroup) validate() error {
	switch {
	case !groupNameForm.MatchString(g.Name):
		return fmt.Errorf("name %q is not possible: use at most 32 lower-case letters, digits and hyphens", g.Name)
	case len(g.InstanceTypes) == 0:
		return fmt.Errorf("instanceTypes are missing: give at least one, such as %q", "m7i.large")
	case g.Min < 0:
		return fmt.Errorf("min %d is negative: use 0 or more", g.Min)
	case g.Max < 1:
		return fmt.Errorf("max %d is too small: use 1 or more", g.Max)
	case g.Min > g.Max:
		return fmt.Errorf("min %d is greater than max %d: lower min or raise max", g.Min, g.Max)
	case g.Desired < g.Min || g.Desired > g.Max:
		return fmt.Errorf("desired %d is not between min %d and max %d: use a number that is", g.Desired, g.Min, g.Max)
	case g.DiskGiB != 0 && (g.DiskGiB < minDiskGiB || g.DiskGiB > maxDiskGiB):
		return fmt.Errorf("diskGiB %d is out of range: use %d to %d", g.DiskGiB, minDiskGiB, maxDiskGiB)
	case g.capacityType() != "ON_DEMAND" && g.capacityType() != "SPOT":
		return fmt.Errorf("capacityType %q is unknown: use ON_DEMAND or SPOT", g.CapacityType)
	}
	for i, instanceType := range g.InstanceTypes {
		if !instanceForm.MatchString(instanceType) {
			return fmt.Errorf("instanceTypes: %q is not an EC2 instance type: use one such as %q", instanceType, "m7i.large")
		}
		if slices.Contains(g.InstanceTypes[:i], instanceType) {
			return fmt.Errorf("instanceTypes: %q is given twice: leave one out", instanceType)
		}
	}
	if _, err := g.amiType(); err != nil {
		return err
	}
	return g.validateLabels()
}

func (g NodeGroup) validateLabels() error {
	keys := make([]string, 0, len(g.Labels))
	for key := range g.Labels {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		domain, _, prefixed := strings.Cut(key, "/")
		switch {
		case !labelKeyForm.MatchString(key) || prefixed && len(domain) > 253:
			return fmt.Errorf("labels: %q is not the key of a Kubernetes label: use at most 63 letters, digits, - _ and ., with a domain and / before them or without", key)
		case prefixed && reservedLabelDomain(domain):
			return fmt.Errorf("labels: %q belongs to Kubernetes or EKS: use a prefix of your own", key)
		case !labelValueForm.MatchString(g.Labels[key]):
			return fmt.Errorf("labels: %q, the value of %q, is not that of a Kubernetes label: use at most 63 letters, digits, - _ and ., beginning and ending with a letter or digit", g.Labels[key], key)
		}
	}
	return nil
}

func reservedLabelDomain(domain string) bool {
	for _, reserved := range []string{"kubernetes.io", "k8s.io", "eks.amazonaws.com"} {
		if domain == reserved || strings.HasSuffix(domain, "."+reserved) {
			return true
		}
	}
	return false
}

func (a *Args) validateAddons() error {
	seen := map[string]bool{}
	for _, addon := range a.addons() {
		if !addonNameForm.MatchString(addon.Name) {
			return fmt.Errorf("cluster.addons: %q is not the name of an EKS add-on: use one that `aws eks describe-addon-versions` lists", addon.Name)
		}
		if seen[addon.Name] {
			return fmt.Errorf("cluster.addons[%s]: the add-on is given twice: leave one out", addon.Name)
		}
		seen[addon.Name] = true
		if _, err := addon.configuration(traits[addon.Name]); err != nil {
			return fmt.Errorf("cluster.addons[%s]: %w", addon.Name, err)
		}
	}
	for _, name := range required {
		if !seen[name] {
			return fmt.Errorf("cluster.addons: %q is missing, and without it no node becomes ready: add it", name)
		}
	}
	return nil
}

func join(numbers []int) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(numbers)), ", "), "[]")
}
