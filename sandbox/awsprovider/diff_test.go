package awsprovider

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

func TestDiff(t *testing.T) {
	w := newWorld(t, nil)
	main := w.create(vpc, m{"cidrBlock": "10.0.0.0/16"})
	given := m{"vpcId": main.id, "cidrBlock": "10.0.0.0/24", "tags": m{"a": "1", "b": "2"}}
	o := w.create(subnet, given)
	for name, c := range map[string]struct {
		change   m
		ignore   []string
		details  map[string]pulumirpc.PropertyDiff_Kind
		replaces []string
	}{
		"nothing":           {nil, nil, nil, nil},
		"a default spelled": {m{"mapPublicIpOnLaunch": false}, nil, nil, nil},
		"a secret":          {m{"cidrBlock": secret("10.0.0.0/24")}, nil, nil, nil},
		"a tag": {m{"tags": m{"a": "1", "b": "3", "c": "4"}}, nil, map[string]pulumirpc.PropertyDiff_Kind{
			"tags.b": pulumirpc.PropertyDiff_UPDATE, "tags.c": pulumirpc.PropertyDiff_ADD,
		}, nil},
		"no tags": {m{"tags": nil}, nil, map[string]pulumirpc.PropertyDiff_Kind{"tags": pulumirpc.PropertyDiff_DELETE}, nil},
		"another network": {m{"cidrBlock": "10.0.1.0/24"}, nil, map[string]pulumirpc.PropertyDiff_Kind{
			"cidrBlock": pulumirpc.PropertyDiff_UPDATE_REPLACE,
		}, []string{"cidrBlock"}},
		"an unknown VPC": {m{"vpcId": unknown()}, nil, map[string]pulumirpc.PropertyDiff_Kind{
			"vpcId": pulumirpc.PropertyDiff_UPDATE_REPLACE,
		}, []string{"vpcId"}},
		"an unknown tag": {m{"tags": m{"a": unknown(), "b": "2"}}, nil, map[string]pulumirpc.PropertyDiff_Kind{
			"tags.a": pulumirpc.PropertyDiff_UPDATE,
		}, nil},
		"ignored":           {m{"cidrBlock": "10.0.1.0/24", "tags": m{"a": "9", "b": "2"}}, []string{"cidrBlock", "tags"}, nil, nil},
		"ignored, a tag":    {m{"tags": m{"a": "9", "b": "2"}}, []string{"tags.a"}, nil, nil},
		"ignored, not all":  {m{"tags": m{"a": "9", "b": "9"}}, []string{"tags.a"}, map[string]pulumirpc.PropertyDiff_Kind{"tags.b": pulumirpc.PropertyDiff_UPDATE}, nil},
		"ignored, nothing":  {m{"tags": m{"a": "9", "b": "2"}}, []string{"tags.z"}, map[string]pulumirpc.PropertyDiff_Kind{"tags.a": pulumirpc.PropertyDiff_UPDATE}, nil},
		"ignored, once set": {m{"tags": nil}, []string{"tags"}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inputs := m{}
			for k, v := range given {
				inputs[k] = v
			}
			for k, v := range c.change {
				inputs[k] = v
				if v == nil {
					delete(inputs, k)
				}
			}
			d := w.diff(o, inputs, c.ignore...)
			details := map[string]pulumirpc.PropertyDiff_Kind{}
			for path, detail := range d.GetDetailedDiff() {
				details[path] = detail.GetKind()
			}
			if c.details == nil {
				require.Empty(t, details)
				require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, d.GetChanges())
				return
			}
			require.Equal(t, c.details, details)
			require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, d.GetChanges())
			require.Equal(t, c.replaces, d.GetReplaces())
			require.False(t, d.GetDeleteBeforeReplace(), "subnets have no fixed name")
		})
	}
}

func TestDiffRefusesABadPath(t *testing.T) {
	w := newWorld(t, nil)
	o := w.create(vpc, m{"cidrBlock": "10.0.0.0/16"})
	_, err := w.Diff(t.Context(), &pulumirpc.DiffRequest{
		Id: o.id, Urn: urnOf(vpc), Olds: o.state, OldInputs: o.inputs, News: o.inputs, IgnoreChanges: []string{"tags["},
	})
	require.ErrorContains(t, err, `ignoreChanges: "tags[" is not a property path`)
}

// Two roles of one name cannot stand side by side, two of made-up names can.
func TestFixedNamesAreDeletedBeforeReplacement(t *testing.T) {
	for name, c := range map[string]struct {
		named m
		want  bool
	}{
		"given name":   {m{"name": "fixed"}, true},
		"made-up name": {m{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			inputs := m{"assumeRolePolicy": trust}
			for k, v := range c.named {
				inputs[k] = v
			}
			o := w.create(role, inputs)
			inputs["path"] = "/elsewhere/"
			d := w.diff(o, inputs)
			require.Equal(t, []string{"path"}, d.GetReplaces())
			require.Equal(t, c.want, d.GetDeleteBeforeReplace())
		})
	}
}
