package vpnca

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Remote is the endpoint as a client reaches it.
type Remote struct {
	// Host is the endpoint's DNS name, with or without the "*." that AWS shows before it.
	Host string
	// Port; 443 when 0.
	Port int
	// ServerName is the common name of the endpoint's certificate.
	ServerName string
}

// hostName is a DNS name of at least two labels, as RFC 1123 has it.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func (r Remote) check() error {
	host := strings.TrimPrefix(r.Host, "*.")
	switch {
	case len(host) > 253 || !hostName.MatchString(host):
		return fmt.Errorf("the endpoint's name %q is not a DNS name such as \"cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com\"", r.Host)
	case len(r.ServerName) > maxName || !hostName.MatchString(r.ServerName):
		return fmt.Errorf("the name in the endpoint's certificate is %q, and a DNS name of at most %d characters is expected", r.ServerName, maxName)
	case r.Port < 0 || r.Port > 65535:
		return fmt.Errorf("the endpoint's port is %d: 1 to 65535 is expected", r.Port)
	}
	return nil
}

// Profile is what a person's client needs.
type Profile struct {
	Remote Remote
	CA     *x509.Certificate
	Entry  *Entry
	// Key in PEM form, encrypted or not. Empty: KeyFile names the file that the
	// client reads it from.
	Key     []byte
	KeyFile string
}

// Render writes the profile as OpenVPN 2.5 and newer, Tunnelblick, OpenVPN Connect
// and the AWS client read it: what `aws ec2 export-client-vpn-client-configuration`
// gives, with the person's certificate and key, and the name that the endpoint
// must show.
func (p Profile) Render() ([]byte, error) {
	if err := p.Remote.check(); err != nil {
		return nil, err
	}
	if p.CA == nil || p.Entry == nil {
		return nil, errors.New("a profile needs the CA's certificate and the person's")
	}
	if len(p.Key) == 0 && (p.KeyFile == "" || strings.ContainsAny(p.KeyFile, "\"\\\r\n")) {
		return nil, fmt.Errorf("the file of the key is called %q, which a profile cannot name: call it something else", p.KeyFile)
	}
	port := p.Remote.Port
	if port == 0 {
		port = 443
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `# VPN profile of %s, valid until %s, certificate %s
# Whoever has this file has the access of %[1]s. Lost it? Have it revoked.
client
dev tun
proto udp
remote %[4]s %[5]d
# AWS answers for every name below the endpoint's; a new one each time gets past
# resolvers that keep old addresses.
remote-random-hostname
resolv-retry infinite
nobind
persist-key
persist-tun
# Only the endpoint: a server's certificate, of this CA, with this name.
remote-cert-tls server
verify-x509-name %[6]s name
tls-version-min 1.2
cipher AES-256-GCM
auth-nocache
# The endpoint decides when keys are renewed.
reneg-sec 0
verb 3
`, p.Entry.Name, day(p.Entry.Until), p.Entry.Serial, strings.TrimPrefix(p.Remote.Host, "*."), port, p.Remote.ServerName)
	block(&b, "ca", certificatePEM(p.CA.Raw))
	block(&b, "cert", p.Entry.Certificate)
	if len(p.Key) > 0 {
		block(&b, "key", string(p.Key))
	} else {
		fmt.Fprintf(&b, "# The key stays on the machine that made it; keep its file beside this one.\nkey \"%s\"\n", p.KeyFile)
	}
	return b.Bytes(), nil
}

func block(b *bytes.Buffer, name, text string) {
	fmt.Fprintf(b, "<%s>\n%s\n</%s>\n", name, strings.TrimSpace(text), name)
}
