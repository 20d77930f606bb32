package privatezone_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/privatezone"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const (
	zoneType        = "aws:route53/zone:Zone"
	recordType      = "aws:route53/record:Record"
	associationType = "aws:route53/zoneAssociation:ZoneAssociation"
)

var testTags = tags.Tags{"environment": "test"}

// zone runs a program with a zone, one more VPC and two records, as a stack has
// them.
func zone(change func(*privatezone.Args)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		s, err := pulumitest.NewSurroundings(ctx, testTags)
		if err != nil {
			return err
		}
		args := &privatezone.Args{
			Domain: "tooling.internal", VPCID: s.VPCID, Region: pulumitest.Region, Tags: testTags, Protect: true,
		}
		if change != nil {
			change(args)
		}
		z, err := privatezone.New(ctx, "tooling", args, pulumi.Providers(s.AWS))
		if err != nil {
			return err
		}
		_, err = privatezone.Associate(ctx, "surroundings-association", &privatezone.AssociateArgs{
			ZoneID: z.ZoneID, VPCID: pulumi.String("vpc-0123456789abcdef0"), Region: "eu-west-1",
		}, pulumi.Parent(s))
		if err != nil {
			return err
		}
		_, err = privatezone.NewRecord(ctx, "surroundings-database", &privatezone.RecordArgs{
			ZoneID: z.ZoneID, Name: "database.tooling.internal", Type: "CNAME",
			Values: pulumi.StringArray{pulumi.String("db.example.com")},
		}, pulumi.Parent(s))
		if err != nil {
			return err
		}
		_, err = privatezone.NewRecord(ctx, "surroundings-front", &privatezone.RecordArgs{
			ZoneID: z.ZoneID, Name: "front.tooling.internal", Type: "A",
			Alias: &privatezone.Alias{DNSName: pulumi.String("front.elb.amazonaws.com"), ZoneID: pulumi.String("Z1"), EvaluateTargetHealth: true},
		}, pulumi.Parent(s))
		return err
	}
}

func TestZone(t *testing.T) {
	g := pulumitest.RunBoth(t, zone(nil), pulumitest.Options{})
	g.CheckParents(t)
	g.CheckNames(t)
	g.CheckOutputs(t)
	g.CheckTags(t, testTags)
	g.CheckProviders(t, "aws")
	g.CheckProtect(t, true)

	component := g.Get(t, "strongroom:privatezone:PrivateZone", "tooling")
	require.Equal(t, []string{"tooling-zone"}, g.Names(zoneType))
	made := g.Get(t, zoneType, "tooling-zone")
	require.Equal(t, component, g.ParentOf(made))
	require.Equal(t, map[string]any{
		"name":    "tooling.internal",
		"comment": "Private names of tooling",
		"vpcs":    []any{map[string]any{"vpcId": vpcOf(t, g).ID, "vpcRegion": pulumitest.Region}},
		"tags":    map[string]any{"environment": "test", "Name": "tooling"},
	}, without(made.Plain(), "__defaults", "forceDestroy"))
	require.NotEqual(t, true, made.Get("forceDestroy"), "records of others must stop a deletion")

	require.Equal(t, "tooling.internal", component.Get("domain"))
	require.Equal(t, made.ID, component.Output("zoneId"))
	require.Equal(t, "tooling.internal", component.Output("domain"))
	for _, output := range []string{"zoneId", "arn", "domain"} {
		require.NotEmpty(t, component.Output(output))
		require.False(t, component.IsSecretOutput(output), output)
	}
}

// The zone's list of VPCs grows with every association, which must not be undone;
// a new VPC in the place of the first one must be seen all the same.
func TestZoneKeepsTheAssociationsOfOthers(t *testing.T) {
	g := pulumitest.Run(t, zone(nil), pulumitest.Options{})
	made := g.Get(t, zoneType, "tooling-zone")
	require.Equal(t, []string{"vpcs"}, made.IgnoreChanges)
	require.Equal(t, vpcOf(t, g).ID, made.ReplacementTrigger)
}

func TestProtectIsASwitch(t *testing.T) {
	g := pulumitest.Run(t, zone(func(a *privatezone.Args) { a.Protect = false }), pulumitest.Options{})
	require.False(t, g.Get(t, zoneType, "tooling-zone").Protect)
}

func TestAssociate(t *testing.T) {
	g := pulumitest.Run(t, zone(nil), pulumitest.Options{})
	association, made := g.Get(t, associationType, "surroundings-association"), g.Get(t, zoneType, "tooling-zone")
	require.Equal(t, made.ID, association.Get("zoneId"))
	require.Equal(t, "vpc-0123456789abcdef0", association.Get("vpcId"))
	require.Equal(t, "eu-west-1", association.Get("vpcRegion"))
	require.True(t, g.DependsOn(association, made), "the association goes before the zone")
}

func TestRecords(t *testing.T) {
	g := pulumitest.Run(t, zone(nil), pulumitest.Options{})
	made := g.Get(t, zoneType, "tooling-zone")

	values := g.Get(t, recordType, "surroundings-database")
	require.Equal(t, "CNAME", values.Get("type"))
	require.Equal(t, 60.0, values.Get("ttl"))
	require.Equal(t, []any{"db.example.com"}, values.Get("records"))
	require.Nil(t, values.Get("aliases"))

	alias := g.Get(t, recordType, "surroundings-front")
	require.Equal(t, "A", alias.Get("type"))
	require.Nil(t, alias.Get("ttl"), "AWS refuses a ttl beside an alias")
	require.Nil(t, alias.Get("records"))
	require.Equal(t, []any{map[string]any{"name": "front.elb.amazonaws.com", "zoneId": "Z1", "evaluateTargetHealth": true}}, alias.Get("aliases"))

	for _, record := range []*pulumitest.Resource{values, alias} {
		require.Equal(t, made.ID, record.Get("zoneId"))
		require.True(t, g.DependsOn(record, made), "%s: a zone with records is not deleted", record)
	}
}

func TestValidate(t *testing.T) {
	long := strings.Repeat("long.", 51) + "internal"
	for name, test := range map[string]struct {
		change func(*privatezone.Args)
		want   string
	}{
		"no domain":       {func(a *privatezone.Args) { a.Domain = "" }, `domain "" is not a domain in lower case with at least two parts: use one such as "tooling.internal"`},
		"one part":        {func(a *privatezone.Args) { a.Domain = "internal" }, `domain "internal" is not a domain in lower case with at least two parts: use one such as "tooling.internal"`},
		"upper case":      {func(a *privatezone.Args) { a.Domain = "Tooling.internal" }, `domain "Tooling.internal" is not a domain in lower case`},
		"a dot at an end": {func(a *privatezone.Args) { a.Domain = "tooling.internal." }, `domain "tooling.internal." is not a domain in lower case`},
		"too long":        {func(a *privatezone.Args) { a.Domain = long }, `domain "` + long + `" is not a domain in lower case`},
		"multicast":       {func(a *privatezone.Args) { a.Domain = "tooling.local" }, `domain "tooling.local" ends in ".local", which belongs to multicast DNS: use ".internal"`},
		"no vpc":          {func(a *privatezone.Args) { a.VPCID = nil }, `vpcId is missing: give the VPC that resolves the names first`},
		"no region":       {func(a *privatezone.Args) { a.Region = "" }, `region is missing: give that of the VPC`},
		"a zone":          {func(a *privatezone.Args) { a.Region = "eu-central-1a" }, `region "eu-central-1a" is not an AWS region: use one such as "eu-central-1"`},
		"tags":            {func(a *privatezone.Args) { a.Tags = tags.Tags{"aws:x": "y"} }, `tags: key "aws:x" starts with "aws:", which AWS keeps for itself: use another prefix`},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := pulumitest.RunErr(zone(test.change), pulumitest.Options{})
			require.ErrorContains(t, err, `private zone "tooling": `+test.want)
			require.Empty(t, g.OfType("strongroom:privatezone:PrivateZone"))
			require.Empty(t, g.OfType(zoneType))
		})
	}
	_, err := privatezone.New(nil, "tooling", nil)
	require.EqualError(t, err, `private zone "tooling": the arguments are nil`)
}

func TestAssociateValidates(t *testing.T) {
	for want, change := range map[string]func(*privatezone.AssociateArgs){
		"zoneId is missing: give the zone whose names are to be resolved":       func(a *privatezone.AssociateArgs) { a.ZoneID = nil },
		"vpcId is missing: give the VPC that is to resolve them":                func(a *privatezone.AssociateArgs) { a.VPCID = nil },
		"region is missing: give that of the VPC":                               func(a *privatezone.AssociateArgs) { a.Region = "" },
		`region "Ireland" is not an AWS region: use one such as "eu-central-1"`: func(a *privatezone.AssociateArgs) { a.Region = "Ireland" },
	} {
		t.Run(want, func(t *testing.T) {
			args := &privatezone.AssociateArgs{ZoneID: pulumi.String("Z1"), VPCID: pulumi.String("vpc-1"), Region: "eu-west-1"}
			change(args)
			g, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
				_, err := privatezone.Associate(ctx, "join", args)
				return err
			}, pulumitest.Options{})
			require.ErrorContains(t, err, `zone association "join": `+want)
			require.Empty(t, g.Resources)
		})
	}
	_, err := privatezone.Associate(nil, "join", nil)
	require.EqualError(t, err, `zone association "join": the arguments are nil`)
}

func TestRecordValidates(t *testing.T) {
	alias := &privatezone.Alias{DNSName: pulumi.String("x"), ZoneID: pulumi.String("Z2")}
	for name, test := range map[string]struct {
		change func(*privatezone.RecordArgs)
		want   string
	}{
		"no zone":       {func(a *privatezone.RecordArgs) { a.ZoneID = nil }, "zoneId is missing: give the zone that the name belongs to"},
		"no name":       {func(a *privatezone.RecordArgs) { a.Name = "" }, `name "" is not a full domain name in lower case: use one such as "vault.tooling.internal"`},
		"short name":    {func(a *privatezone.RecordArgs) { a.Name = "vault" }, `name "vault" is not a full domain name in lower case`},
		"type":          {func(a *privatezone.RecordArgs) { a.Type = "NS" }, `type "NS" is not one that a private zone takes: use one such as A, CNAME or TXT`},
		"negative ttl":  {func(a *privatezone.RecordArgs) { a.TTLSeconds = -1 }, "ttlSeconds -1 is out of range: use 1 to 604800 (one week), or 0 for 60"},
		"ttl of a year": {func(a *privatezone.RecordArgs) { a.TTLSeconds = 31536000 }, "ttlSeconds 31536000 is out of range"},
		"nothing":       {func(a *privatezone.RecordArgs) { a.Values = nil }, "values and alias: give one of them"},
		"both":          {func(a *privatezone.RecordArgs) { a.Alias = alias }, "values and alias: give one of them"},
		"half an alias": {func(a *privatezone.RecordArgs) {
			a.Values, a.Alias = nil, &privatezone.Alias{ZoneID: pulumi.String("Z2")}
		}, "alias: dnsName or zoneId is missing: give both"},
		"ttl of an alias": {func(a *privatezone.RecordArgs) { a.Values, a.Alias, a.TTLSeconds = nil, alias, 5 }, "ttlSeconds: an alias has the ttl of its target: leave it out"},
	} {
		t.Run(name, func(t *testing.T) {
			args := &privatezone.RecordArgs{
				ZoneID: pulumi.String("Z1"), Name: "vault.tooling.internal", Type: "A",
				Values: pulumi.StringArray{pulumi.String("10.0.0.1")},
			}
			test.change(args)
			g, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
				_, err := privatezone.NewRecord(ctx, "vault", args)
				return err
			}, pulumitest.Options{})
			require.ErrorContains(t, err, `record "vault": `+test.want)
			require.Empty(t, g.Resources)
		})
	}
	_, err := privatezone.NewRecord(nil, "vault", nil)
	require.EqualError(t, err, `record "vault": the arguments are nil`)
}

// The checks that TestZone relies on see a zone that is not protected, and one
// without its tags.
func TestChecksSeeABrokenZone(t *testing.T) {
	g := pulumitest.Run(t, zone(func(a *privatezone.Args) { a.Protect, a.Tags = false, nil }), pulumitest.Options{})
	require.Equal(t, []string{`aws:route53/zone:Zone "tooling-zone": protect is false, want true`},
		pulumitest.Failures(t, func(t testing.TB) { g.CheckProtect(t, true) }))
	require.Equal(t, []string{`aws:route53/zone:Zone "tooling-zone": tag "environment" is <nil>, want "test"`},
		pulumitest.Failures(t, func(t testing.TB) { g.CheckTags(t, testTags) }))
}

func vpcOf(t *testing.T, g *pulumitest.Graph) *pulumitest.Resource {
	t.Helper()
	return g.Get(t, "aws:ec2/vpc:Vpc", "surroundings-vpc")
}

func without(m map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		delete(m, key)
	}
	return m
}
