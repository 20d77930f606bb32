package account

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEquivalentPoliciesDoNotChange(t *testing.T) {
	role, err := Lookup(typeRole)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		a, b string
		same bool
	}{
		"a list of one": {
			`{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}}`,
			`{"Statement":[{"Effect":"Allow","Action":["sts:AssumeRole"],"Principal":{"Service":["ec2.amazonaws.com"]}}]}`, true},
		"another order": {
			`{"Statement":[{"Effect":"Allow","Action":["a:A","a:B"],"Condition":{"StringEquals":{"a:k":["x","y"]}}}]}`,
			`{"Statement":[{"Effect":"Allow","Action":["a:B","a:A"],"Condition":{"StringEquals":{"a:k":["y","x"]}}}]}`, true},
		"everyone": {
			`{"Statement":[{"Effect":"Allow","Action":"a:A","Principal":"*"}]}`,
			`{"Statement":[{"Effect":"Allow","Action":"a:A","Principal":{"AWS":"*"}}]}`, true},
		"a boolean in a condition": {
			`{"Statement":[{"Effect":"Allow","Action":"a:A","Condition":{"Bool":{"aws:SecureTransport":true}}}]}`,
			`{"Statement":[{"Effect":"Allow","Action":"a:A","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`, true},
		"another action": {
			`{"Statement":[{"Effect":"Allow","Action":["a:A","a:B"]}]}`,
			`{"Statement":[{"Effect":"Allow","Action":["a:A","a:C"]}]}`, false},
		"another effect": {
			`{"Statement":[{"Effect":"Allow","Action":"a:A"}]}`,
			`{"Statement":[{"Effect":"Deny","Action":"a:A"}]}`, false},
		"one statement more": {
			`{"Statement":[{"Effect":"Allow","Action":"a:A"}]}`,
			`{"Statement":[{"Effect":"Allow","Action":"a:A"},{"Effect":"Allow","Action":"a:A"}]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			old, news := m{"assumeRolePolicy": test.a}, m{"assumeRolePolicy": test.b}
			require.Equal(t, test.same, len(role.Diff(old, old, news).Changed) == 0)
			require.Equal(t, test.same, len(role.Diff(news, news, old).Changed) == 0)
		})
	}
}

// Shuffling the actions of a policy changes nothing, taking one away does.
func TestPolicyEquivalenceIgnoresOrderOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		actions := rapid.SliceOfNDistinct(rapid.StringMatching(`s3:[A-Z][a-z]{1,5}`), 1, 6, rapid.ID).Draw(t, "actions")
		document := func(actions []string) string {
			text, err := json.Marshal(m{"Version": "2012-10-17", "Statement": l(m{"Effect": "Allow", "Action": actions, "Resource": "*"})})
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		if !sameDocument(document(actions), document(rapid.Permutation(actions).Draw(t, "shuffled"))) {
			t.Fatalf("%q differ by their order", actions)
		}
		if sameDocument(document(actions), document(actions[1:])) {
			t.Fatalf("%q without the first are the same", actions)
		}
	})
}
