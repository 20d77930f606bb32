package vpnca

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// inlined is what stands between <name> and </name>.
func inlined(t *testing.T, text, name string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "<"+name+">\n")
	require.True(t, found, name)
	inner, _, found := strings.Cut(rest, "</"+name+">")
	require.True(t, found, name)
	return inner
}

func enrolment(dir string) Enrolment {
	return Enrolment{Name: "alice", File: filepath.Join(dir, "alice.ovpn"), Remote: remote}
}

func TestEnrol(t *testing.T) {
	a, _ := newAuthority(t)
	dir := t.TempDir()
	e := enrolment(dir)
	e.Passphrase = []byte("a passphrase of hers")
	old := syscall.Umask(0) // permissions are not left to it
	entry, err := a.Enrol(t.Context(), e)
	syscall.Umask(old)
	require.NoError(t, err)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	info, err := files[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(e.File)
	require.NoError(t, err)
	key, err := DecodeKey([]byte(inlined(t, string(text), "key")), e.Passphrase)
	require.NoError(t, err)
	require.True(t, key.PublicKey.Equal(certificate(t, entry).PublicKey))
	stored, _, err := a.Store.Load(t.Context())
	require.NoError(t, err)
	require.NotContains(t, string(stored), "PRIVATE KEY", "the key stays on the person's machine")
}

// Proves that each refusal leaves neither an entry nor a file.
func TestEnrolRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(t *testing.T, a *Authority, e *Enrolment)
		is     error
		want   string
		left   []string
	}{
		"a profile that exists": {func(t *testing.T, _ *Authority, e *Enrolment) { write(t, filepath.Dir(e.File), "alice.ovpn", "hers") }, ErrExists, "--out", []string{"alice.ovpn"}},
		"one that leads elsewhere": {func(t *testing.T, _ *Authority, e *Enrolment) {
			require.NoError(t, os.Symlink("/nowhere", e.File))
		}, ErrExists, "--out", []string{"alice.ovpn"}},
		"a profile beside an unfinished key": {func(t *testing.T, _ *Authority, e *Enrolment) {
			write(t, filepath.Dir(e.File), "alice.ovpn", "hers")
			write(t, filepath.Dir(e.File), "alice.ovpn.pending", "-----BEGIN CERT")
		}, ErrExists, "--out", []string{"alice.ovpn"}},
		"an issued name":   {func(t *testing.T, a *Authority, _ *Enrolment) { issue(t, a, "alice") }, ErrIssued, "strongroom vpn renew alice", nil},
		"nothing to renew": {func(_ *testing.T, _ *Authority, e *Enrolment) { e.Renew = true }, ErrUnknown, "strongroom vpn issue alice", nil},
		"no directory": {func(_ *testing.T, _ *Authority, e *Enrolment) {
			e.File = filepath.Join(filepath.Dir(e.File), "no", "a.ovpn")
		}, os.ErrNotExist, "make a file for the key", nil},
		"a name with a path":  {func(_ *testing.T, _ *Authority, e *Enrolment) { e.Name = "../x" }, nil, "a name has", nil},
		"the endpoint's name": {func(_ *testing.T, _ *Authority, e *Enrolment) { e.Name = "vpn.tooling.internal" }, nil, "pose as the endpoint", nil},
		"a short passphrase":  {func(_ *testing.T, _ *Authority, e *Enrolment) { e.Passphrase = []byte("short") }, nil, "8 to 1023", nil},
		"no endpoint":         {func(_ *testing.T, _ *Authority, e *Enrolment) { e.Remote.Host = "" }, nil, "is not a DNS name", nil},
		"longer than the CA":  {func(_ *testing.T, _ *Authority, e *Enrolment) { e.Validity = 20 * DefaultValidity }, nil, "ask for 3653 days at most", nil},
		"an open key": {func(t *testing.T, _ *Authority, e *Enrolment) {
			require.NoError(t, os.Chmod(write(t, filepath.Dir(e.File), "alice.ovpn.pending", "x"), 0o644))
		}, nil, "can be read by others", []string{"alice.ovpn.pending"}},
		"somebody else's key": {func(t *testing.T, _ *Authority, e *Enrolment) {
			other, err := openPending(e.File, "bob")
			require.NoError(t, err)
			require.NoError(t, errors.Join(other.fill("bob", nil), other.close()))
		}, nil, `holds the key of "bob"`, []string{"alice.ovpn.pending"}},
		"another run": {func(t *testing.T, _ *Authority, e *Enrolment) {
			other, err := openPending(e.File, "alice")
			require.NoError(t, err)
			t.Cleanup(func() { _ = other.close() })
		}, nil, "another run is writing", []string{"alice.ovpn.pending"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := newAuthority(t)
			dir := t.TempDir()
			e := enrolment(dir)
			tt.change(t, a, &e)
			before := len(index(t, a).Entries)
			_, err := a.Enrol(t.Context(), e)
			require.ErrorContains(t, err, tt.want)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			}
			require.Len(t, index(t, a).Entries, before)
			files, err := os.ReadDir(dir)
			require.NoError(t, err)
			var names []string
			for _, f := range files {
				names = append(names, f.Name())
			}
			require.Equal(t, tt.left, names)
		})
	}
}

// failing loses the connection before or after a write.
type failing struct {
	Store
	saves bool
}

var errLost = errors.New("connection lost")

func (f failing) Save(ctx context.Context, data []byte, version string) error {
	if f.saves {
		return errors.Join(f.Store.Save(ctx, data, version), errLost)
	}
	return errLost
}

// Proves that a key waits when nobody knows whether it was certified, with the
// passphrase that the person gave first.
func TestEnrolFinishesLater(t *testing.T) {
	for name, saves := range map[string]bool{"the write was lost": false, "its answer was lost": true} {
		t.Run(name, func(t *testing.T) {
			a, _ := newAuthority(t)
			e := enrolment(t.TempDir())
			e.Passphrase = []byte("a passphrase of hers")
			store := a.Store
			a.Store = failing{store, saves}
			_, err := a.Enrol(t.Context(), e)
			require.ErrorIs(t, err, errLost)
			require.FileExists(t, e.File+".pending")
			require.NoFileExists(t, e.File)
			waits, err := os.ReadFile(e.File + ".pending")
			require.NoError(t, err)
			require.Contains(t, string(waits), "ENCRYPTED PRIVATE KEY", "it waits as it was asked for")

			a.Store = store
			without := e
			without.Passphrase = nil
			_, err = a.Enrol(t.Context(), without)
			require.ErrorContains(t, err, "give the same again")
			without.Passphrase = []byte("another passphrase")
			_, err = a.Enrol(t.Context(), without)
			require.ErrorContains(t, err, "does not open with this passphrase")
			_, err = a.Enrol(t.Context(), e)
			require.NoError(t, err)
			require.Len(t, index(t, a).Entries, 1)
			require.NoFileExists(t, e.File+".pending")
		})
	}
}

// A run that finds a key without a passphrase encrypts it when it is asked to now.
func TestEnrolEncryptsWhatWaited(t *testing.T) {
	a, _ := newAuthority(t)
	e := enrolment(t.TempDir())
	store := a.Store
	a.Store = failing{store, false}
	_, err := a.Enrol(t.Context(), e)
	require.ErrorIs(t, err, errLost)
	a.Store = store
	e.Passphrase = []byte("a passphrase of hers")
	_, err = a.Enrol(t.Context(), e)
	require.NoError(t, err)
	text, err := os.ReadFile(e.File)
	require.NoError(t, err)
	_, err = DecodeKey([]byte(inlined(t, string(text), "key")), e.Passphrase)
	require.NoError(t, err)
}

// Somebody else was faster with the name: the key that waited is worth nothing.
func TestEnrolTooLate(t *testing.T) {
	a, _ := newAuthority(t)
	e := enrolment(t.TempDir())
	store := a.Store
	a.Store = failing{store, false}
	_, err := a.Enrol(t.Context(), e)
	require.ErrorIs(t, err, errLost)
	a.Store = store
	issue(t, a, "alice")
	_, err = a.Enrol(t.Context(), e)
	require.ErrorIs(t, err, ErrIssued)
	require.NoFileExists(t, e.File+".pending")
	e.Renew, e.Validity = true, 24*time.Hour
	_, err = a.Enrol(t.Context(), e)
	require.NoError(t, err)
}
