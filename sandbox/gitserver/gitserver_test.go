package gitserver_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/strongroom-platform/strongroom/sandbox/gitserver"
)

// served is a server over a small tree, and what it logged.
type served struct {
	*gitserver.Server
	source, dir string
	mu          sync.Mutex
	log         []string
}

func (s *served) logf(format string, _ ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, format)
}

func serve(t *testing.T, source, dir string) *served {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git on PATH")
	}
	s := &served{source: source, dir: dir}
	var err error
	s.Server, err = gitserver.Start(gitserver.Options{Dir: dir, Source: gitserver.Folder(source), Path: "gitops", Logf: s.logf})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func tree(t *testing.T) string {
	t.Helper()
	source := t.TempDir()
	write(t, source, "gitops/a.yaml", "a: 1\n")
	write(t, source, "secret.txt", "not below the served folder\n")
	return source
}

func write(t *testing.T, source, name, text string) {
	t.Helper()
	path := filepath.Join(source, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func newKey(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	return signer, string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

// dial connects as Flux does: user and address from the URL, the host key
// from the line of known_hosts.
func (s *served) dial(t *testing.T, user string, key ssh.Signer) (*ssh.Client, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	require.NoError(t, os.WriteFile(file, []byte(s.KnownHosts()+"\n"), 0o600))
	check, err := knownhosts.New(file)
	require.NoError(t, err)
	address := strings.TrimSuffix(strings.TrimPrefix(s.URL(), "ssh://git@"), "/"+gitserver.Repository)
	_, _, err = net.SplitHostPort(address)
	require.NoError(t, err, "URL %s", s.URL())
	return ssh.Dial("tcp", address, &ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: check, Timeout: 10 * time.Second})
}

// command runs one command and returns what it printed on both outputs.
func command(t *testing.T, client *ssh.Client, line, input string) (string, error) {
	t.Helper()
	session, err := client.NewSession()
	require.NoError(t, err)
	defer func() { _ = session.Close() }()
	session.Stdin = strings.NewReader(input)
	out, err := session.CombinedOutput(line)
	return string(out), err
}

const (
	fetch = "git-upload-pack '/strongroom.git'"
	flush = "0000"
)

func TestServesTheWorkingTree(t *testing.T) {
	s := serve(t, tree(t), t.TempDir())
	key, line := newKey(t)
	require.NoError(t, s.Authorize("tooling", line))
	client, err := s.dial(t, "git", key)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })

	first, err := s.Snapshot(t.Context())
	require.NoError(t, err)
	out, err := command(t, client, fetch, flush)
	require.NoError(t, err)
	require.Contains(t, out, first+" refs/heads/main")

	again, err := s.Snapshot(t.Context())
	require.NoError(t, err)
	require.Equal(t, first, again, "a tree that did not change is no new commit")

	// Not committed anywhere: the working tree counts.
	write(t, s.source, "gitops/b.yaml", "b: 1\n")
	require.NoError(t, os.Remove(filepath.Join(s.source, "gitops", "a.yaml")))
	out, err = command(t, client, fetch, flush)
	require.NoError(t, err)
	require.NotContains(t, out, first, "the change is seen by the next fetch")
	files, err := exec.Command("git", "--git-dir", filepath.Join(s.dir, gitserver.Repository), "ls-tree", "-r", "--name-only", "main").Output() //nolint:gosec // paths of this test
	require.NoError(t, err)
	require.Equal(t, "gitops/b.yaml\n", string(files))
}

func TestRefuses(t *testing.T) {
	s := serve(t, tree(t), t.TempDir())
	key, line := newKey(t)
	require.NoError(t, s.Authorize("tooling", line))
	stranger, _ := newKey(t)

	_, err := s.dial(t, "git", stranger)
	require.ErrorContains(t, err, "unable to authenticate")
	_, err = s.dial(t, "root", key)
	require.ErrorContains(t, err, "unable to authenticate")
	require.ErrorContains(t, s.Authorize("tooling", "no key"), "deploy key of tooling")

	client, err := s.dial(t, "git", key)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	for line, want := range map[string]string{
		"git-receive-pack '/strongroom.git'":    "read-only",
		"git-upload-pack '/../../etc'":          "no repository",
		"git-upload-pack '/other.git'":          "no repository",
		"sh -c 'cat /etc/passwd'":               "expected git-upload-pack",
		"git-upload-pack-or-so /strongroom.git": "expected git-upload-pack",
	} {
		out, err := command(t, client, line, flush)
		require.Error(t, err, line)
		require.Contains(t, out, want, line)
	}

	s.Revoke("tooling")
	_, err = s.dial(t, "git", key)
	require.ErrorContains(t, err, "unable to authenticate")
}

func TestHostKeyAndAddressOutliveTheServer(t *testing.T) {
	source, dir := tree(t), t.TempDir()
	s := serve(t, source, dir)
	url, known := s.URL(), s.KnownHosts()
	commit, err := s.Snapshot(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Close())

	s = serve(t, source, dir)
	require.Equal(t, url, s.URL())
	require.Equal(t, known, s.KnownHosts())
	again, err := s.Snapshot(t.Context())
	require.NoError(t, err)
	require.Equal(t, commit, again)
}

func TestTreeThatIsNotThere(t *testing.T) {
	s := serve(t, t.TempDir(), t.TempDir())
	_, err := s.Snapshot(t.Context())
	require.ErrorContains(t, err, "the working tree")
}
