package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/accountapi"
	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
	"github.com/strongroom-platform/strongroom/sandbox/flux"
	"github.com/strongroom-platform/strongroom/sandbox/process"
	"github.com/strongroom-platform/strongroom/sandbox/vaulthost"
)

const (
	// startLimit is how long the daemon may take to start, with two control
	// planes to bring back on a machine that compiles at the same time.
	startLimit = 5 * time.Minute
	// daemonStopGrace is how long it may take to stop them.
	daemonStopGrace = 40 * time.Second
	// answerLimit is how long a daemon that works takes to tell its status.
	answerLimit = 10 * time.Second
)

// Status of a sandbox.
type Status struct {
	Running bool   `json:"running"`
	Dir     string `json:"dir"`
	// The rest is of the running daemon.
	PID        int       `json:"pid,omitempty"`
	Since      time.Time `json:"since,omitzero"`
	AccountURL string    `json:"accountUrl,omitempty"`
	// Clusters are the control planes, by name.
	Clusters []controlplane.Status `json:"clusters,omitempty"`
	// Vaults are Vault's servers, by cluster.
	Vaults []vaulthost.Status `json:"vaults,omitempty"`
	// Flux is what Flux does in each cluster, by name.
	Flux []flux.Status `json:"flux,omitempty"`
	// Objects counts what is in the simulated account, by type.
	Objects map[string]int `json:"objects,omitempty"`
}

// Start starts the daemon and returns when it answers and has brought the
// control planes back. One that runs already is left alone, unless another
// build of strongroom runs in it. progress receives what happens.
func (s *Sandbox) Start(ctx context.Context, progress func(string)) error {
	if err := s.prepare(); err != nil {
		return err
	}
	unlock, err := lockFile(ctx, s.path("run", "start.lock"), func(holder string) { progress("waiting for " + holder + ", which starts the daemon") })
	if err != nil {
		return err
	}
	defer unlock()
	program := s.daemonProgram()
	connection, err := s.connection()
	if err == nil {
		if _, err = s.ask(ctx, connection); err == nil && connection.Version == buildOf(program) {
			return nil
		}
		if err == nil {
			progress("another build of strongroom runs the sandbox's daemon: starting it again")
		}
	}
	// What is left of one that was killed holds ports and data.
	if err := s.stopProcesses(ctx, progress); err != nil {
		return err
	}
	if err := removeIfThere(s.connectionFile()); err != nil {
		return err
	}
	return s.spawn(ctx, program)
}

// spawn starts the daemon in a session of its own, which outlives ours.
func (s *Sandbox) spawn(ctx context.Context, program string) error {
	log, err := os.OpenFile(s.daemonLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log of the sandbox's daemon: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(program, "sandbox", "daemon") //nolint:noctx // it outlives ctx
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), DirVariable+"="+s.Dir, s.vaultSwitch())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the sandbox's daemon: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := s.await(ctx, ended); err != nil {
		// It may still be starting: nobody would know of it.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		return err
	}
	return nil
}

// await returns when the daemon answers.
func (s *Sandbox) await(ctx context.Context, ended <-chan error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not ready after %s", startLimit))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if connection, err := s.connection(); err == nil {
			if _, err := s.ask(ctx, connection); err == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("start the sandbox's daemon: %w; see %s", context.Cause(ctx), s.daemonLog())
		case err := <-ended:
			return fmt.Errorf("the sandbox's daemon ended while it started (%w); last lines of %s:\n%s", errors.Join(err), s.daemonLog(), process.Tail(s.daemonLog(), 8))
		case <-tick.C:
		}
	}
}

// Stop ends everything that runs out of this sandbox, and proves it. The data
// stays: Start goes on with it.
func (s *Sandbox) Stop(ctx context.Context, progress func(string)) error {
	if err := s.stopProcesses(ctx, progress); err != nil {
		return err
	}
	return removeIfThere(s.connectionFile())
}

// Remove is Stop, and then removes all but the tools and the logs.
func (s *Sandbox) Remove(ctx context.Context, progress func(string)) error {
	if err := s.Stop(ctx, progress); err != nil {
		return err
	}
	if err := s.removeDatabases(ctx); err != nil {
		return err
	}
	return s.removeContents()
}

// Status says what runs. A sandbox that is down, or was never up, has a status
// too; an error means that it could not be found out.
func (s *Sandbox) Status(ctx context.Context) (*Status, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	connection, err := s.connection()
	if errors.Is(err, accountapi.ErrDown) {
		return &Status{Dir: s.Dir}, nil
	}
	if err != nil {
		return nil, err
	}
	record, found, err := process.Load(s.daemonRecord())
	if err != nil {
		return nil, err
	}
	if !found || !record.Alive() {
		return &Status{Dir: s.Dir}, nil
	}
	return s.ask(ctx, connection)
}

// Reconcile makes Flux of every cluster look at the working tree now, and returns
// the revision that it is.
func (s *Sandbox) Reconcile(ctx context.Context) (string, error) {
	connection, err := s.connection()
	if err != nil {
		return "", err
	}
	answer := reconciled{}
	err = call(ctx, connection, http.MethodPost, reconcilePath, &answer)
	return answer.Revision, err
}

// ask asks the daemon for its status.
func (s *Sandbox) ask(ctx context.Context, connection accountapi.Connection) (*Status, error) {
	status := &Status{}
	if err := call(ctx, connection, http.MethodGet, statusPath, status); err != nil {
		return nil, err
	}
	return status, nil
}

// call asks the daemon for something and reads its answer.
func call(ctx context.Context, connection accountapi.Connection, method, path string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, connection.URL+path, nil)
	if err != nil {
		return fmt.Errorf("ask the sandbox's daemon: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+connection.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the sandbox's daemon: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // only read from
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("ask the sandbox's daemon: %s: %s", response.Status, text)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("ask the sandbox's daemon: %w", err)
	}
	return nil
}

// Client reaches the simulated account in the running daemon.
func (s *Sandbox) Client() (*accountapi.Client, error) {
	return accountapi.Open(s.connectionFile())
}

// FindMade finds what was created for a resource, for deploy.Target.FindMade.
func (s *Sandbox) FindMade(ctx context.Context, urn, typ string) ([]string, error) {
	client, err := s.Client()
	if err != nil {
		return nil, err
	}
	return client.FindMade(ctx, urn, typ)
}

// Left lists what the simulated account holds that a program made.
func (s *Sandbox) Left(ctx context.Context) ([]account.Object, error) {
	client, err := s.Client()
	if err != nil {
		return nil, err
	}
	objects, err := client.Objects(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the simulated account: %w", err)
	}
	return objects, nil
}

func (s *Sandbox) connection() (accountapi.Connection, error) {
	return accountapi.Load(s.connectionFile())
}

func (s *Sandbox) connectionFile() string { return s.path(accountapi.ConnectionFile) }
func (s *Sandbox) daemonRecord() string   { return s.path("run", "daemon"+process.RecordSuffix) }
func (s *Sandbox) daemonLog() string      { return filepath.Join(s.LogDir(), "daemon.log") }

// daemonProgram is the strongroom program that runs the daemon.
func (s *Sandbox) daemonProgram() string {
	if s.Command != "" {
		return s.Command
	}
	if self, err := os.Executable(); err == nil && filepath.Base(self) == "strongroom" {
		return self
	}
	return filepath.Join(s.BinDir(), "strongroom")
}

// buildOf tells builds of a program apart: by the size and time of its file,
// because reading all of it would take longer than the daemon takes to start.
func buildOf(program string) string {
	info, err := os.Stat(program)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d-%d", info.Size(), info.ModTime().UnixNano())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
