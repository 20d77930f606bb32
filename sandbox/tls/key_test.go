package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

var keyCases = []struct {
	name   string
	inputs map[string]any
	pem    string
	bits   int
}{
	{"RSA by default", map[string]any{"algorithm": "RSA"}, "RSA PRIVATE KEY", 2048},
	{"RSA of a size", map[string]any{"algorithm": "RSA", "rsaBits": 3072.0}, "RSA PRIVATE KEY", 3072},
	{"ECDSA by default", map[string]any{"algorithm": "ECDSA"}, "EC PRIVATE KEY", 224},
	{"ECDSA P256", map[string]any{"algorithm": "ECDSA", "ecdsaCurve": "P256"}, "EC PRIVATE KEY", 256},
	{"ECDSA P384", map[string]any{"algorithm": "ECDSA", "ecdsaCurve": "P384"}, "EC PRIVATE KEY", 384},
	{"ECDSA P521", map[string]any{"algorithm": "ECDSA", "ecdsaCurve": "P521"}, "EC PRIVATE KEY", 521},
	{"ED25519", map[string]any{"algorithm": "ED25519"}, "PRIVATE KEY", 256},
}

func bits(t *testing.T, public crypto.PublicKey) int {
	t.Helper()
	switch k := public.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen()
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize
	case ed25519.PublicKey:
		return len(k) * 8
	}
	t.Fatalf("unexpected key %T", public)
	return 0
}

// Every form of the key holds the same key, of the size asked for.
func TestPrivateKeyForms(t *testing.T) {
	for _, c := range keyCases {
		t.Run(c.name, func(t *testing.T) {
			o := create(t, New(), privateKey, c.inputs)
			block, rest := pem.Decode([]byte(o.text(t, "privateKeyPem")))
			require.NotNil(t, block)
			require.Empty(t, rest)
			require.Equal(t, c.pem, block.Type)
			own, algorithm, err := parseKey("privateKeyPem", o.text(t, "privateKeyPem"))
			require.NoError(t, err)
			require.Equal(t, c.inputs["algorithm"], algorithm)
			require.Equal(t, c.bits, bits(t, own.Public()))

			pkcs8, _, err := parseKey("privateKeyPemPkcs8", o.text(t, "privateKeyPemPkcs8"))
			require.NoError(t, err)
			require.Equal(t, own.Public(), pkcs8.Public())

			block, _ = pem.Decode([]byte(o.text(t, "publicKeyPem")))
			public, err := x509.ParsePKIXPublicKey(block.Bytes)
			require.NoError(t, err)
			require.Equal(t, own.Public(), public)

			if c.bits == 224 {
				for _, name := range []string{"privateKeyOpenssh", "publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256"} {
					require.Empty(t, o.text(t, name), name)
				}
				return
			}
			raw, err := ssh.ParseRawPrivateKey([]byte(o.text(t, "privateKeyOpenssh")))
			require.NoError(t, err)
			signer, _, err := algorithmOf(raw)
			require.NoError(t, err)
			require.Equal(t, own.Public(), signer.Public())
			sshPublic, _, _, _, err := ssh.ParseAuthorizedKey([]byte(o.text(t, "publicKeyOpenssh")))
			require.NoError(t, err)
			require.Equal(t, ssh.FingerprintSHA256(sshPublic), o.text(t, "publicKeyFingerprintSha256"))
			require.Equal(t, ssh.FingerprintLegacyMD5(sshPublic), o.text(t, "publicKeyFingerprintMd5"))
			require.Equal(t, own.Public(), sshPublic.(ssh.CryptoPublicKey).CryptoPublicKey())
		})
	}
}

func TestPrivateHalvesAreSecretAndPublicOnesAreNot(t *testing.T) {
	for _, preview := range []bool{false, true} {
		created, err := New().Create(t.Context(), &pulumirpc.CreateRequest{
			Urn: urnOf(privateKey), Preview: preview, Properties: properties(t, map[string]any{"algorithm": "ED25519"}),
		})
		require.NoError(t, err)
		m, err := plugin.Unmarshal(created.GetProperties())
		require.NoError(t, err)
		for _, name := range []string{"privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8"} {
			require.True(t, m[resourceKey(name)].IsSecret(), "%s, preview %v", name, preview)
		}
		for _, name := range []string{"publicKeyPem", "publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256", "algorithm"} {
			require.False(t, m[resourceKey(name)].ContainsSecrets(), "%s, preview %v", name, preview)
		}
		require.Equal(t, preview, m["publicKeyPem"].IsComputed())
		require.False(t, m["algorithm"].IsComputed())
		require.Equal(t, preview, created.GetId() == "")
	}
}

func TestTwoKeysDiffer(t *testing.T) {
	p := New()
	require.NotEqual(t, key(t, p, "ED25519"), key(t, p, "ED25519"))
}

// The machine's own tools read the keys, where they are installed.
func TestKeysAgainstOpenSSLAndSSHKeygen(t *testing.T) {
	for _, c := range keyCases {
		t.Run(c.name, func(t *testing.T) {
			o := create(t, New(), privateKey, c.inputs)
			if _, err := exec.LookPath("openssl"); err == nil {
				for _, form := range []string{"privateKeyPem", "privateKeyPemPkcs8"} {
					out := pipe(t, o.text(t, form), "openssl", "pkey", "-pubout")
					require.Equal(t, strings.TrimSpace(o.text(t, "publicKeyPem")), strings.TrimSpace(out), form)
				}
			}
			if _, err := exec.LookPath("ssh-keygen"); err == nil && c.bits != 224 {
				file := filepath.Join(t.TempDir(), "key")
				require.NoError(t, os.WriteFile(file, []byte(o.text(t, "privateKeyOpenssh")), 0o600))
				out := pipe(t, "", "ssh-keygen", "-y", "-f", file)
				require.Equal(t, strings.Fields(o.text(t, "publicKeyOpenssh"))[:2], strings.Fields(out)[:2])
				out = pipe(t, "", "ssh-keygen", "-l", "-f", file)
				require.Contains(t, out, o.text(t, "publicKeyFingerprintSha256"))
			}
		})
	}
}

func pipe(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Stdin = strings.NewReader(stdin)
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return string(out)
}

func TestGetPublicKey(t *testing.T) {
	p := New()
	o := create(t, p, privateKey, map[string]any{"algorithm": "ED25519"})
	for input, output := range map[string]string{"privateKeyPem": "privateKeyPem", "privateKeyOpenssh": "privateKeyOpenssh"} {
		result, err := p.Invoke(t.Context(), &pulumirpc.InvokeRequest{
			Tok: "tls:index/getPublicKey:getPublicKey", Args: properties(t, map[string]any{input: o.text(t, output)}),
		})
		require.NoError(t, err)
		fields := result.GetReturn().GetFields()
		require.Equal(t, o.text(t, "publicKeyPem"), fields["publicKeyPem"].GetStringValue())
		require.Equal(t, "ED25519", fields["algorithm"].GetStringValue())
		require.Equal(t, o.id, fields["id"].GetStringValue())
	}
	_, err := p.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "tls:index/getPublicKey:getPublicKey"})
	require.ErrorContains(t, err, "exactly one of")
}
