package ekscluster

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	instanceForm = regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`)
	// familyForm takes apart "m7gd": series, generation and attributes.
	familyForm = regexp.MustCompile(`^[a-z]+\d+([a-z-]*)$`)
)

// arm reports whether an instance type has a Graviton processor, which is the
// attribute "g" after the generation (m7g, c6gn, g5g, but not g5), or a1:
// https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html.
func arm(instanceType string) bool {
	family, _, _ := strings.Cut(instanceType, ".")
	if family == "a1" {
		return true
	}
	parts := familyForm.FindStringSubmatch(family)
	return parts != nil && strings.Contains(parts[1], "g")
}

// amiType is the Amazon Linux 2023 image for the group's processors, without
// drivers for GPUs.
func (g NodeGroup) amiType() (string, error) {
	for _, instanceType := range g.InstanceTypes {
		if arm(instanceType) != arm(g.InstanceTypes[0]) {
			return "", fmt.Errorf("instanceTypes: %q and %q have different processors: put them into different groups", g.InstanceTypes[0], instanceType)
		}
	}
	if len(g.InstanceTypes) > 0 && arm(g.InstanceTypes[0]) {
		return "AL2023_ARM_64_STANDARD", nil
	}
	return "AL2023_x86_64_STANDARD", nil
}
