package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/policy"
)

func TestEvaluate(t *testing.T) {
	key := "arn:aws:kms:eu-central-1:123456789012:key/a"
	request := policy.Request{Action: "kms:Decrypt", Resource: key, Context: map[string]string{"kms:viaservice": "secretsmanager.eu-central-1.amazonaws.com"}}
	one := func(body string) string { return `{"Version":"2012-10-17","Statement":{` + body + `}}` }
	for name, test := range map[string]struct {
		document string
		want     policy.Decision
	}{
		"exact":                              {one(`"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `"`), policy.Allowed},
		"wildcards, any case":                {one(`"Effect":"Allow","Action":"KMS:De*","Resource":"arn:aws:kms:*:*:key/?"`), policy.Allowed},
		"another action":                     {one(`"Effect":"Allow","Action":"kms:Encrypt","Resource":"*"`), policy.Undecided},
		"another resource":                   {one(`"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:eu-central-1:123456789012:key/b"`), policy.Undecided},
		"a resource in two cases":            {one(`"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:eu-central-1:123456789012:key/A"`), policy.Undecided},
		"all but":                            {one(`"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::*"`), policy.Allowed},
		"not this":                           {one(`"Effect":"Allow","NotAction":"kms:*","Resource":"*"`), policy.Undecided},
		"deny wins":                          {`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}]}`, policy.Denied},
		"a condition that is met":            {one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"kms:ViaService":["sm.*","secretsmanager.*.amazonaws.com"]}}`), policy.Allowed},
		"one that is not":                    {one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3"}}`), policy.Undecided},
		"a key that is not there":            {one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":"b"}}`), policy.Undecided},
		"or does not have to be":             {one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:PrincipalTag/a":"b"}}`), policy.Allowed},
		"must not be there":                  {one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"kms:ViaService":"true"}}`), policy.Undecided},
		"an unknown operator allows nothing": {one(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a:b":"1"}}`), policy.Undecided},
		"and denies":                         {one(`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a:b":"1"}}`), policy.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := policy.Evaluate([]string{test.document}, request)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
	_, err := policy.Evaluate([]string{"no policy"}, request)
	require.ErrorContains(t, err, "not a JSON object")
}

func TestEvaluateResource(t *testing.T) {
	role := "arn:aws:iam::123456789012:role/server"
	request := policy.Request{Action: "kms:Decrypt", Resource: "k", Principals: []string{role}}
	for name, test := range map[string]struct {
		principal string
		want      policy.Decision
	}{
		"this role":   {`{"AWS":"` + role + `"}`, policy.Allowed},
		"everybody":   {`"*"`, policy.Allowed},
		"the account": {`{"AWS":"arn:aws:iam::123456789012:root"}`, policy.Undecided},
		"a service":   {`{"Service":"logs.amazonaws.com"}`, policy.Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := policy.EvaluateResource(`{"Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*","Principal":`+test.principal+`}]}`, request)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}
