package vpn

import (
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/vpnca"
)

// newSite makes the certificates of an endpoint.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), serverName: "vpn.tooling.internal"}
	ca, caKey := selfSigned(t, s.serverName+" CA")
	certificate, key := sign(t, server(s.serverName), ca, caKey)
	s.write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
	s.write("server.pem", certificate)
	s.write("server.key", key)
	s.authority = &vpnca.Authority{
		Certificate: ca, Key: caKey, By: "the test", ServerName: s.serverName,
		Store: &vpnca.FileStore{Path: s.file("index.json")},
	}
	_, err := s.authority.RefreshCRL(t.Context(), vpnca.RefreshWithin)
	require.NoError(t, err)
	_, _, err = s.authority.Publish(t.Context(), s)
	require.NoError(t, err)
	return s
}
