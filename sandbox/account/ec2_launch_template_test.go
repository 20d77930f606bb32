package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLaunchTemplateVersions(t *testing.T) {
	w := newEKSWorld(t)
	template := w.template(nil)
	require.Regexp(t, `^lt-[0-9a-f]{17}$`, template.ID)
	require.Regexp(t, `^thing\d+-[0-9a-f]{7}$`, template.Outputs["name"])
	w.settled(template)
	require.EqualValues(t, 1, template.Outputs["latestVersion"])

	require.NoError(t, w.update(template, m{"tags": m{"Name": "other"}}))
	require.EqualValues(t, 1, template.Outputs["latestVersion"], "a tag of the template makes no version")
	require.NoError(t, w.update(template, m{"description": "other"}))
	require.EqualValues(t, 2, template.Outputs["latestVersion"])
	require.EqualValues(t, 1, template.Outputs["defaultVersion"])
	require.NoError(t, w.update(template, m{"updateDefaultVersion": true, "description": "third"}))
	require.EqualValues(t, 3, template.Outputs["latestVersion"])
	require.EqualValues(t, 3, template.Outputs["defaultVersion"])
	refused(t, w.update(template, m{"updateDefaultVersion": nil, "defaultVersion": 9}), "InvalidLaunchTemplateId.VersionNotFound")

	_, err := w.try(typeLaunchTemplate, m{"name": template.Outputs["name"]})
	refused(t, err, "InvalidLaunchTemplateName.AlreadyExistsException")
	require.NoError(t, w.delete(template))
}

func TestLaunchTemplateDiff(t *testing.T) {
	w := newEKSWorld(t)
	template := w.template(nil)
	require.Equal(t, Diff{}, w.diff(template, m{"metadataOptions": m{"httpEndpoint": "enabled", "httpTokens": "required"}}), "what is left to AWS")
	require.Equal(t, Diff{Changed: []string{"metadataOptions"}}, w.diff(template, m{"metadataOptions": m{"httpTokens": "optional"}}))
	require.Equal(t, Diff{Changed: []string{"name"}, Replaces: []string{"name"}}, w.diff(template, m{"name": "other"}))
}

func TestLaunchTemplateInputsAreChecked(t *testing.T) {
	volume := func(properties m) m { return m{"blockDeviceMappings": l(m{"ebs": properties})} }
	for name, test := range map[string]struct {
		inputs m
		want   string
	}{
		"both names":       {m{"name": "a", "namePrefix": "a"}, "cannot be given together"},
		"a true boolean":   {volume(m{"encrypted": "yes"}), "expected one of"},
		"a kind of disk":   {volume(m{"volumeType": "ssd"}), "expected one of"},
		"no disk":          {volume(m{"volumeSize": 0}), "1 to 65536"},
		"far hops":         {m{"metadataOptions": m{"httpPutResponseHopLimit": 65}}, "1 to 64"},
		"tokens":           {m{"metadataOptions": m{"httpTokens": "maybe"}}, "expected one of"},
		"a tag of a thing": {m{"tagSpecifications": l(m{"resourceType": "thing"})}, "expected one of"},
		"AWS's tag":        {m{"tagSpecifications": l(m{"resourceType": "volume", "tags": m{"aws:x": "y"}})}, `must not start with "aws:"`},
		"its interfaces":   {m{"networkInterfaces": l(m{"subnetId": "subnet-0"})}, "not modelled"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newWorld(t).try(typeLaunchTemplate, test.inputs)
			require.ErrorContains(t, err, test.want)
		})
	}
}
