package account

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRolePolicyAttachment(t *testing.T) {
	w := newWorld(t)
	role := w.role()
	for name, test := range map[string]struct{ role, policy, code, hint string }{
		"of AWS":                  {role.ID, "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy", "", ""},
		"of AWS, with a path":     {role.ID, "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy", "", ""},
		"of AWS, path left out":   {role.ID, "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicy", "NoSuchEntity", `did you mean "service-role/AmazonEBSCSIDriverPolicy"`},
		"of AWS, path too much":   {role.ID, "arn:aws:iam::aws:policy/service-role/AmazonEKSClusterPolicy", "NoSuchEntity", `did you mean "AmazonEKSClusterPolicy"`},
		"of AWS, a slip":          {role.ID, "arn:aws:iam::aws:policy/AmazonEKSClustersPolicy", "NoSuchEntity", "does not exist"},
		"of the account, missing": {role.ID, "arn:aws:iam::123456789012:policy/gone", "NoSuchEntity", "does not exist"},
		"role missing":            {"gone", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy", "NoSuchEntity", "the role with name gone"},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := w.try(typeRolePolicyAttachment, m{"role": test.role, "policyArn": test.policy})
			if test.code == "" {
				require.NoError(t, err)
				require.Regexp(t, `^`+role.ID+`-\d{18}[0-9a-f]{8}$`, made.ID)
				return
			}
			refused(t, err, test.code)
			require.ErrorContains(t, err, test.hint)
		})
	}
	_, err := w.try(typeRolePolicyAttachment, m{"role": role.ID, "policyArn": "AmazonEKS_CNI_Policy"})
	require.ErrorContains(t, err, "is not the ARN of a policy")
}

// Attaching twice is one attachment for IAM: the resource that goes first takes
// it away from both.
func TestPolicyAttachedTwice(t *testing.T) {
	w := newWorld(t)
	role := w.role()
	inputs := m{"role": role.ID, "policyArn": "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"}
	first, second := w.create(typeRolePolicyAttachment, inputs), w.create(typeRolePolicyAttachment, inputs)
	require.NotEqual(t, first.ID, second.ID)
	require.NoError(t, w.delete(first))
	gone(t, w.delete(second))

	attachment, err := Lookup(typeRolePolicyAttachment)
	require.NoError(t, err)
	news := m{"role": role.ID, "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
	require.Equal(t, Diff{Changed: []string{"policyArn"}, Replaces: []string{"policyArn"}, DeleteBeforeReplace: true}, attachment.Diff(inputs, inputs, news))
}

func TestUniqueID(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)
	require.Regexp(t, `^202601020304056000[0-9a-f]{8}$`, uniqueID(at))
}
