package stacks

import (
	"maps"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/clientvpn"
	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/components/vaultconfig"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

func sampleContract() *Contract {
	return &Contract{
		Region:  "eu-west-1",
		VPCID:   pulumi.String("vpc-1"),
		VPCCIDR: "10.10.0.0/16",
		RouteTables: []network.RouteTable{
			{Name: "public", ID: pulumi.String("rtb-1")},
			{Name: "private-a", ID: pulumi.String("rtb-2")},
		},
		VPNClientCIDR: "10.100.0.0/22",
		VPNEndpointID: pulumi.String("cvpn-endpoint-1"),
		VPNSubnets: []clientvpn.Subnet{
			{Name: "a", ID: pulumi.String("subnet-1")},
			{Name: "b", ID: pulumi.String("subnet-2")},
		},
		ZoneID:               pulumi.String("Z1"),
		ZoneName:             "tooling.internal",
		VaultHostname:        "vault.tooling.internal",
		VaultPort:            8200,
		VaultSecurityGroupID: pulumi.String("sg-1"),
		VaultKubeconfig:      pulumi.String("{}"),
		VaultCACertificates:  pulumi.String("-----BEGIN CERTIFICATE-----"),
		VaultInside: &VaultInside{
			KVMount: "secret", DatabaseMount: "database", Applications: []string{"application"},
			Databases: []vaultconfig.Database{{Name: "orders", Engine: "postgresql", Database: "shop"}},
		},
	}
}

// exported returns the contract as a stack exports it.
func exported(t *testing.T, c *Contract) resource.PropertyMap {
	t.Helper()
	g := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		c.write(ctx)
		return nil
	}, pulumitest.Options{Stack: "tooling"})
	return g.Outputs
}

// read runs readContract in an application stack beside a tooling stack with the
// given outputs; nil outputs mean that there is no such stack.
func read(t *testing.T, outputs resource.PropertyMap, unknown bool) (*Contract, *pulumitest.Graph, error) {
	t.Helper()
	others := map[string]resource.PropertyMap{}
	if outputs != nil {
		others["organization/strongroom/tooling"] = outputs
	}
	var c *Contract
	g, err := pulumitest.RunErr(func(ctx *pulumi.Context) (err error) {
		c, err = readContract(ctx, "tooling")
		return err
	}, pulumitest.Options{Stack: "application", StackOutputs: others, Unknown: unknown})
	return c, g, err
}

func TestContractIsReadAsItWasWritten(t *testing.T) {
	for _, unknown := range []bool{false, true} { // in a preview too, the tooling stack is up
		c, _, err := read(t, exported(t, sampleContract()), unknown)
		require.NoError(t, err)
		assert.Equal(t, sampleContract(), c)
	}
	without := sampleContract()
	without.VPNClientCIDR, without.VPNEndpointID, without.VPNSubnets = "", pulumi.String(""), nil
	without.VaultInside = nil
	c, _, err := read(t, exported(t, without), false)
	require.NoError(t, err)
	assert.Equal(t, without, c)
}

func TestContractIsNotSecret(t *testing.T) {
	assert.False(t, exported(t, sampleContract()).ContainsSecrets())
}

// The application before the tooling: whatever is missing is named, with the
// remedy, and nothing but the reference is registered.
func TestApplicationBeforeTooling(t *testing.T) {
	for _, tt := range []struct {
		name    string
		outputs resource.PropertyMap
		want    string
	}{
		{"no such stack", nil, "stack \"tooling\" cannot be read, run `strongroom up tooling` first: "},
		{"stack without outputs", resource.PropertyMap{},
			"stack \"tooling\" is not up, it has no output \"contract\": run `strongroom up tooling` first"},
		{"secret contract", resource.PropertyMap{"contract": resource.MakeSecret(exported(t, sampleContract())["contract"])},
			"output \"contract\" of stack \"tooling\" is secret, which a contract never is: run `strongroom up tooling` first"},
	} {
		for _, unknown := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				_, g, err := read(t, tt.outputs, unknown)
				require.Error(t, err)
				require.Contains(t, strings.Join(append(g.Logs, err.Error()), "\n"), tt.want)
				for _, r := range g.Resources {
					assert.Equal(t, "pulumi:pulumi:StackReference", r.Type)
				}
			})
		}
	}
}

func TestBadContract(t *testing.T) {
	good := func() map[string]any {
		return map[string]any{
			"version": 3.0, "region": "eu-west-1", "vpcId": "vpc-1", "vpcCidr": "10.10.0.0/16",
			"routeTables":   []any{map[string]any{"name": "public", "id": "rtb-1"}},
			"vpnClientCidr": "", "vpnEndpointId": "", "vpnSubnets": []any{}, "zoneId": "Z1", "zoneName": "tooling.internal",
			"vaultHostname": "vault.tooling.internal", "vaultPort": 8200.0, "vaultSecurityGroupId": "sg-1",
			"vaultKubeconfig": "{}", "vaultCaCertificates": "ca", "vaultInside": map[string]any{},
		}
	}
	_, err := parseContract("tooling", good())
	require.NoError(t, err)

	// Every field is required: without it, its name is in the error.
	for key := range maps.Keys(good()) {
		t.Run("without "+key, func(t *testing.T) {
			value := good()
			delete(value, key)
			_, err := parseContract("tooling", value)
			require.ErrorContains(t, err, "output \"contract."+key+"\" of stack \"tooling\": is missing")
			require.ErrorContains(t, err, "run `strongroom up tooling` first")
		})
	}

	for _, tt := range []struct {
		name  string
		key   string
		value any
		want  string
	}{
		{"newer version", "version", 4.0,
			"the contract of stack \"tooling\" has version 4 and this program reads version 3: run `strongroom up tooling` first with this program"},
		{"version of wrong type", "version", "1", `output "contract.version" of stack "tooling": expected a whole number, got string`},
		{"empty", "vpcId", "", `output "contract.vpcId" of stack "tooling": is empty`},
		{"wrong type", "vpcId", 1.0, `output "contract.vpcId" of stack "tooling": expected a string, got float64`},
		{"fraction", "vaultPort", 8200.5, `output "contract.vaultPort" of stack "tooling": expected a whole number, got float64`},
		{"no range", "vpcCidr", "10.10.0.0", `output "contract.vpcCidr" of stack "tooling": "10.10.0.0" is not a range`},
		{"no VPN range", "vpnClientCidr", "x", `output "contract.vpnClientCidr" of stack "tooling": "x" is not a range`},
		{"VPN without its endpoint", "vpnClientCidr", "10.100.0.0/22", `output "contract.vpnEndpointId" of stack "tooling": is empty, but there are VPN clients`},
		{"no list", "routeTables", "rtb-1", `output "contract.routeTables" of stack "tooling": expected a list, got string`},
		{"empty list", "routeTables", []any{}, `output "contract.routeTables" of stack "tooling": is empty: without a route back no answer arrives`},
		{"no object", "routeTables", []any{"rtb-1"}, `output "contract.routeTables[0]" of stack "tooling": expected an object, got string`},
		{"no inside", "vaultInside", "secret", `output "contract.vaultInside" of stack "tooling": expected an object, got string`},
		{"half an inside", "vaultInside", map[string]any{"kvMount": "secret"}, `output "contract.vaultInside.databaseMount" of stack "tooling": is missing`},
		{"no id", "routeTables", []any{map[string]any{"name": "public"}}, `output "contract.routeTables[0].id" of stack "tooling": is missing`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			value := good()
			value[tt.key] = tt.value
			_, err := parseContract("tooling", value)
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err = parseContract("tooling", "contract")
	require.ErrorContains(t, err, `output "contract" of stack "tooling" is a string instead of an object`)
}

func TestCheckAgainst(t *testing.T) {
	for cidr, want := range map[string]string{
		"10.20.0.0/16":   "",
		"10.10.0.0/16":   "config strongroom:network.cidr: 10.10.0.0/16 overlaps the VPC of stack \"tooling\", 10.10.0.0/16: choose a range that neither uses",
		"10.10.128.0/17": "config strongroom:network.cidr: 10.10.128.0/17 overlaps the VPC of stack",
		"10.100.0.0/16":  "config strongroom:network.cidr: 10.100.0.0/16 overlaps the VPN range of stack \"tooling\", 10.100.0.0/22",
	} {
		cfg := &Config{Stack: "application", ToolingStack: "tooling", Network: Network{CIDR: cidr}}
		err := cfg.checkAgainst(sampleContract())
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
}
