package awsprovider

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"
	"pgregory.net/rapid"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

func TestCheckCompletesInputsAndKeepsUnknownsAndSecrets(t *testing.T) {
	w := newWorld(t, nil)
	checked := propertyMap(t, w.check(subnet, m{
		"vpcId":     unknown(),
		"cidrBlock": "10.0.0.0/24",
		"tags":      m{"plain": "a", "hidden": secret("b"), "later": unknown()},
	}))
	require.True(t, checked["vpcId"].IsComputed())
	require.Equal(t, false, checked["mapPublicIpOnLaunch"].V, "the default")
	require.False(t, checked["tags"].IsSecret(), "only what was secret is")
	tags := checked["tags"].ObjectValue()
	require.True(t, tags["hidden"].IsSecret())
	require.False(t, tags["plain"].IsSecret())
	require.True(t, tags["later"].IsComputed())
	require.Contains(t, checked, resource.PropertyKey("__defaults"))
}

func TestCheckFailsPerProperty(t *testing.T) {
	for name, c := range map[string]struct {
		token          string
		inputs         m
		property, want string
	}{
		"wrong network":    {vpc, m{"cidrBlock": "10.0.0.0/8"}, "cidrBlock", "prefix length 8"},
		"a secret one":     {vpc, m{"cidrBlock": secret("172.16.1.0/12")}, "cidrBlock", "it is secret, so the reason, which quotes it, is not shown"},
		"missing":          {vpc, m{}, "cidrBlock", "is required"},
		"typing error":     {vpc, m{"cidrBlock": "10.0.0.0/16", "tag": m{}}, "tag", `did you mean "tags"?`},
		"wrong type":       {vpc, m{"cidrBlock": "10.0.0.0/16", "enableDnsSupport": "x"}, "enableDnsSupport", "expected true or false"},
		"not modelled":     {vpc, m{"cidrBlock": "10.0.0.0/16", "ipv6IpamPoolId": "x"}, "ipv6IpamPoolId", "is not modelled by the simulated AWS account"},
		"null in its list": {vpc, m{"cidrBlock": "10.0.0.0/16", "tags": []any{}}, "tags", "expected a map"},
	} {
		t.Run(name, func(t *testing.T) {
			checked, err := New(nil).Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(c.token), News: properties(t, c.inputs)})
			require.NoError(t, err)
			require.Len(t, checked.GetFailures(), 1)
			require.Equal(t, c.property, checked.GetFailures()[0].GetProperty())
			require.Contains(t, checked.GetFailures()[0].GetReason(), c.want)
			require.Contains(t, checked.GetFailures()[0].GetReason(), "simulated AWS account")
			require.NotContains(t, checked.GetFailures()[0].GetReason(), "172.")
		})
	}
}

func TestUnknownType(t *testing.T) {
	_, err := New(nil).Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf("aws:ec2/vpc:Vpcs")})
	require.ErrorContains(t, err, `"aws:ec2/vpc:Vpcs" is not one that the simulated AWS account knows`)
}

// A name that Check makes up stays as long as the resource, and is another one when the
// engine asks for a replacement.
func TestMadeUpNames(t *testing.T) {
	news := properties(t, m{"assumeRolePolicy": trust})
	name := func(olds *structpb.Struct, seed string) string {
		checked, err := New(nil).Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(role), Olds: olds, News: news, RandomSeed: []byte(seed)})
		require.NoError(t, err)
		require.Empty(t, checked.GetFailures())
		return plain(t, checked.GetInputs())["name"].(string)
	}
	first := name(nil, "a")
	require.Regexp(t, `^thing-[0-9a-f]{7}$`, first)
	require.Equal(t, first, name(nil, "a"), "a preview and its up agree")
	require.NotEqual(t, first, name(nil, "b"))
	require.Equal(t, first, name(properties(t, m{"assumeRolePolicy": trust, "name": first, "__defaults": []any{"name"}}), "b"))
}

// value draws a property value as the engine may send it.
func value(depth int) *rapid.Generator[resource.PropertyValue] {
	return rapid.Custom(func(t *rapid.T) resource.PropertyValue {
		kinds := 7
		if depth == 0 {
			kinds = 4
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return resource.NewProperty(rapid.String().Draw(t, "text"))
		case 1:
			return resource.NewProperty(rapid.Bool().Draw(t, "switch"))
		case 2:
			return resource.NewProperty(float64(rapid.IntRange(-9, 9).Draw(t, "number")))
		case 3:
			return unknown()
		case 4:
			return resource.MakeSecret(value(depth-1).Draw(t, "secret"))
		case 5:
			return resource.NewProperty(rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "list"))
		default:
			items := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,3}`), value(depth-1), 0, 3).Draw(t, "object")
			properties := resource.PropertyMap{}
			for k, v := range items {
				properties[resource.PropertyKey(k)] = v
			}
			return resource.NewProperty(properties)
		}
	})
}

// To the account and back, with the secrets put on again: the same values are in the
// same places, and nothing that was secret is in the open.
func TestPropertiesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := resource.PropertyMap{"a": value(3).Draw(t, "a"), "b": value(3).Draw(t, "b")}
		after := withSecrets(fromAccount(toAccount(before)), before)
		require.Equal(t, toAccount(before), toAccount(after))
		requireCovered(t, before["a"], after["a"])
		requireCovered(t, before["b"], after["b"])
	})
}

// requireCovered checks that every secret in before is one in after.
func requireCovered(t require.TestingT, before, after resource.PropertyValue) {
	switch {
	case after.IsSecret():
	case before.IsSecret():
		require.Fail(t, "a secret came into the open")
	case before.IsArray():
		for i, item := range before.ArrayValue() {
			requireCovered(t, item, after.ArrayValue()[i])
		}
	case before.IsObject():
		for key, item := range before.ObjectValue() {
			requireCovered(t, item, after.ObjectValue()[key])
		}
	}
}

func TestSecretOfAnotherForm(t *testing.T) {
	document := resource.PropertyMap{"policy": resource.NewProperty(resource.PropertyMap{"Statement": secret("x")})}
	text := fromAccount(m{"policy": `{"Statement":"x"}`})
	require.True(t, withSecrets(text, document)["policy"].IsSecret())

	short := resource.PropertyMap{"names": resource.NewProperty([]resource.PropertyValue{secret("x")})}
	long := fromAccount(m{"names": []any{"x", "y"}, "tagsAll": account.Unknown{}})
	require.True(t, withSecrets(long, short)["names"].IsSecret())
	require.False(t, withSecrets(long, short)["tagsAll"].IsSecret())
}

func TestSecretsAreTakenOutOfMessages(t *testing.T) {
	inputs := resource.PropertyMap{
		"a": secret("hidden"), "b": secret("hidden too"), "c": secret("x"), "d": resource.NewProperty("shown"),
		"e": resource.NewProperty([]resource.PropertyValue{resource.NewProperty(resource.PropertyMap{"f": secret("deeply")})}),
		"g": resource.NewProperty(resource.Output{Element: resource.NewProperty("output"), Known: true, Secret: true}),
	}
	require.Equal(t, "x [secret], [secret], shown, [secret], [secret]",
		withoutSecrets("x hidden too, hidden, shown, deeply, output", inputs))
}
