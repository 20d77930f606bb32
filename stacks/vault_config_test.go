package stacks

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What the component refuses is refused by its key, before anything is made.
func TestVaultBadInput(t *testing.T) {
	for name, test := range map[string]struct {
		vault object
		want  string
	}{
		"even":       {object{"replicas": 4}, "config strongroom:vault.replicas: 4 is even: raft needs a majority"},
		"EFS class":  {object{"storage": object{"type": "efs", "storageClass": "gp3"}}, `config strongroom:vault.storage.storageClass: "gp3" would not be used: with efs`},
		"storage":    {object{"storage": object{"type": "file"}}, `config strongroom:vault.storage.type: "file" is no kind of storage`},
		"outlives":   {object{"ca": object{"days": 300}}, "config strongroom:vault.certificate.days: the certificate is valid for 365 days and would outlive its authority, which is for 300"},
		"renewed":    {object{"ca": object{"days": 395}}, "config strongroom:vault.ca.days: 395 days are too few"},
		"untrusted":  {object{"ca": object{"active": 2}}, "config strongroom:vault.ca.active: authority 2 signs but is not trusted"},
		"latest":     {object{"image": object{"tag": "latest"}}, `config strongroom:vault.image.tag: "latest" does not pin a version`},
		"window":     {object{"recoveryWindowDays": 3}, "config strongroom:vault.recoveryWindowDays: 3 days are not possible"},
		"retention":  {object{"snapshotRetentionDays": 0}, "config strongroom:vault.snapshotRetentionDays: 0 days are not possible"},
		"misspelt":   {object{"replica": 3}, `config strongroom:vault.replica: unknown key, did you mean "replicas"?`},
		"not a list": {object{"ca": object{"trusted": 1}}, "config strongroom:vault.ca.trusted: expected a list"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("tooling", values(t, set("vault", test.vault)))
			require.ErrorContains(t, err, test.want)
			var config *ConfigError
			require.ErrorAs(t, err, &config)
			require.Len(t, config.Problems, 1)
		})
	}
	_, err := Parse("application", values(t, set("vault", object{"replicas": 3})))
	require.ErrorContains(t, err, "config strongroom:vault.replicas: only a tooling stack has this key")
}
