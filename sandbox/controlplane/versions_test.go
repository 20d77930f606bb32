package controlplane

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPick(t *testing.T) {
	at := func(minor int, version string) binary { return binary{minor: minor, version: version} }
	one := []binary{at(36, "v1.36.3")}
	two := []binary{at(34, "v1.34.9"), at(36, "v1.36.3")}
	for name, test := range map[string]struct {
		built   []binary
		version string
		want    string
		note    string
		err     string
	}{
		"the minor exists":              {two, "1.34", "v1.34.9", "", ""},
		"the only one, wanted older":    {one, "1.33", "v1.36.3", "simulated version 1.33: runs kube-apiserver v1.36.3, the only binary built", ""},
		"between two: the newer":        {two, "1.35", "v1.36.3", "simulated version 1.35: runs kube-apiserver v1.36.3, the nearest binary built", ""},
		"newer than all: the newest":    {two, "1.37", "v1.36.3", "simulated version 1.37: runs kube-apiserver v1.36.3, the nearest binary built", ""},
		"older than all: the oldest":    {two, "1.30", "v1.34.9", "simulated version 1.30: runs kube-apiserver v1.34.9, the nearest binary built", ""},
		"not a version":                 {one, "latest", "", "", `kubernetes version "latest": expected major and minor`},
		"a patch release is not one":    {one, "1.36.3", "", "", `kubernetes version "1.36.3"`},
		"another major is not possible": {one, "2.36", "", "", `kubernetes version "2.36"`},
	} {
		t.Run(name, func(t *testing.T) {
			chosen, note, err := pick(test.built, test.version)
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, chosen.version)
			require.Equal(t, test.note, note)
		})
	}
}
