package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInstanceProfile(t *testing.T) {
	w := newWorld(t)
	role, other := w.role(), w.role()
	profile := w.create(typeInstanceProfile, m{"name": "nodes", "role": role.ID})
	require.Equal(t, "nodes", profile.ID)
	require.Equal(t, "arn:aws:iam::123456789012:instance-profile/nodes", profile.Outputs["arn"])
	_, err := w.try(typeInstanceProfile, m{"name": "nodes"})
	refused(t, err, "EntityAlreadyExists")
	_, err = w.try(typeInstanceProfile, m{"role": "gone"})
	refused(t, err, "NoSuchEntity")

	require.NoError(t, w.update(profile, m{"role": other.ID}), "another role needs no other profile")
	require.NoError(t, w.delete(role), "the profile has let it go")
	refused(t, w.delete(other), "DeleteConflict")
	require.NoError(t, w.delete(profile))
	require.NoError(t, w.delete(other))
}
