package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRolePolicy(t *testing.T) {
	w := newWorld(t)
	role := w.role()
	policy := w.create(typeRolePolicy, m{"name": "logs", "role": role.ID, "policy": readLogs})
	require.Equal(t, role.ID+":logs", policy.ID)
	_, err := w.try(typeRolePolicy, m{"name": "logs", "role": role.ID, "policy": readLogs})
	refused(t, err, "EntityAlreadyExists")
	_, err = w.try(typeRolePolicy, m{"role": "gone", "policy": readLogs})
	refused(t, err, "NoSuchEntity")
	_, err = w.try(typeRolePolicy, m{"role": role.Outputs["arn"], "policy": readLogs})
	require.ErrorContains(t, err, "expected the name of a role")
	refused(t, w.update(policy, m{"policy": ec2Trust}), "MalformedPolicyDocument")
	refused(t, w.update(policy, m{"role": "other"}), "InvalidParameterValue")
}
