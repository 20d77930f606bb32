// Package gitserver serves a checkout's working tree over SSH on loopback, as
// the Git host of the organisation would serve the repository: the sandbox's
// Flux clones it with the deploy key and the pinned host key that the stack
// made. It is read-only.
//
// What is served is the working tree, not what was committed: each fetch looks
// at the files and makes a commit of them, in a bare repository of the
// sandbox's own, where they differ from the last one. The checkout's own
// repository is never written to. Git itself answers, `git upload-pack`.
package gitserver

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/strongroom-platform/strongroom/sandbox/loopback"
)

const (
	// User is the name of everybody on a Git host.
	User = "git"
	// Repository is the path below the host.
	Repository = "strongroom.git"
	// Branch is the one branch that is served.
	Branch = "main"
)

// Options says what to serve.
type Options struct {
	// Dir holds the bare repository, the host key and the port.
	Dir string
	// Source finds the root of the checkout, at each fetch: it may have moved, or
	// be gone.
	Source func() (string, error)
	// Path is the folder below Source that is served.
	Path string
	// Logf receives who is let in and who is refused. Default: discarded.
	Logf func(format string, args ...any)
}

// Folder is a Source that stays where it is.
func Folder(path string) func() (string, error) {
	return func() (string, error) { return path, nil }
}

// Server is a running Git server.
type Server struct {
	options  Options
	git      string
	listener net.Listener
	host     ssh.Signer

	mu         sync.Mutex // of authorized
	authorized map[string]ssh.PublicKey
	snapshots  sync.Mutex

	ctx      context.Context
	cancel   context.CancelFunc
	sessions sync.WaitGroup
}

// Start serves until Close. Nobody is let in before Authorize.
func Start(options Options) (*Server, error) {
	if options.Dir == "" || options.Source == nil || options.Path == "" {
		return nil, errors.New("git server: Dir, Source and Path must be set")
	}
	if options.Logf == nil {
		options.Logf = func(string, ...any) {}
	}
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, errors.New("git server: no git on PATH, and the sandbox serves the working tree with it: install git")
	}
	s := &Server{options: options, git: git, authorized: map[string]ssh.PublicKey{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.open(); err != nil {
		s.cancel()
		return nil, err
	}
	s.sessions.Go(s.accept)
	return s, nil
}

func (s *Server) open() (err error) {
	if err := os.MkdirAll(s.options.Dir, 0o700); err != nil {
		return fmt.Errorf("git server: %w", err)
	}
	if s.host, err = hostKey(filepath.Join(s.options.Dir, "host_key")); err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	s.listener, err = loopback.Listen(context.Background(), filepath.Join(s.options.Dir, "port"), "the git server")
	return err
}

// URL is where Flux finds the repository.
func (s *Server) URL() string {
	return "ssh://" + User + "@" + s.listener.Addr().String() + "/" + Repository
}

// KnownHosts is the line that pins the host key.
func (s *Server) KnownHosts() string {
	host, port, _ := net.SplitHostPort(s.listener.Addr().String()) // it is an address that we listen at
	return fmt.Sprintf("[%s]:%s %s", host, port, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.host.PublicKey()))))
}

// Authorize registers a deploy key, a line as in authorized_keys, under the
// name of whose it is. It takes the place of the former key of that name.
func (s *Server) Authorize(name, line string) error {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return fmt.Errorf("deploy key of %s: expected a line such as \"ssh-ed25519 AAAA...\": %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.authorized[name] = key
	return nil
}

// Revoke forgets a deploy key.
func (s *Server) Revoke(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.authorized, name)
}

// owner finds whose deploy key it is.
func (s *Server) owner(key ssh.PublicKey) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, known := range s.authorized {
		if subtle.ConstantTimeCompare(known.Marshal(), key.Marshal()) == 1 {
			return name, true
		}
	}
	return "", false
}

// Close ends the server and the sessions under way.
func (s *Server) Close() error {
	s.cancel()
	err := s.listener.Close()
	s.sessions.Wait()
	return err
}
