package endpoint_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/endpoint"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

func TestValidate(t *testing.T) {
	check := func(h endpoint.HealthCheck) func(*endpoint.Args) {
		return func(a *endpoint.Args) { a.HealthCheck = h }
	}
	ranges := func(cidrs ...string) func(*endpoint.Args) {
		return func(a *endpoint.Args) { a.AllowedCIDRs = cidrs }
	}
	for name, test := range map[string]struct {
		change func(*endpoint.Args)
		want   string
	}{
		"no vpc":              {func(a *endpoint.Args) { a.VPCID = nil }, "vpcId is missing: give the VPC that the subnets are in"},
		"no subnets":          {func(a *endpoint.Args) { a.SubnetIDs = nil }, "subnetIds are missing: give one private subnet per zone"},
		"no zone":             {func(a *endpoint.Args) { a.ZoneID = nil }, "zoneId is missing: give the private zone that the hostname belongs to"},
		"no hostname":         {func(a *endpoint.Args) { a.Hostname = "" }, `hostname "" is not a full domain name in lower case: use one such as "vault.tooling.internal"`},
		"short hostname":      {func(a *endpoint.Args) { a.Hostname = "vault" }, `hostname "vault" is not a full domain name in lower case`},
		"no port":             {func(a *endpoint.Args) { a.Port = 0 }, "port 0 is out of range: use 1 to 65535"},
		"port too large":      {func(a *endpoint.Args) { a.Port = 65536 }, "port 65536 is out of range: use 1 to 65535"},
		"check: port":         {check(endpoint.HealthCheck{Port: -1}), "healthCheck: port -1 is out of range: use 1 to 65535, or 0 for the pods' port"},
		"check: protocol":     {check(endpoint.HealthCheck{Protocol: "UDP"}), `healthCheck: protocol "UDP" is unknown: use TCP, HTTP or HTTPS`},
		"check: path of TCP":  {check(endpoint.HealthCheck{Path: "/"}), "healthCheck: a TCP check has neither path nor matcher: leave them out, or use HTTP or HTTPS"},
		"check: no path":      {check(endpoint.HealthCheck{Protocol: "HTTP"}), `healthCheck: path "" is not possible: use at most 1024 characters that start with /`},
		"check: relative":     {check(endpoint.HealthCheck{Protocol: "HTTP", Path: "x"}), `healthCheck: path "x" is not possible`},
		"check: matcher":      {check(endpoint.HealthCheck{Protocol: "HTTP", Path: "/", Matcher: "OK"}), `healthCheck: matcher "OK" is not a code, a range or a list of them: use one such as "200-299"`},
		"range":               {ranges("10.0.0.0"), `allowedCidrs: "10.0.0.0" is no IPv4 range: use one such as "10.0.0.0/16"`},
		"range: IPv6":         {ranges("fd00::/8"), `allowedCidrs: "fd00::/8" is no IPv4 range`},
		"range: bits":         {ranges("10.0.0.1/16"), `allowedCidrs: "10.0.0.1/16" has bits set after its prefix: use "10.0.0.0/16"`},
		"range: everyone":     {ranges("0.0.0.0/0"), `allowedCidrs: "0.0.0.0/0" lets everyone in: name the ranges of the clients, each of /8 or longer`},
		"range: half of them": {ranges("128.0.0.0/1"), `allowedCidrs: "128.0.0.0/1" lets everyone in`},
		"range: twice":        {ranges("10.0.0.0/16", "10.0.0.0/16"), `allowedCidrs: "10.0.0.0/16" is given twice: leave one out`},
		"tags":                {func(a *endpoint.Args) { a.Tags = tags.Tags{"aws:x": "y"} }, `tags: key "aws:x" starts with "aws:"`},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := pulumitest.RunErr(vault(test.change), pulumitest.Options{})
			require.ErrorContains(t, err, `endpoint "vault": `+test.want)
			require.Empty(t, g.OfType(componentType))
			require.Empty(t, g.OfType(groupType))
		})
	}
	_, err := endpoint.New(nil, "vault", nil)
	require.EqualError(t, err, `endpoint "vault": the arguments are nil`)
}

// The name becomes that of the load balancer, with "-lb", a hyphen and seven
// digits behind it.
func TestValidateName(t *testing.T) {
	args := &endpoint.Args{
		VPCID: pulumi.String("vpc-1"), SubnetIDs: pulumi.StringArray{pulumi.String("subnet-1")}, Port: 8200,
		ZoneID: pulumi.String("Z1"), Hostname: "vault.tooling.internal",
	}
	longest := strings.Repeat("v", 21)
	require.NoError(t, args.Validate(longest))
	require.LessOrEqual(t, len(longest+"-lb-1234567"), 32)
	for name, want := range map[string]string{
		longest + "v":   "the name has 22 characters, but load balancer names end at 32: use at most 21",
		"my_vault":      "the name becomes that of a load balancer: use letters, digits and single hyphens",
		"-vault":        "the name becomes that of a load balancer",
		"":              "the name becomes that of a load balancer",
		"internal-lb-1": `the name begins with "internal-", which AWS keeps for itself in load balancer names: use another`,
	} {
		require.ErrorContains(t, args.Validate(name), want, "name %q", name)
	}
}
