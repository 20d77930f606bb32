package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeyAlias(t *testing.T) {
	w := newWorld(t)
	key, other := w.create(typeKey, m{}), w.create(typeKey, m{})
	alias := w.create(typeKeyAlias, m{"name": "alias/eks/tooling", "targetKeyId": key.Outputs["arn"]})
	require.Equal(t, "alias/eks/tooling", alias.ID)
	require.Equal(t, "arn:aws:kms:eu-central-1:123456789012:alias/eks/tooling", alias.Outputs["arn"])
	require.Equal(t, key.ID, alias.Outputs["targetKeyId"])
	require.Equal(t, key.Outputs["arn"], alias.Outputs["targetKeyArn"])

	_, err := w.try(typeKeyAlias, m{"name": "alias/eks/tooling", "targetKeyId": other.ID})
	refused(t, err, "AlreadyExistsException")
	_, err = w.try(typeKeyAlias, m{"name": "alias/other", "targetKeyId": "gone"})
	refused(t, err, "NotFoundException")
	_, err = w.tryIn("eu-west-1", typeKeyAlias, m{"name": "alias/other", "targetKeyId": key.ID})
	refused(t, err, "NotFoundException")

	require.NoError(t, w.update(alias, m{"targetKeyId": other.ID}), "an alias moves to another key")
	require.NoError(t, w.delete(key))
	require.Equal(t, other.Outputs["arn"], w.read(alias).Outputs["targetKeyArn"])
	require.NoError(t, w.delete(other))
	gone(t, w.delete(alias))
}

func TestKeyAliasNames(t *testing.T) {
	w := newWorld(t)
	key := w.create(typeKey, m{})
	for name, want := range map[string]string{
		"alias/aws/eks": "reserved", "eks": "must begin with", "alias/": "must begin with", "alias/a b": "must begin with",
	} {
		_, err := w.try(typeKeyAlias, m{"name": name, "targetKeyId": key.ID})
		require.ErrorContains(t, err, want, name)
	}
	require.Regexp(t, `^alias/thing\d+-[0-9a-f]{7}$`, w.create(typeKeyAlias, m{"targetKeyId": key.ID}).ID)
}
