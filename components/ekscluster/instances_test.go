package ekscluster

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAMIType(t *testing.T) {
	for instanceType, want := range map[string]string{
		"m7i.large": "AL2023_x86_64_STANDARD", "m7i-flex.large": "AL2023_x86_64_STANDARD", "t3.medium": "AL2023_x86_64_STANDARD",
		"g5.xlarge": "AL2023_x86_64_STANDARD", "c7a.large": "AL2023_x86_64_STANDARD", "u-6tb1.112xlarge": "AL2023_x86_64_STANDARD",
		"m7g.large": "AL2023_ARM_64_STANDARD", "m7gd.large": "AL2023_ARM_64_STANDARD", "c6gn.large": "AL2023_ARM_64_STANDARD",
		"t4g.medium": "AL2023_ARM_64_STANDARD", "g5g.xlarge": "AL2023_ARM_64_STANDARD", "a1.large": "AL2023_ARM_64_STANDARD",
		"im4gn.large": "AL2023_ARM_64_STANDARD", "x2gd.large": "AL2023_ARM_64_STANDARD",
	} {
		got, err := NodeGroup{InstanceTypes: []string{instanceType}}.amiType()
		require.NoError(t, err)
		require.Equal(t, want, got, instanceType)
	}
}
