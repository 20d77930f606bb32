package account

import (
	"regexp"
	"strings"
)

// images are the kinds of image that EKS has for nodes, with their processor.
// https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html
var images = map[string]string{
	"AL2023_x86_64_STANDARD":     "x86_64",
	"AL2023_ARM_64_STANDARD":     "arm64",
	"AL2023_x86_64_NEURON":       "x86_64",
	"AL2023_x86_64_NVIDIA":       "x86_64",
	"BOTTLEROCKET_ARM_64":        "arm64",
	"BOTTLEROCKET_x86_64":        "x86_64",
	"BOTTLEROCKET_ARM_64_NVIDIA": "arm64",
	"BOTTLEROCKET_x86_64_NVIDIA": "x86_64",
}

var instanceTypeForm = regexp.MustCompile(`^[a-z]+\d+([a-z-]*)\.[a-z0-9-]+$`)

// completeImage fills in what EKS chooses by itself.
func completeImage(o *Object) {
	o.Outputs["amiType"] = o.in().StringOr("amiType", "AL2023_x86_64_STANDARD")
	o.Outputs["capacityType"] = o.in().StringOr("capacityType", "ON_DEMAND")
	if !o.in().Has("instanceTypes") && !o.in().Has("launchTemplate") {
		o.Outputs["instanceTypes"] = list([]string{"t3.medium"})
	}
	if !o.in().Has("diskSize") && !o.in().Has("launchTemplate") {
		o.Outputs["diskSize"] = 20.0
	}
}

// checkImage refuses instance types that the image does not run on.
func checkImage(o *Object) error {
	image := o.out().String("amiType")
	for _, instanceType := range o.out().Strings("instanceTypes") {
		parts := instanceTypeForm.FindStringSubmatch(instanceType)
		if parts == nil {
			return refuse("InvalidParameterException", "The following supplied instance types do not exist: [%s]", instanceType)
		}
		processor := "x86_64"
		// Graviton is the letter g after the generation, as in m7g and c6gn, and a1.
		if strings.Contains(parts[1], "g") || strings.HasPrefix(instanceType, "a1.") {
			processor = "arm64"
		}
		if images[image] != processor {
			return refuse("InvalidParameterException", "[%s] is not a valid instance type for requested amiType %s", instanceType, image)
		}
	}
	return nil
}
