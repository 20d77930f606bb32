package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeyLifecycle(t *testing.T) {
	w := newWorld(t)
	key := w.create(typeKey, m{"enableKeyRotation": true})
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$`, key.ID)
	require.Equal(t, "arn:aws:kms:eu-central-1:123456789012:key/"+key.ID, key.Outputs["arn"])
	require.Equal(t, key.ID, key.Outputs["keyId"])
	require.Equal(t, defaultKeyPolicy, key.Outputs["policy"])
	require.Equal(t, 365.0, key.Outputs["rotationPeriodInDays"])

	require.NoError(t, w.update(key, m{"enableKeyRotation": false}))
	require.NotContains(t, w.read(key).Outputs, "rotationPeriodInDays")
	require.NoError(t, w.delete(key))
	gone(t, w.delete(key))
}

func TestKeyPolicyMustNotLockOut(t *testing.T) {
	w := newWorld(t)
	role := w.role()
	statement := func(effect, principal, action string) string {
		return `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":` + action + `,"Resource":"*"}`
	}
	root, operator := `{"AWS":"arn:aws:iam::123456789012:root"}`, `{"AWS":"`+OperatorARN+`"}`
	for name, test := range map[string]struct{ statements, code string }{
		"root, everything":       {statement("Allow", root, `"kms:*"`), ""},
		"root, puts":             {statement("Allow", root, `["kms:Describe*","kms:Put*"]`), ""},
		"the operator":           {statement("Allow", operator, `"kms:PutKeyPolicy"`), ""},
		"a service besides":      {statement("Allow", root, `"kms:*"`) + "," + statement("Allow", `{"Service":"logs.eu-central-1.amazonaws.com"}`, `"kms:Encrypt"`), ""},
		"root, reads":            {statement("Allow", root, `"kms:Describe*"`), "MalformedPolicyDocumentException"},
		"only a service":         {statement("Allow", `{"Service":"logs.eu-central-1.amazonaws.com"}`, `"kms:*"`), "MalformedPolicyDocumentException"},
		"only a role":            {statement("Allow", `{"AWS":"`+role.Outputs["arn"].(string)+`"}`, `"kms:*"`), "MalformedPolicyDocumentException"},
		"denied":                 {statement("Allow", root, `"kms:*"`) + "," + statement("Deny", `"*"`, `"kms:PutKeyPolicy"`), "MalformedPolicyDocumentException"},
		"a role that is gone":    {statement("Allow", root, `"kms:*"`) + "," + statement("Allow", `{"AWS":"arn:aws:iam::123456789012:role/gone"}`, `"kms:Decrypt"`), "MalformedPolicyDocumentException"},
		"a statement without it": {`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`, "MalformedPolicyDocumentException"},
	} {
		policy := `{"Version":"2012-10-17","Statement":[` + test.statements + `]}`
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeKey, m{"policy": policy})
			plain := w.create(typeKey, m{})
			updated := w.update(plain, m{"policy": policy})
			if test.code == "" {
				require.NoError(t, err)
				require.NoError(t, updated)
				return
			}
			refused(t, err, test.code)
			refused(t, updated, test.code)
		})
	}
	_, err := w.try(typeKey, m{"bypassPolicyLockoutSafetyCheck": true, "policy": `{"Statement":` + statement("Allow", root, `"kms:Describe*"`) + `}`})
	require.NoError(t, err, "who asks for it is let out")
}

func TestKeyInputsAreChecked(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		inputs m
		want   string
	}{
		"short window": {m{"deletionWindowInDays": 6}, "expected 7 to 30"},
		"long window":  {m{"deletionWindowInDays": 31}, "expected 7 to 30"},
		"period":       {m{"enableKeyRotation": true, "rotationPeriodInDays": 30}, "expected 90 to 2560"},
		"no rotation":  {m{"rotationPeriodInDays": 90}, `needs "enableKeyRotation"`},
		"signing":      {m{"keyUsage": "SIGN_VERIFY"}, "not modelled"},
		"policy":       {m{"policy": "none"}, "not a JSON object"},
		"description":  {m{"description": strings.Repeat("x", 8193)}, "at most 8192"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typeKey, test.inputs)
			require.ErrorContains(t, err, test.want)
		})
	}
}
