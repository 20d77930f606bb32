package vpnca

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain is also the run that gets killed: this program, started again with
// what to do and where to end.
func TestMain(m *testing.M) {
	if what := os.Getenv("VPNCA_TEST_RUN"); what != "" {
		if err := killedRun(what, os.Getenv("VPNCA_TEST_DIR"), os.Getenv("VPNCA_TEST_POINT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func killedRun(what, dir, point string) error {
	a, err := authorityIn(dir)
	if err != nil {
		return err
	}
	seen := ""
	kill := func(at string) {
		if seen = at; at == point {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		}
	}
	a.kill, a.Store.(*FileStore).kill = kill, kill
	switch what {
	case "issue", "renew":
		_, err = a.Enrol(context.Background(), Enrolment{Name: "alice", File: filepath.Join(dir, what+".ovpn"), Remote: remote, Renew: what == "renew", RevokeEarlier: true})
	case "revoke":
		if err = a.Revoke(context.Background(), "alice", Left); err == nil {
			_, _, err = a.Publish(context.Background(), directoryEndpoint(dir))
		}
	}
	if err == nil && point != "" {
		err = fmt.Errorf("the run was not killed at %q; the last point was %q", point, seen)
	}
	return err
}

// directoryEndpoint keeps its list in a file, so that it outlives the run.
type directoryEndpoint string

func (d directoryEndpoint) ID() string { return "cvpn-endpoint-1" }

func (d directoryEndpoint) ImportCRL(_ context.Context, pem string) error {
	return os.WriteFile(filepath.Join(string(d), "imported.pem"), []byte(pem), 0o600)
}

func authorityIn(dir string) (*Authority, error) {
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	if err != nil {
		return nil, err
	}
	a := &Authority{Store: &FileStore{Path: filepath.Join(dir, "index.json")}, By: "a run", Now: func() time.Time { return start }}
	if a.Certificate, err = ParseCertificate(ca); err != nil {
		return nil, err
	}
	a.Key, err = DecodeKey(key, nil)
	return a, err
}

// killAt runs this program until it kills itself.
func killAt(t *testing.T, what, dir, point string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "VPNCA_TEST_RUN="+what, "VPNCA_TEST_DIR="+dir, "VPNCA_TEST_POINT="+point)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, string(out))
	status, ok := exit.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	require.True(t, status.Signaled() && status.Signal() == syscall.SIGKILL, "%s", out)
}

func newDir(t *testing.T) (string, *Authority) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "ca.pem", certificatePEM(makeCA(t, testKey(), nil).Raw))
	key, err := EncodeKey(testKey(), nil)
	require.NoError(t, err)
	write(t, dir, "ca.key", string(key))
	a, err := authorityIn(dir)
	require.NoError(t, err)
	return dir, a
}

// whole proves that there is one entry and one profile that belong together, and
// that nothing else is left.
func whole(t *testing.T, a *Authority, dir, file string, entries int) {
	t.Helper()
	i := index(t, a)
	require.Len(t, i.Entries, entries)
	text, err := os.ReadFile(filepath.Join(dir, file))
	require.NoError(t, err)
	e := i.Current("alice", a.Certificate, start)
	require.Contains(t, string(text), e.Certificate)
	key, err := DecodeKey([]byte(inlined(t, string(text), "key")), nil)
	require.NoError(t, err)
	require.True(t, key.PublicKey.Equal(certificate(t, e).PublicKey), "the key is that of the certificate")
	for _, left := range []string{file + ".pending", file + ".new", "index.json.new"} {
		require.NoFileExists(t, filepath.Join(dir, left))
	}
}

// Proves for every step of issuing and renewing, with a real SIGKILL, that the
// index is whole afterwards and that the same command finishes what was begun.
func TestEnrolKilled(t *testing.T) {
	for _, what := range []string{"issue", "renew"} {
		for _, point := range []string{"key made", "before the index", "index written beside", "after the index", "profile written beside", "profile written"} {
			t.Run(what+" "+point, func(t *testing.T) {
				dir, a := newDir(t)
				before := 0
				if what == "renew" {
					issue(t, a, "alice")
					before = 1
				}
				killAt(t, what, dir, point)
				require.LessOrEqual(t, len(index(t, a).Entries), before+1)
				for _, name := range []string{what + ".ovpn.pending", what + ".ovpn", what + ".ovpn.new"} {
					if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
						require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
					}
				}
				require.NoError(t, killedRun(what, dir, ""))
				whole(t, a, dir, what+".ovpn", before+1)
				if what == "renew" {
					i := index(t, a)
					require.Equal(t, []string{i.Entries[0].Serial}, revokedIn(t, a, i.CRL))
				}
				require.ErrorIs(t, killedRun(what, dir, ""), ErrExists)
			})
		}
	}
}

// The same for revoking: whoever was revoked is on the endpoint's list in the end.
func TestRevokeKilled(t *testing.T) {
	for _, point := range []string{"before the index", "index written beside", "after the index", "after the import"} {
		t.Run(point, func(t *testing.T) {
			dir, a := newDir(t)
			e := issue(t, a, "alice")
			killAt(t, "revoke", dir, point)
			i := index(t, a)
			if i.CRL != nil {
				require.Equal(t, []string{e.Serial}, revokedIn(t, a, i.CRL))
			}
			// What the command does when it is run again.
			if err := a.Revoke(t.Context(), "alice", Left); err != nil {
				require.ErrorIs(t, err, ErrRevoked)
				require.False(t, a.Published(index(t, a), "cvpn-endpoint-1"))
			}
			a.Now = func() time.Time { return start.Add(lease) } // nobody waits for a dead run longer
			_, imported, err := a.Publish(t.Context(), directoryEndpoint(dir))
			require.NoError(t, err)
			require.True(t, imported)
			i = index(t, a)
			require.True(t, a.Published(i, "cvpn-endpoint-1"))
			list, err := os.ReadFile(filepath.Join(dir, "imported.pem"))
			require.NoError(t, err)
			require.Equal(t, i.CRL.PEM, string(list))
			require.Equal(t, []string{e.Serial}, revokedIn(t, a, i.CRL))
			require.True(t, errors.Is(a.Revoke(t.Context(), "alice", ""), ErrRevoked))
		})
	}
}
