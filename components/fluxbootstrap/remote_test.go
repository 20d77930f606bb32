package fluxbootstrap_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	"pgregory.net/rapid"

	"github.com/strongroom-platform/strongroom/components/fluxbootstrap"
)

// hostKey is a key of a host, as a line of known_hosts has it.
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"

func TestParseURL(t *testing.T) {
	for url, want := range map[string]fluxbootstrap.Remote{
		"ssh://git@github.com/example/strongroom.git":       {User: "git", Host: "github.com", Port: "22"},
		"ssh://flux@127.0.0.1:2222/strongroom.git":          {User: "flux", Host: "127.0.0.1", Port: "2222"},
		"ssh://git@[2001:db8::1]:22/a/b":                    {User: "git", Host: "2001:db8::1", Port: "22"},
		"ssh://APKAEXAMPLE@git-codecommit.eu-west-1.x/v1/r": {User: "APKAEXAMPLE", Host: "git-codecommit.eu-west-1.x", Port: "22"},
	} {
		got, err := fluxbootstrap.ParseURL(url)
		require.NoError(t, err, url)
		require.Equal(t, want, got)
	}
	for url, want := range map[string]string{
		"":                                    `is missing: give the repository's address`,
		"https://github.com/example/s.git":    `begins with https://, but the repository is read over SSH with a deploy key: write "ssh://git@github.com/example/s.git"`,
		"http://github.com/example/s.git":     `begins with http://`,
		"git://github.com/example/s.git":      `begins with "git://": use ssh://`,
		"ssh://github.com/example/s.git":      `has no user: write "ssh://git@github.com/example/s.git"`,
		"git@github.com:example/s.git":        `is in scp's form, which Flux does not read: write "ssh://git@github.com/example/s.git"`,
		"ssh://git:hunter2@github.com/e/s":    `holds a password`,
		"ssh://git@github.com":                `has no path`,
		"ssh://git@/example/s.git":            `has no host`,
		"ssh://git@github.com/e/s?ref=main":   `has something after the path`,
		"ssh://git@github.com/%zz?token=key1": `is no URL`,
	} {
		_, err := fluxbootstrap.ParseURL(url)
		require.ErrorContains(t, err, want, url)
		require.NotContains(t, err.Error(), "hunter2")
		require.NotContains(t, err.Error(), "key1")
	}
}

func TestKnownHosts(t *testing.T) {
	remote := fluxbootstrap.Remote{User: "git", Host: "git.example.com", Port: "22"}
	elsewhere := fluxbootstrap.Remote{User: "git", Host: "127.0.0.1", Port: "2222"}
	for name, lines := range map[string]string{
		"plain":    "git.example.com " + hostKey,
		"list":     "# pinned\n\nother.example.com,git.example.com " + hostKey + "\n",
		"hashed":   knownhosts.HashHostname("git.example.com") + " " + hostKey,
		"two keys": "other.example.com " + hostKey + "\ngit.example.com " + hostKey + " comment",
	} {
		require.NoError(t, fluxbootstrap.CheckKnownHosts(lines, remote), name)
	}
	require.NoError(t, fluxbootstrap.CheckKnownHosts("[127.0.0.1]:2222 "+hostKey, elsewhere))
	for name, bad := range map[string]struct {
		lines  string
		remote fluxbootstrap.Remote
		want   string
	}{
		"none":         {"", remote, "is missing: the keys of git.example.com must be pinned"},
		"another host": {"github.com " + hostKey, remote, "does not know git.example.com, only github.com: "},
		"another port": {"127.0.0.1 " + hostKey, elsewhere, "does not know [127.0.0.1]:2222, only 127.0.0.1: "},
		"pattern":      {"*.example.com " + hostKey, remote, "does not know git.example.com"},
		"revoked":      {"@revoked git.example.com " + hostKey, remote, "does not know git.example.com"},
		"no key":       {"git.example.com", remote, "has a line that is none of known_hosts"},
		"hashed other": {knownhosts.HashHostname("github.com") + " " + hostKey, remote, "does not know git.example.com"},
	} {
		require.ErrorContains(t, fluxbootstrap.CheckKnownHosts(bad.lines, bad.remote), bad.want, name)
	}
}

// Whatever stands in known_hosts, the check ends and never takes a line for another host.
func TestKnownHostsSurvivesAnything(t *testing.T) {
	remote := fluxbootstrap.Remote{User: "git", Host: "git.example.com", Port: "22"}
	rapid.Check(t, func(rt *rapid.T) {
		lines := rapid.String().Draw(rt, "lines")
		if strings.Contains(lines, "git.example.com") || strings.Contains(lines, "|1|") {
			return
		}
		if fluxbootstrap.CheckKnownHosts(lines, remote) == nil {
			rt.Fatalf("%q was taken for a line of git.example.com", lines)
		}
	})
}

func TestPrivateKey(t *testing.T) {
	require.NoError(t, fluxbootstrap.CheckPrivateKey(privateKey(t, "")))
	require.ErrorContains(t, fluxbootstrap.CheckPrivateKey(privateKey(t, "hunter2")), "has a passphrase, and Flux has nobody to ask for it")
	err := fluxbootstrap.CheckPrivateKey("hunter2")
	require.ErrorContains(t, err, "is no private key in PEM or OpenSSH form")
	require.NotContains(t, err.Error(), "hunter2")
}

// privateKey makes a key as ssh-keygen does, with a passphrase unless it is empty.
func privateKey(t *testing.T, passphrase string) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "test")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "test", []byte(passphrase))
	}
	require.NoError(t, err)
	return string(pem.EncodeToMemory(block))
}
