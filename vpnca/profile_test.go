package vpnca

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRender(t *testing.T) {
	a, _ := newAuthority(t)
	e := issue(t, a, "alice")
	text, err := Profile{Remote: remote, CA: a.Certificate, Entry: e, Key: []byte("KEY\n")}.Render()
	require.NoError(t, err)
	var directives []string
	inline := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "</"):
			inline = ""
		case inline != "" || strings.HasPrefix(line, "#"):
		default:
			directives = append(directives, line)
			if strings.HasPrefix(line, "<") {
				inline = line
			}
		}
	}
	// What AWS exports, and the name that the endpoint must show.
	require.Equal(t, []string{
		"client", "dev tun", "proto udp",
		"remote cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com 443", "remote-random-hostname",
		"resolv-retry infinite", "nobind", "persist-key", "persist-tun",
		"remote-cert-tls server", "verify-x509-name vpn.tooling.internal name", "tls-version-min 1.2", "cipher AES-256-GCM",
		"auth-nocache", "reneg-sec 0", "verb 3", "<ca>", "<cert>", "<key>",
	}, directives)
	require.Contains(t, string(text), "<ca>\n"+certificatePEM(a.Certificate.Raw)+"</ca>\n")
	require.Contains(t, string(text), "<cert>\n"+e.Certificate+"</cert>\n<key>\nKEY\n</key>\n")

	text, err = Profile{Remote: remote, CA: a.Certificate, Entry: e, KeyFile: "alice.key"}.Render()
	require.NoError(t, err)
	require.Contains(t, string(text), "\nkey \"alice.key\"\n")
	require.NotContains(t, string(text), "<key>")
}

func TestRenderRefuses(t *testing.T) {
	a, _ := newAuthority(t)
	e := issue(t, a, "alice")
	for name, tt := range map[string]struct {
		change func(*Profile)
		want   string
	}{
		"no host":            {func(p *Profile) { p.Remote.Host = "" }, "is not a DNS name"},
		"a host and more":    {func(p *Profile) { p.Remote.Host = "a.b\nscript-security 2" }, "is not a DNS name"},
		"an address":         {func(p *Profile) { p.Remote.Host = "a.b 1194 tcp" }, "is not a DNS name"},
		"no server name":     {func(p *Profile) { p.Remote.ServerName = "" }, "the endpoint's certificate"},
		"a server name more": {func(p *Profile) { p.Remote.ServerName = "a.b name\nup /bin/sh" }, "the endpoint's certificate"},
		"a port":             {func(p *Profile) { p.Remote.Port = 70000 }, "1 to 65535"},
		"no key":             {func(p *Profile) { p.Key = nil }, "cannot name"},
		"a key file":         {func(p *Profile) { p.Key, p.KeyFile = nil, "a\"\nup x" }, "cannot name"},
		"nobody":             {func(p *Profile) { p.Entry = nil }, "needs the CA's certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			p := Profile{Remote: remote, CA: a.Certificate, Entry: e, Key: []byte("KEY")}
			tt.change(&p)
			_, err := p.Render()
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// Proves that a key opens with its passphrase and with no other, for OpenSSL too.
func TestKeyEncryption(t *testing.T) {
	passphrase := []byte("correct horse, battery")
	text, err := EncodeKey(testKey(), passphrase)
	require.NoError(t, err)
	require.Contains(t, string(text), "BEGIN ENCRYPTED PRIVATE KEY")
	key, err := DecodeKey(text, passphrase)
	require.NoError(t, err)
	require.True(t, testKey().Equal(key))
	_, err = DecodeKey(text, []byte("wrong horse, battery"))
	require.ErrorContains(t, err, "does not open")
	_, err = DecodeKey(text, nil)
	require.ErrorContains(t, err, "give its passphrase")

	dir := t.TempDir()
	file := write(t, dir, "key.pem", string(text))
	out, err := openssl(t, "pkey", "-in", file, "-passin", "file:"+write(t, dir, "good", string(passphrase)), "-noout", "-check")
	require.NoError(t, err, out)
	require.Contains(t, out, "Key is valid")
	out, err = openssl(t, "pkey", "-in", file, "-passin", "file:"+write(t, dir, "bad", "wrong"), "-noout")
	require.Error(t, err, out)
	out, err = openssl(t, "asn1parse", "-in", file)
	require.NoError(t, err, out)
	for _, want := range []string{"PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc"} {
		require.Contains(t, out, want)
	}

	plain, err := EncodeKey(testKey(), nil)
	require.NoError(t, err)
	key, err = DecodeKey(plain, nil)
	require.NoError(t, err)
	require.True(t, testKey().Equal(key))
}

func TestKeyRefused(t *testing.T) {
	for passphrase, want := range map[string]string{
		"short": "8 to 1023 are expected", strings.Repeat("a", 1024): "8 to 1023 are expected",
		"pässwörter": "printable ASCII", "two\nlines!": "printable ASCII",
	} {
		_, err := EncodeKey(testKey(), []byte(passphrase))
		require.ErrorContains(t, err, want)
	}
	for text, want := range map[string]string{
		"":        "expected one key in PEM form",
		"garbage": "expected one key in PEM form",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n":                                                             "damaged",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n":                                                             `got "CERTIFICATE"`,
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n": "openssl pkcs8 -topk8",
	} {
		_, err := DecodeKey([]byte(text), nil)
		require.ErrorContains(t, err, want, text)
	}
}
