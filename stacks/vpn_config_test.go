package stacks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// An authority that is given is read and checked before anything is registered;
// what is wrong is said by key. What a good one does: components/clientvpn.
func TestReadAuthority(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("no certificate"), 0o600))
	for name, test := range map[string]struct {
		authority Authority
		want      string
	}{
		"no file": {Authority{CertificateFile: "none.pem", ServerCertificateFile: "ca.pem", ServerKeyFile: "ca.pem"},
			"config strongroom:vpn.authority.certificateFile: cannot be read: open "},
		"no key": {Authority{CertificateFile: "ca.pem", ServerCertificateFile: filepath.Join(dir, "ca.pem"), ServerKeyFile: "none.pem"},
			"config strongroom:vpn.authority.serverKeyFile: cannot be read: open "},
		"no certificate": {Authority{CertificateFile: "ca.pem", ServerCertificateFile: "ca.pem", ServerKeyFile: "ca.pem"},
			"config strongroom:vpn.authority.certificateFile: expected one certificate in PEM form"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := &Config{Stack: "tooling", VPN: VPN{ClientCIDR: "10.100.0.0/22", ServerName: "vpn.tooling.internal", Authority: test.authority}}
			require.ErrorContains(t, cfg.readAuthority(dir), test.want)
			cfg.VPN.ClientCIDR = ""
			require.NoError(t, cfg.readAuthority(dir), "without a VPN the files do not matter")
		})
	}
	require.NoError(t, (&Config{VPN: VPN{ClientCIDR: "10.100.0.0/22"}}).readAuthority(dir))
}
