package vaulthost

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const chart = `server:
  image: {repository: docker.io/hashicorp/vault, tag: 2.0.4}
  ha:
    replicas: 3
    raft: {config: "ui = true"}
`

// self-signed, for vault.tooling.internal
func certificate(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "tls.crt"))
	require.NoError(t, err)
	return data
}

func TestRead(t *testing.T) {
	secret := func(name string, data map[string][]byte) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}
	}
	good := secret(tlsSecret, map[string][]byte{"ca.crt": []byte("ca"), "tls.crt": certificate(t), "tls.key": []byte("key")})
	r, err := read(secret(valuesSecret, map[string][]byte{valuesKey: []byte(chart)}), good)
	require.NoError(t, err)
	require.Equal(t, release{
		replicas: 3, config: "ui = true", image: "docker.io/hashicorp/vault:2.0.4", serverName: "vault.tooling.internal",
		ca: []byte("ca"), certificate: certificate(t), key: []byte("key"),
	}, r)

	for want, data := range map[string]map[string][]byte{
		`Secret vault/vault-helm-values has no key "values.yaml"`: {},
		`key "values.yaml": error converting YAML`:                {valuesKey: []byte("{")},
		`expected server.ha.replicas and server.ha.raft.config`:   {valuesKey: []byte("server: {}")},
	} {
		_, err := read(secret(valuesSecret, data), good)
		require.ErrorContains(t, err, want)
	}
	_, err = read(secret(valuesSecret, map[string][]byte{valuesKey: []byte(chart)}), secret(tlsSecret, map[string][]byte{"tls.crt": []byte("no")}))
	require.ErrorContains(t, err, "tls.crt is no certificate in PEM")
}
