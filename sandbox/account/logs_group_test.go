package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogGroup(t *testing.T) {
	w := newWorld(t)
	group := w.create(typeLogGroup, m{"name": "/aws/eks/tooling/cluster", "retentionInDays": 90})
	require.Equal(t, "/aws/eks/tooling/cluster", group.ID)
	require.Equal(t, "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/eks/tooling/cluster", group.Outputs["arn"])
	require.Equal(t, "STANDARD", group.Outputs["logGroupClass"])
	_, err := w.try(typeLogGroup, m{"name": "/aws/eks/tooling/cluster"})
	refused(t, err, "ResourceAlreadyExistsException")
	require.NoError(t, w.update(group, m{"retentionInDays": 365}))
	require.ErrorContains(t, w.update(group, m{"retentionInDays": 100}), "100 is not allowed")
	refused(t, w.update(group, m{"logGroupClass": "INFREQUENT_ACCESS"}), "InvalidParameterValue")
	_, err = w.try(typeLogGroup, m{"name": "a b"})
	require.ErrorContains(t, err, "name: ")
	_, err = w.try(typeLogGroup, m{"name": strings.Repeat("x", 513)})
	require.ErrorContains(t, err, "must have 1 to 512")
	_, err = w.try(typeLogGroup, m{"skipDestroy": true})
	require.ErrorContains(t, err, "not modelled")
}

func TestLogGroupKey(t *testing.T) {
	w := newWorld(t)
	plain := w.create(typeKey, m{})
	allowed := w.create(typeKey, m{"policy": `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"Service":"logs.eu-central-1.amazonaws.com"},"Action":["kms:Encrypt*","kms:Decrypt*"],"Resource":"*"}]}`})
	group := w.create(typeLogGroup, m{"kmsKeyId": allowed.Outputs["arn"]})
	require.NoError(t, w.update(group, m{"kmsKeyId": nil}))
	refused(t, w.update(group, m{"kmsKeyId": plain.Outputs["arn"]}), "InvalidParameterException")
	_, err := w.try(typeLogGroup, m{"kmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/gone"})
	refused(t, err, "InvalidParameterException")
	_, err = w.try(typeLogGroup, m{"kmsKeyId": allowed.ID})
	require.ErrorContains(t, err, "is not the ARN of a key")
}
