package account

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever text is taken for a policy, it is read or refused with the code of
// its kind.
func TestPolicyStatementsNeverPanic(t *testing.T) {
	w := newWorld(t)
	v := w.a.view()
	value := rapid.SampledFrom([]string{
		`null`, `"*"`, `1`, `[]`, `[1]`, `{}`, `{"AWS":"*"}`, `{"AWS":1}`, `"Allow"`, `"sts:AssumeRole"`, `["kms:*"]`, `"arn:aws:s3:::a"`, `{"StringEquals":{"aws:a":"b"}}`,
	})
	field := rapid.SampledFrom([]string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"})
	rapid.Check(t, func(t *rapid.T) {
		text := `{"Effect":"Allow"`
		for range rapid.IntRange(0, 5).Draw(t, "fields") {
			text += `,"` + field.Draw(t, "field") + `":` + value.Draw(t, "value")
		}
		for _, kind := range []policyKind{trustPolicy, identityPolicy, keyPolicy} {
			statements, err := v.policyStatements(`{"Statement":`+text+`}}`, kind)
			if err == nil {
				if len(statements) != 1 {
					t.Fatalf("%s: %d statements", text, len(statements))
				}
				continue
			}
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Code != kind.code {
				t.Fatalf("%s: %v", text, err)
			}
		}
	})
	require.Equal(t, 2, policySize(" a\n\tb "))
}
