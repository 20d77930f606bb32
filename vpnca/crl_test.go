package vpnca

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Proves the number and the dates, and that a list is signed anew only when the
// one that is there runs out soon.
func TestRefreshCRL(t *testing.T) {
	a, c := newAuthority(t)
	first, err := a.RefreshCRL(t.Context(), RefreshWithin)
	require.NoError(t, err)
	require.EqualValues(t, 1, first.Number)
	require.Empty(t, revokedIn(t, a, first), "an empty list is a list")
	require.Equal(t, start, first.From)
	require.Equal(t, start.Add(DefaultCRLLife), first.Until)

	c.pass(119 * 24 * time.Hour)
	same, err := a.RefreshCRL(t.Context(), RefreshWithin)
	require.NoError(t, err)
	require.Equal(t, first, same)
	c.pass(24 * time.Hour)
	second, err := a.RefreshCRL(t.Context(), RefreshWithin)
	require.NoError(t, err)
	require.EqualValues(t, 2, second.Number)
	require.Equal(t, c.Now().Add(DefaultCRLLife), second.Until)

	forced, err := a.RefreshCRL(t.Context(), 2*DefaultCRLLife)
	require.NoError(t, err)
	require.EqualValues(t, 3, forced.Number)
}

// No list promises a next one that nobody could sign.
func TestCRLEndsWithTheCA(t *testing.T) {
	a, _ := newAuthority(t)
	a.Certificate = makeCA(t, testKey(), func(c *x509.Certificate) { c.NotAfter = start.AddDate(0, 1, 0) })
	crl, err := a.RefreshCRL(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, start.AddDate(0, 1, 0), crl.Until)
}

// Proves RFC 5280 section 3.3: a certificate that has run out leaves the list after
// one that was made since then.
func TestCRLForgetsWhatRanOut(t *testing.T) {
	a, c := newAuthority(t)
	_, request, err := NewKey("alice")
	require.NoError(t, err)
	e, err := a.Issue(t.Context(), request, 48*time.Hour)
	require.NoError(t, err)
	require.NoError(t, a.Revoke(t.Context(), "alice", ""))
	c.pass(72 * time.Hour)
	for n, want := range [][]string{{e.Serial}, {}, {}} {
		crl, err := a.RefreshCRL(t.Context(), 2*DefaultCRLLife)
		require.NoError(t, err)
		require.ElementsMatch(t, want, revokedIn(t, a, crl), n)
		c.pass(time.Hour)
	}
	require.Len(t, index(t, a).Entries, 1, "the history stays")
}

// Proves that a new CA begins with nobody, that the old one's certificates are in
// none of its lists, and that the numbers go on.
func TestNewCA(t *testing.T) {
	a, _ := newAuthority(t)
	issue(t, a, "alice")
	issue(t, a, "bob")
	require.NoError(t, a.Revoke(t.Context(), "bob", ""))
	key := makeKey(2048)
	a.Key, a.Certificate = key, makeCA(t, key, nil)

	i := index(t, a)
	require.Equal(t, Foreign, i.Entries[0].StateOf(a.Certificate, start))
	require.True(t, a.Published(i, "cvpn-endpoint-1"), "no list of this CA yet")
	require.ErrorIs(t, a.Revoke(t.Context(), "alice", ""), ErrUnknown)
	e := issue(t, a, "alice")
	require.NoError(t, a.Revoke(t.Context(), "alice", ""))
	i = index(t, a)
	require.EqualValues(t, 2, i.CRL.Number)
	require.Equal(t, []string{e.Serial}, revokedIn(t, a, i.CRL))
}

func TestWarnings(t *testing.T) {
	const id = "cvpn-endpoint-0123456789abcdef0"
	a, c := newAuthority(t)
	issue(t, a, "alice")
	issue(t, a, "bob")
	require.Empty(t, a.Warnings(index(t, a), id))

	require.NoError(t, a.Revoke(t.Context(), "bob", ""))
	require.Contains(t, a.Warnings(index(t, a), id)[0], "does not have revocation list 1, so that whoever was revoked last can still connect")
	_, _, err := a.Publish(t.Context(), &fakeEndpoint{})
	require.NoError(t, err)
	require.Empty(t, a.Warnings(index(t, a), id))
	require.Len(t, a.Warnings(index(t, a), "cvpn-endpoint-2"), 1, "an endpoint that was made anew has no list")

	c.pass(151 * 24 * time.Hour)
	require.Contains(t, a.Warnings(index(t, a), id)[0], "revocation list 1 runs out on 2030-11-02, in 29 days")
	c.pass(29 * 24 * time.Hour)
	require.Contains(t, a.Warnings(index(t, a), id)[0], "revocation list 1 ran out on 2030-11-02")
	_, err = a.RefreshCRL(t.Context(), RefreshWithin)
	require.NoError(t, err)
	c.pass(160 * 24 * time.Hour)
	warnings := a.Warnings(index(t, a), "")
	require.Len(t, warnings, 2)
	require.Contains(t, warnings[0], "runs out on 2031-05-01")
	require.Contains(t, warnings[1], `the certificate of "alice" runs out on 2031-05-06, in 25 days: `+"`strongroom vpn renew alice`")
	// Renewed: no more to say about it.
	_, request, err := NewKey("alice")
	require.NoError(t, err)
	_, err = a.Renew(t.Context(), request, 0, false)
	require.NoError(t, err)
	require.Len(t, a.Warnings(index(t, a), ""), 1)

	a.Now = func() time.Time { return start.AddDate(9, 0, 0) }
	require.Contains(t, a.Warnings(index(t, a), "")[1], `the CA "the VPN's CA" runs out on 2040-05-06, in 366 days: replace it before`)
}
