package network

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	nameForm    = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)
	regionForm  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d+$`)
	serviceForm = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)
)

// retentions are what CloudWatch Logs takes:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html.
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

const (
	// maxName leaves room in the 64 characters of an IAM role's name for
	// "-flow-logs-role" and the 8 that Pulumi appends.
	maxName = 41
	// maxTags leaves room in the 50 of AWS for Name and the role of a subnet.
	maxTags = 48
)

// Validate reports the first argument that AWS would refuse, by its key in the
// configuration.
func (a *Args) Validate(name string) error {
	switch {
	case a == nil:
		return fmt.Errorf("network %q: the arguments are nil", name)
	case len(name) > maxName:
		return fmt.Errorf("network %q: the name has %d characters, at most %d are possible, because IAM role names end at 64", name, len(name), maxName)
	case !nameForm.MatchString(name):
		return fmt.Errorf("network %q: the name becomes that of many resources: use letters, digits and single hyphens", name)
	}
	for _, check := range []func() error{
		a.validateZones, a.validateSubnets, a.validateNAT, a.validateEndpoints, a.validateFlowLogs, a.validateTags,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (a *Args) validateZones() error {
	if err := checkRegion(a.Region); err != nil {
		return fmt.Errorf("network.%w", err)
	}
	if len(a.Zones) < 2 {
		return fmt.Errorf("network.zones: %d given: EKS needs at least two availability zones, such as %q and %q", len(a.Zones), a.Region+"a", a.Region+"b")
	}
	for i, zone := range a.Zones {
		letter, inRegion := strings.CutPrefix(zone, a.Region)
		if !inRegion || len(letter) != 1 || letter < "a" || letter > "z" {
			return fmt.Errorf("network.zones: %q is not an availability zone of %s, such as %q", zone, a.Region, a.Region+"a")
		}
		if slices.Contains(a.Zones[:i], zone) {
			return fmt.Errorf("network.zones: %q is given twice", zone)
		}
	}
	return nil
}

func (a *Args) validateSubnets() error {
	if _, err := a.plan(); err != nil {
		return fmt.Errorf("network.%w", err)
	}
	return nil
}

func (a *Args) validateNAT() error {
	switch a.NAT {
	case NATNone, NATSingle, NATPerZone:
		return nil
	}
	return fmt.Errorf("network.nat: %q is not a NAT strategy: use %s, %s or %s", a.NAT, NATNone, NATSingle, NATPerZone)
}

func (a *Args) validateEndpoints() error {
	for i, service := range a.InterfaceEndpoints {
		switch {
		case !serviceForm.MatchString(service) || strings.HasPrefix(service, "com.amazonaws."):
			return fmt.Errorf("network.interfaceEndpoints: %q is not the short name of a service, such as %q", service, "ecr.api")
		case service == "s3":
			// The two would fight over the service's name in the VPC.
			return fmt.Errorf("network.interfaceEndpoints: %q always has a gateway endpoint, which costs nothing: leave it out", service)
		case slices.Contains(a.InterfaceEndpoints[:i], service):
			return fmt.Errorf("network.interfaceEndpoints: %q is given twice", service)
		}
	}
	return nil
}

func (a *Args) validateFlowLogs() error {
	if a.FlowLogsRetentionDays != 0 && !slices.Contains(retentions, a.FlowLogsRetentionDays) {
		return fmt.Errorf("network.flowLogsRetentionDays: CloudWatch Logs does not take %d: use one of %s", a.FlowLogsRetentionDays, join(retentions))
	}
	return nil
}

func (a *Args) validateTags() error {
	if len(a.Tags) > maxTags {
		return fmt.Errorf("tags: %d given, at most %d are possible (AWS allows 50, a subnet has two of its own)", len(a.Tags), maxTags)
	}
	return a.Tags.Validate()
}

// checkRegion starts its error with the name of the setting.
func checkRegion(region string) error {
	if region == "" {
		return errors.New("region: missing")
	}
	if !regionForm.MatchString(region) {
		return fmt.Errorf("region: %q is not an AWS region such as %q", region, "eu-central-1")
	}
	return nil
}

func join(numbers []int) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(numbers)), ", "), "[]")
}
