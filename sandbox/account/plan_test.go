package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlanInsideOfObjects(t *testing.T) {
	w := newEKSWorld(t)
	typ, err := Lookup(typeCluster)
	require.NoError(t, err)
	inputs, failures := typ.Check(nil, w.clusterInputs(nil), "cluster", nil)
	require.Empty(t, failures)
	planned := Props(typ.Plan(nil, inputs))
	require.Equal(t, Unknown{}, planned.Props("vpcConfig")["clusterSecurityGroupId"], "AWS will say")
	require.Equal(t, true, planned.Props("vpcConfig")["endpointPrivateAccess"], "the program says")
	require.Equal(t, Unknown{}, planned["endpoint"])

	cluster := w.cluster()
	changed := with(cluster.Inputs, m{"version": "1.35"})
	planned = typ.Plan(cluster.Outputs, changed)
	require.Equal(t, Props(cluster.Outputs).Props("vpcConfig"), planned.Props("vpcConfig"), "an update leaves it")
	require.Equal(t, "1.35", planned["version"])
	require.NotContains(t, Props(cluster.Inputs).Props("vpcConfig"), "vpcId", "planning changes no inputs")
}

// A preview shows that the nodes change with their template.
func TestPlanOfALaunchTemplate(t *testing.T) {
	w := newEKSWorld(t)
	template := w.template(nil)
	typ, err := Lookup(typeLaunchTemplate)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		changes m
		want    any
	}{
		"nothing":     {nil, 1.0},
		"its own tag": {m{"tags": m{"Name": "other"}}, 1.0},
		"the disk":    {m{"blockDeviceMappings": l(m{"deviceName": "/dev/xvda", "ebs": m{"volumeSize": 80.0}})}, Unknown{}},
		"an unknown":  {m{"description": Unknown{}}, Unknown{}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, typ.Plan(template.Outputs, with(template.Inputs, test.changes))["latestVersion"])
		})
	}
}
