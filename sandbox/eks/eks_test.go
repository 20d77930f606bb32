package eks_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/eks"
)

func TestLockfilePinsEverythingByHash(t *testing.T) {
	var wanted struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	require.NoError(t, json.Unmarshal(eks.Package, &wanted))
	require.Equal(t, map[string]string{"@pulumi/aws": "6.83.2", "@pulumi/eks": "2.8.1"}, wanted.Dependencies)

	var lock struct {
		Packages map[string]struct {
			Version   string `json:"version"`
			Resolved  string `json:"resolved"`
			Integrity string `json:"integrity"`
		} `json:"packages"`
	}
	require.NoError(t, json.Unmarshal(eks.Lock, &lock))
	require.Greater(t, len(lock.Packages), 100)
	for name, p := range lock.Packages {
		if name == "" {
			continue // the project itself
		}
		require.NotEmpty(t, p.Integrity, name)
		require.Empty(t, p.Resolved, "%s: the lockfile must name no registry", name)
	}
	for name, version := range wanted.Dependencies {
		require.Equal(t, version, lock.Packages["node_modules/"+name].Version)
	}
}
