package awsprovider

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

func TestLifecycle(t *testing.T) {
	w := newWorld(t, nil)
	main := w.create(vpc, m{"cidrBlock": "10.0.0.0/16", "tags": m{"Name": "main"}})
	require.Regexp(t, `^vpc-`, main.id)
	require.Equal(t, m{"Name": "main"}, plain(t, main.state)["tagsAll"])
	part := w.create(subnet, m{"vpcId": main.id, "cidrBlock": "10.0.0.0/24"})

	read := w.refresh(w.Provider, main)
	require.Equal(t, main.id, read.GetId())
	require.Equal(t, plain(t, main.state), plain(t, read.GetProperties()))
	require.Equal(t, plain(t, main.inputs), plain(t, read.GetInputs()), "a refresh without drift changes nothing")

	updated, err := w.update(main, m{"cidrBlock": "10.0.0.0/16", "tags": m{"Name": "other"}})
	require.NoError(t, err)
	require.Equal(t, m{"Name": "other"}, plain(t, updated.GetProperties())["tagsAll"])

	err = w.delete(main)
	require.ErrorContains(t, err, "DependencyViolation: ")
	require.ErrorContains(t, err, `(simulated AWS account: delete aws:ec2/vpc:Vpc "thing")`)
	require.NoError(t, w.delete(part))
	require.NoError(t, w.delete(main))
	require.NoError(t, w.delete(main), "what is gone is gone")
	require.Empty(t, w.account.Objects())
	require.Empty(t, w.refresh(w.Provider, main).GetId())
}

func TestObjectBelongsToItsResource(t *testing.T) {
	w := newWorld(t, nil)
	o := w.create(vpc, m{"cidrBlock": "10.0.0.0/16"})
	found := w.account.FindByURN(urnOf(vpc))
	require.Len(t, found, 1)
	require.Equal(t, o.id, found[0].ID)
	require.Equal(t, region, found[0].Region)
}

func TestPreviewMakesNothing(t *testing.T) {
	w := newWorld(t, nil)
	checked := w.check(subnet, m{"vpcId": unknown(), "cidrBlock": "10.0.0.0/24", "tags": m{"a": "b"}})
	created, err := w.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(subnet), Properties: checked, Preview: true})
	require.NoError(t, err)
	require.Empty(t, created.GetId())
	planned := plain(t, created.GetProperties())
	require.Equal(t, "10.0.0.0/24", planned["cidrBlock"])
	require.Equal(t, m{"a": "b"}, planned["tagsAll"])
	for _, property := range []string{"arn", "vpcId", "availabilityZone", "ownerId"} {
		require.Equal(t, account.Unknown{}, planned[property], property)
	}
	require.NotContains(t, planned, "__defaults")
	require.Empty(t, w.account.Objects())

	_, err = w.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(subnet), Properties: checked})
	require.ErrorContains(t, err, "not known yet")
	require.Empty(t, w.account.Objects())
}

// What a preview calls known must be what the up then makes.
func TestPreviewOfACreateAgreesWithIt(t *testing.T) {
	w := newWorld(t, nil)
	checked := w.check(vpc, m{"cidrBlock": "10.0.0.0/16", "tags": m{"a": "b"}})
	preview, err := w.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(vpc), Properties: checked, Preview: true})
	require.NoError(t, err)
	created, err := w.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(vpc), Properties: checked})
	require.NoError(t, err)
	requireAgrees(t, plain(t, preview.GetProperties()), plain(t, created.GetProperties()))
}

func TestPreviewOfAnUpdate(t *testing.T) {
	w := newWorld(t, nil)
	o := w.create(vpc, m{"cidrBlock": "10.0.0.0/16", "tags": m{"a": "b"}})
	preview := func(inputs m) m {
		updated, err := w.Update(t.Context(), &pulumirpc.UpdateRequest{
			Id: o.id, Urn: urnOf(vpc), Olds: o.state, OldInputs: o.inputs, News: w.check(vpc, inputs), Preview: true,
		})
		require.NoError(t, err)
		return plain(t, updated.GetProperties())
	}
	planned := preview(m{"cidrBlock": "10.0.0.0/16", "tags": m{"a": "c"}})
	require.Equal(t, plain(t, o.state)["arn"], planned["arn"], "an update leaves it alone")
	require.Equal(t, m{"a": "c"}, planned["tagsAll"])
	require.Equal(t, account.Unknown{}, preview(m{"cidrBlock": "10.0.0.0/16", "tags": unknown()})["tagsAll"])
	require.Equal(t, m{"a": account.Unknown{}}, preview(m{"cidrBlock": "10.0.0.0/16", "tags": m{"a": unknown()}})["tagsAll"])
	require.Equal(t, m{"a": "b"}, w.account.FindByURN(urnOf(vpc))[0].Outputs["tagsAll"], "nothing has changed")

	updated, err := w.update(o, m{"cidrBlock": "10.0.0.0/16", "tags": m{"a": "c"}})
	require.NoError(t, err)
	requireAgrees(t, planned, plain(t, updated.GetProperties()))
}

func requireAgrees(t *testing.T, planned, made m) {
	t.Helper()
	for key, value := range planned {
		if value != (account.Unknown{}) {
			require.Equal(t, value, made[key], key)
		}
	}
}

func TestSecretInputsAreSecretOutputs(t *testing.T) {
	w := newWorld(t, nil)
	inputs := m{"cidrBlock": secret("10.0.0.0/16"), "tags": m{"open": "a", "hidden": secret("b")}}
	requireSecret := func(state resource.PropertyMap) {
		require.True(t, state["cidrBlock"].IsSecret())
		for _, property := range []resource.PropertyKey{"tags", "tagsAll"} {
			require.True(t, state[property].ObjectValue()["hidden"].IsSecret())
			require.False(t, state[property].ObjectValue()["open"].IsSecret())
		}
		require.False(t, state["arn"].IsSecret())
	}
	o := w.create(vpc, inputs)
	requireSecret(propertyMap(t, o.state))
	read := w.refresh(w.Provider, o)
	requireSecret(propertyMap(t, read.GetProperties()))
	require.True(t, propertyMap(t, read.GetInputs())["cidrBlock"].IsSecret())
	inputs["enableDnsHostnames"] = true
	updated, err := w.update(o, inputs)
	require.NoError(t, err)
	requireSecret(propertyMap(t, updated.GetProperties()))

	preview, err := w.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(vpc), Properties: w.check(vpc, inputs), Preview: true})
	require.NoError(t, err)
	requireSecret(propertyMap(t, preview.GetProperties()))

	delete(inputs, "tags")
	inputs["cidrBlock"] = "10.0.0.0/16"
	updated, err = w.update(o, inputs)
	require.NoError(t, err)
	require.False(t, propertyMap(t, updated.GetProperties())["cidrBlock"].IsSecret(), "no secret any more")
}

func TestErrorsDoNotQuoteSecrets(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(subnet),
		Properties: w.check(subnet, m{"vpcId": secret("vpc-hidden"), "cidrBlock": "10.0.0.0/24"})})
	require.ErrorContains(t, err, `InvalidVpcID.NotFound: the VPC ID "[secret]" does not exist`)
	require.NotContains(t, err.Error(), "hidden")
}

func TestDriftShowsInARefresh(t *testing.T) {
	w := newWorld(t, nil)
	given := m{"cidrBlock": "10.0.0.0/16", "tags": m{"a": secret("1")}}
	o := w.create(vpc, given)
	require.NoError(t, w.client.Edit(t.Context(), vpc, o.id, m{"tags": m{"a": "1", "who": "console"}, "enableDnsSupport": false}))

	read := w.refresh(w.Provider, o)
	require.Equal(t, false, plain(t, read.GetProperties())["enableDnsSupport"])
	require.Equal(t, m{"a": "1", "who": "console"}, plain(t, read.GetInputs())["tags"])
	require.True(t, propertyMap(t, read.GetInputs())["tags"].ObjectValue()["a"].IsSecret())

	o.inputs, o.state = read.GetInputs(), read.GetProperties()
	d := w.diff(o, given)
	require.ElementsMatch(t, []string{"enableDnsSupport", "tags"}, d.GetDiffs())
	require.Equal(t, pulumirpc.PropertyDiff_DELETE, d.GetDetailedDiff()["tags.who"].GetKind())
	updated, err := w.update(o, given)
	require.NoError(t, err)
	o.inputs, o.state = w.check(vpc, given), updated.GetProperties()
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, w.diff(o, given).GetChanges())
	require.Equal(t, plain(t, o.inputs), plain(t, w.refresh(w.Provider, o).GetInputs()), "repaired")
}

func TestImport(t *testing.T) {
	w := newWorld(t, nil)
	o := w.create(vpc, m{"cidrBlock": "10.0.0.0/16", "tags": m{"a": "b"}})
	read, err := w.Read(t.Context(), &pulumirpc.ReadRequest{Id: o.id, Urn: urnOf(vpc)})
	require.NoError(t, err)
	require.Equal(t, o.id, read.GetId())
	require.Equal(t, plain(t, o.state), plain(t, read.GetProperties()))
	imported := &object{vpc, o.id, read.GetInputs(), read.GetProperties()}
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, w.diff(imported, m{"cidrBlock": "10.0.0.0/16", "tags": m{"a": "b"}}).GetChanges())

	gone, err := w.Read(t.Context(), &pulumirpc.ReadRequest{Id: "vpc-0", Urn: urnOf(vpc)})
	require.NoError(t, err)
	require.Empty(t, gone.GetId())
}

// Each instance is bound to its region, as AWS's endpoints are.
func TestRegions(t *testing.T) {
	w := newWorld(t, nil)
	o := w.create(vpc, m{"cidrBlock": "10.0.0.0/16"})
	elsewhere := w.provider("eu-west-1")
	require.Empty(t, w.refresh(elsewhere, o).GetId())
	created, err := elsewhere.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urnOf(vpc), Properties: o.inputs})
	require.NoError(t, err)
	require.Contains(t, plain(t, created.GetProperties())["arn"], ":eu-west-1:")

	global := w.create(role, m{"assumeRolePolicy": trust})
	require.Equal(t, global.id, w.refresh(elsewhere, global).GetId(), "IAM has no regions")
}

func TestInvoke(t *testing.T) {
	w := newWorld(t, nil)
	result, err := w.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getAvailabilityZones:getAvailabilityZones", Args: properties(t, m{"state": "available"})})
	require.NoError(t, err)
	require.Equal(t, []any{"eu-central-1a", "eu-central-1b", "eu-central-1c"}, plain(t, result.GetReturn())["names"])

	result, err = w.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getAvailabilityZones:getAvailabilityZones", Args: properties(t, m{"state": unknown()})})
	require.NoError(t, err)
	require.Equal(t, "state", result.GetFailures()[0].GetProperty())

	_, err = w.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getMoon:getMoon"})
	require.ErrorContains(t, err, "simulated AWS account: call aws:index/getMoon:getMoon")
	_, err = w.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getAvailabilityZones:getAvailabilityZones", Args: properties(t, m{"state": "gone"})})
	require.ErrorContains(t, err, "InvalidParameterValue: ")
}
