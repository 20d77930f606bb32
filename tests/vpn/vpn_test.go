package vpn

import (
	"crypto"
	"crypto/x509"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// machines are the endpoint with the VPC behind it, and two people's machines
// that reach nothing but the endpoint and a public resolver.
func machines(t *testing.T, s *site) (endpoint, alice, bob *namespace) {
	t.Helper()
	endpoint = newNamespace(t, "192.0.2.1")
	alice, bob = newNamespace(t, "192.0.2.1"), newNamespace(t, "192.0.2.5")
	connect(endpoint, alice, "alice", "192.0.2.1/30", "192.0.2.2/30")
	connect(endpoint, bob, "bob", "192.0.2.5/30", "192.0.2.6/30")
	vpc := newNamespace(t, vpcResolver)
	connect(endpoint, vpc, "vpc", "10.0.0.1/16", vpcResolver+"/16")
	vpc.run("ip", "address", "add", vaultAddress+"/16", "dev", "uplink")
	// The VPC answers who comes through the VPN, as its security groups would, and
	// nobody who comes past it.
	vpc.run("ip", "route", "replace", clientNetwork, "via", "10.0.0.1")
	vpc.run("ip", "route", "delete", "default")
	endpoint.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
	ca, caKey := selfSigned(t, "the platform's CA")
	certificate, key := sign(t, server(vaultName), ca, caKey)
	s.write("platform-ca.pem", pemOf(ca))
	vpc.serve("vpc", s.write("vault.pem", certificate), s.write("vault.key", key))
	host := strings.TrimPrefix(s.host, "*.")
	endpoint.serve("resolver", "192.0.2.1", host)
	endpoint.serve("resolver", "192.0.2.5", host)
	return endpoint, alice, bob
}

// letIn proves that a client is in: the route, the resolver, Vault by its name, and
// that everything else goes where it went before.
func letIn(t *testing.T, n *namespace, s *site) {
	t.Helper()
	require.Contains(t, n.run("ip", "route", "get", vaultAddress), "dev tun0")
	require.Contains(t, n.run("ip", "route", "get", "10.1.2.3"), "dev tun0", "the peered VPC")
	require.NotContains(t, n.run("ip", "route", "get", "203.0.113.7"), "tun0", "split tunnel")
	require.Equal(t, "nameserver "+vpcResolver+"\n", n.run("cat", "/etc/resolv.conf"))
	line, err := n.reach(s.file("platform-ca.pem"))
	require.NoError(t, err)
	require.Regexp(t, `^vault sees 10\.100\.[0-3]\.\d+:\d+$`, line)
}

// Proves the life of a profile with stock OpenVPN on both sides.
func TestProfiles(t *testing.T) {
	requireNamespaces(t)
	s := newSite(t)
	endpoint, aliceAt, bobAt := machines(t, s)
	vpn := startServer(endpoint, s, s.file("server.pem"), s.file("server.key"))
	s.reset = func() { require.NoError(t, vpn.cmd.Process.Signal(syscall.SIGUSR1)) }

	aliceProfile := s.issue("alice", nil)
	secret := "a passphrase of his"
	bobProfile := s.issue("bob", []byte(secret))
	_, err := aliceAt.reach(s.file("platform-ca.pem"))
	require.Error(t, err, "there is no way in without the VPN")

	alice := startClient(aliceAt, "alice", aliceProfile)
	bob := startClient(bobAt, "bob", bobProfile, "--askpass", s.write("passphrase", []byte(secret+"\n")))
	alice.wait(0, connected)
	_, bobUp := bob.wait(0, connected)
	letIn(t, aliceAt, s)
	letIn(t, bobAt, s)
	line, _ := alice.wait(0, `VERIFY X509NAME OK`)
	require.Contains(t, line, "CN="+s.serverName)

	// Revoked, alice is thrown out and stays out; bob comes back by himself.
	from := vpn.position()
	require.NoError(t, s.authority.Revoke(t.Context(), "alice", "keyCompromise"))
	_, imported, err := s.authority.Publish(t.Context(), s)
	require.NoError(t, err)
	require.True(t, imported)
	line, _ = vpn.wait(from, `certificate revoked`)
	require.Contains(t, line, "CN=alice")
	bob.wait(bobUp, connected)
	letIn(t, bobAt, s)
	_, err = aliceAt.reach(s.file("platform-ca.pem"))
	require.Error(t, err)
	alice.stop()
	refused(t, vpn, aliceAt, "alice again", aliceProfile, `certificate revoked.*CN=alice`)

	otherCA, otherKey := selfSigned(t, s.serverName+" CA") // of the same name
	expired := client("expired")
	expired.NotBefore, expired.NotAfter = expired.NotBefore.AddDate(-2, 0, 0), expired.NotAfter.AddDate(-1, 0, 0)
	ca, caKey := s.authority.Certificate, s.authority.Key
	refused(t, vpn, aliceAt, "another CA's", s.forged("mallory", client("mallory"), otherCA, otherKey), `VERIFY ERROR: depth=[01], error=.*(signature|issuer)`)
	refused(t, vpn, aliceAt, "expired", s.forged("expired", expired, ca, caKey), `certificate has expired.*CN=expired`)
	refused(t, vpn, aliceAt, "a server as a client", s.forged("a-server", server("a.server"), ca, caKey), `(unsupported certificate purpose|unsuitable certificate purpose|VERIFY EKU ERROR)`)
	// The others' failures are not bob's.
	letIn(t, bobAt, s)

	// Who is inside cannot pose as the endpoint, nor can another server of this CA.
	bob.stop()
	vpn.stop()
	const purpose = `(unsupported certificate purpose|unsuitable certificate purpose|VERIFY EKU ERROR)`
	for _, tt := range []struct {
		name     string
		template *x509.Certificate
		ca       *x509.Certificate
		key      crypto.Signer
		why      string
	}{
		{"a client as the server", client("carol"), ca, caKey, purpose},
		{"a client with the server's name", client(s.serverName), ca, caKey, purpose},
		{"another server of this CA", server("other.tooling.internal"), ca, caKey, `VERIFY X509NAME ERROR`},
		{"the same name from another CA", server(s.serverName), otherCA, otherKey, `VERIFY ERROR: depth=[01], error=.*(signature|issuer)`},
	} {
		certificate, key := sign(t, tt.template, tt.ca, tt.key)
		impostor := startServer(endpoint, s, s.write("impostor.pem", certificate), s.write("impostor.key", key))
		bobAt.resolver("192.0.2.5")
		victim := startClient(bobAt, tt.name, bobProfile, "--askpass", s.file("passphrase"))
		line, _ := victim.wait(0, tt.why)
		t.Logf("%s: %s", tt.name, line)
		require.False(t, victim.has(connected), tt.name)
		victim.stop()
		impostor.stop()
	}
}

// refused proves that the server turns a client away for the right reason.
func refused(t *testing.T, vpn *openvpn, at *namespace, name, profile, why string) {
	t.Helper()
	at.resolver("192.0.2.1")
	from := vpn.position()
	c := startClient(at, name, profile)
	line, _ := vpn.wait(from, why)
	t.Logf("%s: %s", name, regexp.MustCompile(`^\S+ \S+ `).ReplaceAllString(line, ""))
	require.False(t, c.has(connected), name)
	c.stop()
	_, err := at.reach("/dev/null")
	require.Error(t, err)
}
