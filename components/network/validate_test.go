package network_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

func TestBadArguments(t *testing.T) {
	cases := map[string]struct {
		change func(*network.Args)
		want   string
	}{
		"no region":      {func(a *network.Args) { a.Region = "" }, "network.region: missing"},
		"region":         {func(a *network.Args) { a.Region = "Frankfurt" }, `network.region: "Frankfurt" is not an AWS region such as "eu-central-1"`},
		"no zone":        {func(a *network.Args) { a.Zones = nil }, `network.zones: 0 given: EKS needs at least two availability zones, such as "eu-central-1a" and "eu-central-1b"`},
		"one zone":       {func(a *network.Args) { a.Zones = a.Zones[:1] }, "network.zones: 1 given: EKS needs at least two"},
		"foreign zone":   {func(a *network.Args) { a.Zones[1] = "eu-west-1b" }, `network.zones: "eu-west-1b" is not an availability zone of eu-central-1, such as "eu-central-1a"`},
		"letter alone":   {func(a *network.Args) { a.Zones[1] = "b" }, `network.zones: "b" is not an availability zone`},
		"local zone":     {func(a *network.Args) { a.Zones[1] = "eu-central-1-ham-1a" }, "is not an availability zone"},
		"zone twice":     {func(a *network.Args) { a.Zones[1] = a.Zones[0] }, `network.zones: "eu-central-1a" is given twice`},
		"no range":       {func(a *network.Args) { a.CIDR = "" }, `network.cidr: missing: an IPv4 range such as "10.0.0.0/16" is expected`},
		"malformed":      {func(a *network.Args) { a.CIDR = "10.0.0.0" }, `network.cidr: "10.0.0.0" is not a range`},
		"too small":      {func(a *network.Args) { a.CIDR = "10.0.0.0/30" }, "network.cidr: 10.0.0.0/30 is too small for 3 zones: need at least /23"},
		"too large":      {func(a *network.Args) { a.CIDR = "10.0.0.0/8" }, "network.cidr: 10.0.0.0/8 is larger than AWS allows for a VPC"},
		"private prefix": {func(a *network.Args) { a.PrivatePrefix = 17 }, "network.privatePrefix: subnets of /17 are too large for 3 zones in any VPC: need at least 19"},
		"public prefix":  {func(a *network.Args) { a.PublicPrefix = 29 }, "network.publicPrefix: 29 is not a prefix length that AWS allows"},
		"no strategy":    {func(a *network.Args) { a.NAT = "" }, `network.nat: "" is not a NAT strategy: use none, single or perZone`},
		"strategy":       {func(a *network.Args) { a.NAT = "double" }, `network.nat: "double" is not a NAT strategy`},
		"service in full": {func(a *network.Args) { a.InterfaceEndpoints = []string{"com.amazonaws.eu-central-1.sts"} },
			`network.interfaceEndpoints: "com.amazonaws.eu-central-1.sts" is not the short name of a service, such as "ecr.api"`},
		"service empty": {func(a *network.Args) { a.InterfaceEndpoints = []string{""} }, `network.interfaceEndpoints: "" is not the short name`},
		"service twice": {func(a *network.Args) { a.InterfaceEndpoints = []string{"sts", "ecr.api", "sts"} }, `network.interfaceEndpoints: "sts" is given twice`},
		"s3":            {func(a *network.Args) { a.InterfaceEndpoints = []string{"s3"} }, `network.interfaceEndpoints: "s3" always has a gateway endpoint`},
		"retention":     {func(a *network.Args) { a.FlowLogsRetentionDays = 31 }, "network.flowLogsRetentionDays: CloudWatch Logs does not take 31: use one of 1, 3, 5"},
		"tag":           {func(a *network.Args) { a.Tags = tags.Tags{"aws:x": "y"} }, `tags: key "aws:x" starts with "aws:"`},
		"many tags": {func(a *network.Args) {
			a.Tags = tags.Tags{}
			for i := range 49 {
				a.Tags[fmt.Sprint("key-", i)] = "v"
			}
		}, "tags: 49 given, at most 48 are possible"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			args := sample()
			c.change(args)
			g, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
				_, err := network.New(ctx, "net", args)
				return err
			}, pulumitest.Options{})
			require.ErrorContains(t, err, c.want)
			assert.Empty(t, g.Resources, "nothing is registered before the arguments are right")
			assert.Empty(t, g.Calls)
		})
	}
}

func TestBadNames(t *testing.T) {
	for name, want := range map[string]string{
		strings.Repeat("n", 42): "the name has 42 characters, at most 41 are possible, because IAM role names end at 64",
		"":                      "use letters, digits and single hyphens",
		"a_b":                   "use letters, digits and single hyphens",
		"a--b":                  "use letters, digits and single hyphens",
	} {
		require.ErrorContains(t, sample().Validate(name), want)
	}
	require.NoError(t, sample().Validate(strings.Repeat("n", 41)))
	require.ErrorContains(t, (*network.Args)(nil).Validate("net"), `network "net": the arguments are nil`)
}
