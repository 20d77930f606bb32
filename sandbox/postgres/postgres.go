// Package postgres runs a PostgreSQL server of the machine's own programs on
// 127.0.0.1, for a database in which Vault makes users.
//
// PostgreSQL refuses to run as root. Where the sandbox does, the server runs as
// "nobody", with its data in a folder of its own in the system's place for
// temporary files, because nobody can reach the sandbox's.
package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lib/pq" // also the driver "postgres"

	"github.com/strongroom-platform/strongroom/sandbox/files"
	"github.com/strongroom-platform/strongroom/sandbox/loopback"
	"github.com/strongroom-platform/strongroom/sandbox/process"
)

// What a new server has: a database, and the user that Vault gets, who owns it and
// may make users.
const (
	Database = "shop"
	User     = "vault"
	admin    = "admin"
)

const (
	// startLimit is how long a server may take until it answers.
	startLimit = time.Minute
	// stopGrace is how long it waits for its clients to go.
	stopGrace = 3 * time.Second
)

// ErrNotInstalled says that the machine has no PostgreSQL.
var ErrNotInstalled = errors.New("PostgreSQL is not installed on this machine: there is no database for Vault to make users in (Debian: apt-get install postgresql, macOS: brew install postgresql)")

// programs finds the folder with the newest server on this machine.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is a good one
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			found = append(found, real)
		}
	}
	found = slices.DeleteFunc(found, func(initdb string) bool {
		_, err := exec.LookPath(filepath.Join(filepath.Dir(initdb), "postgres"))
		return err != nil
	})
	if len(found) == 0 {
		return "", ErrNotInstalled
	}
	return filepath.Dir(slices.Max(found)), nil
}

// Server is one server, which need not exist yet. Its methods may be called
// concurrently.
type Server struct {
	dir, portFile string

	mu      sync.Mutex
	address string
	child   *process.Child
}

// New names the server of a folder, whose port is remembered in a file beside it:
// Remove leaves that alone. It starts nothing.
func New(dir, portFile string) *Server { return &Server{dir: dir, portFile: portFile} }

// Installed is nil where the machine has PostgreSQL, and ErrNotInstalled where not.
func Installed() error {
	_, err := programs()
	return err
}

// Status describes a server.
type Status struct {
	Address  string `json:"address"` // host:port
	Database string `json:"database"`
	// User is Vault's, whose first password is in PasswordFile.
	User         string `json:"user"`
	PasswordFile string `json:"passwordFile"`
	// Admin is the superuser, whose password is in AdminPasswordFile.
	Admin             string `json:"admin"`
	AdminPasswordFile string `json:"adminPasswordFile"`
	PID               int    `json:"pid"`
}

// Status is nil where the server does not run.
func (s *Server) Status() *Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil || s.ended() {
		return nil
	}
	return &Status{
		Address: s.address, Database: Database, User: User, PasswordFile: s.passwordFile(User),
		Admin: admin, AdminPasswordFile: s.passwordFile(admin), PID: s.child.Record().PID,
	}
}

// Start makes sure that the server runs, and returns once it answers: a new one,
// or the one that lies on disk, at its former address.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child != nil && !s.ended() {
		return nil
	}
	bin, err := programs()
	if err != nil {
		return err
	}
	if err := s.stopStale(ctx); err != nil {
		return err
	}
	who, err := unprivileged()
	if err != nil {
		return err
	}
	home, err := s.home(who)
	if err != nil {
		return err
	}
	if err := s.initialise(ctx, bin, home, who); err != nil {
		return err
	}
	if s.address, err = s.Address(ctx); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return fmt.Errorf("address of PostgreSQL: %w", err)
	}
	s.child, err = process.Start(process.Spec{
		Name: "postgres", Path: filepath.Join(bin, "postgres"), Dir: home, Env: environment(), Credential: who,
		// No sockets in shared folders. No fsync: what a crashed machine loses here
		// can be made again.
		Args: []string{"-D", "data", "-p", port, "-h", host, "-k", "", "-F"},
		Log:  filepath.Join(s.dir, "postgres.log"), Record: filepath.Join(s.dir, "postgres"+process.RecordSuffix),
	})
	if err != nil {
		return err
	}
	return s.await(ctx)
}

func (s *Server) passwordFile(user string) string { return filepath.Join(s.dir, user+"-password") }

func (s *Server) ended() bool {
	select {
	case <-s.child.Done():
		return true
	default:
		return false
	}
}

// await polls until the server takes sessions.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	password, err := os.ReadFile(s.passwordFile(admin))
	if err != nil {
		return fmt.Errorf("password of PostgreSQL's %s: %w", admin, err)
	}
	db, err := Open(s.address, "postgres", admin, string(password))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = db.Close() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if takesSessions(ctx, db) {
			return nil
		}
		select {
		case <-s.child.Done():
			return s.child.Failure()
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer at %s: %w", s.address, ctx.Err())
		case <-tick.C:
		}
	}
}

// cannotConnectNow is how a server refuses that has its port already and not its data,
// or that ends.
const cannotConnectNow = "57P03"

// takesSessions tries one. To refuse it for another reason, such as a password that
// somebody changed, is what a server does that is up.
func takesSessions(ctx context.Context, db *sql.DB) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err := db.PingContext(ctx)
	code := Code(err)
	return err == nil || code != "" && code != cannotConnectNow
}

// Code is what PostgreSQL calls its answer, empty for any other error:
// https://www.postgresql.org/docs/current/errcodes-appendix.html
func Code(err error) string {
	var answered *pq.Error
	if errors.As(err, &answered) {
		return string(answered.Code)
	}
	return ""
}

// Stop ends the server and keeps its data.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.halt(ctx)
}

func (s *Server) halt(ctx context.Context) error {
	if s.child == nil {
		return s.stopStale(ctx)
	}
	err := s.child.Stop(ctx, stopGrace)
	s.child = nil
	return err
}

// Remove ends the server and removes its data.
func (s *Server) Remove(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.halt(ctx); err != nil {
		return err
	}
	// Elsewhere first: without the note nobody would find it.
	if home, err := os.ReadFile(s.homeFile()); err == nil {
		if err := os.RemoveAll(string(home)); err != nil {
			return fmt.Errorf("remove the data of PostgreSQL: %w", err)
		}
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("remove the data of PostgreSQL: %w", err)
	}
	return nil
}

// stopStale ends what an earlier life left.
func (s *Server) stopStale(ctx context.Context) error {
	records, err := process.LoadAll(s.dir)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := r.Stop(ctx, stopGrace); err != nil {
			return err
		}
	}
	return nil
}

// initialise makes the data, whole or not at all: with the database and Vault's
// user in it.
func (s *Server) initialise(ctx context.Context, bin, home string, who *syscall.Credential) error {
	data := filepath.Join(home, "data")
	if _, err := os.Stat(data); err == nil {
		return nil
	}
	passwords := map[string]string{}
	for _, user := range []string{admin, User} {
		secret := make([]byte, 24)
		if _, err := rand.Read(secret); err != nil {
			return fmt.Errorf("password of PostgreSQL's %s: %w", user, err)
		}
		passwords[user] = hex.EncodeToString(secret)
		if err := files.Replace(s.passwordFile(user), []byte(passwords[user]), files.Private); err != nil {
			return err
		}
	}
	made := data + ".new"
	if err := os.RemoveAll(made); err != nil {
		return fmt.Errorf("data of PostgreSQL: %w", err)
	}
	run := func(input, program string, args ...string) error {
		cmd := exec.CommandContext(ctx, filepath.Join(bin, program), args...)
		cmd.Dir, cmd.Env, cmd.Stdin = home, environment(), strings.NewReader(input)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
		out, err := cmd.CombinedOutput()
		// A server without clients goes on after a statement that it refuses.
		if err == nil && bytes.Contains(out, []byte("ERROR:")) {
			err = errors.New("refused")
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %s", program, err, out)
		}
		return nil
	}
	// An argument could be seen.
	file := filepath.Join(home, "password")
	if err := files.Replace(file, []byte(passwords[admin]), files.Private); err != nil {
		return err
	}
	defer func() { _ = os.Remove(file) }() // it is in the sandbox's own folder too
	if who != nil {
		if err := os.Chown(file, int(who.Uid), int(who.Gid)); err != nil {
			return fmt.Errorf("data of PostgreSQL: %w", err)
		}
	}
	if err := run("", "initdb", "-D", made, "-U", admin, "--pwfile="+file, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"); err != nil {
		return err
	}
	// One statement a line is what a server without clients takes. Vault's user is no
	// superuser; it ends the sessions of users that it drops.
	statements := strings.Join([]string{
		"CREATE ROLE " + User + " LOGIN CREATEROLE PASSWORD '" + passwords[User] + "';",
		"GRANT pg_signal_backend TO " + User + ";",
		"CREATE DATABASE " + Database + " OWNER " + User + ";",
	}, "\n") + "\n"
	if err := run(statements, "postgres", "--single", "-D", made, "-F", "postgres"); err != nil {
		return err
	}
	if err := os.Rename(made, data); err != nil {
		return fmt.Errorf("data of PostgreSQL: %w", err)
	}
	return nil
}

func environment() []string { return []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"} }

// Servers get ports below those that Linux and macOS hand out to outgoing
// connections, and above those of Vault's servers.
const (
	firstPort = 32701
	lastPort  = 32767
)

// Open is a database of a server at host:port, for a user with a password. It connects
// when it is used.
func Open(address, database, user, password string) (*sql.DB, error) {
	at := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Host: address, Path: database,
		RawQuery: "sslmode=disable&connect_timeout=10",
	}
	return sql.Open("postgres", at.String())
}

// Address is where the server answers once it runs, host:port: it is known before, for
// who must be told where it will be, and stays.
func (s *Server) Address(ctx context.Context) (string, error) {
	port, err := loopback.Reserve(ctx, s.portFile, firstPort, lastPort, "PostgreSQL")
	if err != nil {
		return "", err
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
}

func (s *Server) homeFile() string { return filepath.Join(s.dir, "home") }

// home is where the data lies: below dir, or where the user that runs the server
// can reach it.
func (s *Server) home(who *syscall.Credential) (string, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return "", fmt.Errorf("folder of PostgreSQL: %w", err)
	}
	if who == nil {
		return s.dir, nil
	}
	former, err := os.ReadFile(s.homeFile())
	if err == nil {
		if _, err := os.Stat(string(former)); err == nil {
			return string(former), nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("folder of PostgreSQL: %w", err)
	}
	home, err := os.MkdirTemp("", "strongroom-postgres-")
	if err != nil {
		return "", fmt.Errorf("folder of PostgreSQL: %w", err)
	}
	if err := files.Replace(s.homeFile(), []byte(home), files.Private); err != nil {
		return "", errors.Join(err, os.Remove(home))
	}
	if err := os.Chown(home, int(who.Uid), int(who.Gid)); err != nil {
		return "", fmt.Errorf("folder of PostgreSQL: %w", err)
	}
	return home, nil
}
