package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPolicyLifecycle(t *testing.T) {
	w := newWorld(t)
	policy := w.create(typePolicy, m{"name": "read-logs", "path": "/team/", "policy": readLogs})
	require.Equal(t, "arn:aws:iam::123456789012:policy/team/read-logs", policy.ID)
	require.Regexp(t, `^ANPA[A-Z0-9]{17}$`, policy.Outputs["policyId"])
	_, err := w.try(typePolicy, m{"name": "read-logs", "policy": readLogs})
	refused(t, err, "EntityAlreadyExists")

	role := w.role()
	attachment := w.create(typeRolePolicyAttachment, m{"role": role.ID, "policyArn": policy.ID})
	require.Equal(t, 1.0, w.read(policy).Outputs["attachmentCount"])
	refused(t, w.delete(policy), "DeleteConflict")
	require.NoError(t, w.update(policy, m{"policy": strings.Replace(readLogs, "Get", "Put", 1)}))
	require.NoError(t, w.delete(attachment))
	require.NoError(t, w.delete(policy))
}

func TestPermissionsBoundary(t *testing.T) {
	w := newWorld(t)
	policy := w.create(typePolicy, m{"policy": readLogs})
	role := w.create(typeRole, m{"assumeRolePolicy": ec2Trust, "permissionsBoundary": policy.ID})
	refused(t, w.delete(policy), "DeleteConflict")
	require.NoError(t, w.update(role, m{"permissionsBoundary": nil}))
	require.NoError(t, w.delete(policy))
	refused(t, w.update(role, m{"permissionsBoundary": policy.ID}), "NoSuchEntity")
}

func TestIdentityPolicies(t *testing.T) {
	w := newWorld(t)
	role := w.role()
	for name, test := range map[string]struct{ statement, code string }{
		"several":         {`{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["arn:aws:s3:::a","arn:aws:s3:::a/*"]}`, ""},
		"everything":      {`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, ""},
		"a principal":     {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Principal":"*"}`, "MalformedPolicyDocument"},
		"no resource":     {`{"Effect":"Allow","Action":"s3:GetObject"}`, "MalformedPolicyDocument"},
		"not an ARN":      {`{"Effect":"Allow","Action":"s3:GetObject","Resource":"bucket"}`, "MalformedPolicyDocument"},
		"no vendor":       {`{"Effect":"Allow","Action":"GetObject","Resource":"*"}`, "MalformedPolicyDocument"},
		"a Sid with dash": {`{"Sid":"read-logs","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`, "MalformedPolicyDocument"},
		"a Sid twice": {`{"Sid":"A","Effect":"Allow","Action":"s3:GetObject","Resource":"*"},{"Sid":"A","Effect":"Deny","Action":"s3:PutObject","Resource":"*"}`,
			"MalformedPolicyDocument"},
	} {
		text := `{"Version":"2012-10-17","Statement":[` + test.statement + `]}`
		t.Run(name, func(t *testing.T) {
			for typ, inputs := range map[string]m{typePolicy: {"policy": text}, typeRolePolicy: {"policy": text, "role": role.ID}} {
				_, err := w.try(typ, inputs)
				if test.code == "" {
					require.NoError(t, err)
				} else {
					refused(t, err, test.code)
				}
			}
		})
	}
}

func TestPolicySizes(t *testing.T) {
	w := newWorld(t)
	role := w.role()
	sized := func(n int) string {
		frame := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::"}]}`
		return strings.Replace(frame, "s3:::", "s3:::"+strings.Repeat("x", n-len(frame)), 1)
	}
	_, err := w.try(typePolicy, m{"policy": sized(managedPolicySizeLimit)})
	require.NoError(t, err)
	_, err = w.try(typePolicy, m{"policy": sized(managedPolicySizeLimit + 1)})
	refused(t, err, "LimitExceeded")
	// The inline policies of a role share one limit.
	_, err = w.try(typeRolePolicy, m{"role": role.ID, "policy": sized(6000)})
	require.NoError(t, err)
	_, err = w.try(typeRolePolicy, m{"role": role.ID, "policy": sized(6000)})
	refused(t, err, "LimitExceeded")
}

// A wildcard with nothing special in it matches itself only, and "*" matches
// everything.
func TestWildcard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z0-9:+.()]{1,12}`).Draw(t, "text")
		other := rapid.StringMatching(`[a-z0-9:+.()]{1,12}`).Draw(t, "other")
		if wildcard(text, other) != (text == other) {
			t.Fatalf("%q against %q", text, other)
		}
		cut := rapid.IntRange(0, len(text)).Draw(t, "cut")
		if !wildcard(text[:cut]+"*", text) || !wildcard("*"+text[cut:], text) {
			t.Fatalf("%q cut at %d", text, cut)
		}
	})
}
