package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPodIdentityAssociation(t *testing.T) {
	w := newEKSWorld(t)
	w.cluster()
	inputs := m{"clusterName": "tooling", "namespace": "vault", "serviceAccount": "vault", "roleArn": w.podRole.Outputs["arn"]}
	o := w.create(typePodIdentityAssociation, inputs)
	require.Regexp(t, `^a-[a-z2-7]{17}$`, o.ID)
	require.Equal(t, o.ID, o.Outputs["associationId"])
	w.settled(o)
	other := w.role("other", podTrust)
	require.Equal(t, Diff{Changed: []string{"roleArn"}}, w.diff(o, m{"roleArn": other.Outputs["arn"]}))
	require.NoError(t, w.update(o, m{"roleArn": other.Outputs["arn"]}))
	refused(t, w.update(o, m{"roleArn": w.nodeRole.Outputs["arn"]}), "InvalidParameterException")
	require.Equal(t, Diff{Changed: []string{"namespace"}, Replaces: []string{"namespace"}}, w.diff(o, m{"namespace": "other"}))

	for name, test := range map[string]struct {
		changes m
		code    string
	}{
		"a second one":        {m{}, "ResourceInUseException"},
		"no such cluster":     {m{"clusterName": "other"}, "ResourceNotFoundException"},
		"no such role":        {m{"namespace": "a", "roleArn": "arn:aws:iam::123456789012:role/nobody"}, "InvalidParameterException"},
		"a role not for pods": {m{"namespace": "a", "roleArn": w.nodeRole.Outputs["arn"]}, "InvalidParameterException"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.try(typePodIdentityAssociation, with(inputs, test.changes))
			refused(t, err, test.code)
		})
	}
	require.NoError(t, w.delete(o))
	w.create(typePodIdentityAssociation, inputs)
}

func TestTrustedServices(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		statement string
		want      bool
	}{
		"lists":             {`{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","pods.eks.amazonaws.com"]},"Action":["sts:AssumeRole"]}`, true},
		"single values":     {`{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":"sts:AssumeRole"}`, true},
		"a wildcard":        {`{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":"sts:*"}`, true},
		"another action":    {`{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":"sts:TagSession"}`, false},
		"a denial":          {`{"Effect":"Deny","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":"sts:AssumeRole"}`, false},
		"another principal": {`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}`, false},
		"everyone":          {`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`, false},
		"no statement":      {`nonsense`, false},
	} {
		t.Run(name, func(t *testing.T) {
			role := &Object{Outputs: m{"assumeRolePolicy": `{"Version":"2012-10-17","Statement":` + test.statement + `}`}}
			require.Equal(t, test.want, w.a.view().trusts(role, "pods.eks.amazonaws.com", "sts:AssumeRole"))
		})
	}
}
