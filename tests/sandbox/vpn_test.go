package sandbox_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
)

// A new server certificate, as at its renewal, is imported over the old one: the
// preview says that the endpoint stays, and it does.
func TestVPNServerCertificateIsRenewedInPlace(t *testing.T) {
	p := newPlace(t)
	p.configure("tooling", map[string]any{"network.zones": []any{"a", "b"}})
	p.up("tooling")
	before := p.ids("aws:ec2clientvpn/", "aws:acm/certificate:Certificate")
	require.NotEmpty(p, before)

	p.configure("tooling", map[string]any{"vpn.certificateDays": 200})
	planned := p.preview("tooling")
	shown := func(op, typ string) bool {
		return slices.ContainsFunc(planned.Steps, func(e deploy.Event) bool { return e.Op == op && e.Type == typ })
	}
	require.True(p, shown("replace", "tls:index/locallySignedCert:LocallySignedCert"), "%v", steps(planned))
	require.True(p, shown("update", "aws:acm/certificate:Certificate"), "%v", steps(planned))
	require.False(p, shown("replace", "aws:ec2clientvpn/endpoint:Endpoint"), "%v", steps(planned))
	require.False(p, shown("replace", "tls:index/selfSignedCert:SelfSignedCert"), "the authority stays, and with it everybody's profile")

	made := p.up("tooling")
	require.Equal(p, counts(planned), counts(made))
	require.Equal(p, before, p.ids("aws:ec2clientvpn/", "aws:acm/certificate:Certificate"))
	p.destroy("tooling")
	p.empty()
}
