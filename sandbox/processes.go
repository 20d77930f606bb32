package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/process"
	"github.com/strongroom-platform/strongroom/sandbox/vaulthost"
)

// processes returns what runs out of this sandbox: programs in bin/, Node with
// the EKS component, and the scripts of Vault's first start. We and those we were
// called by are left out, and so is a strongroom command of another terminal: it
// waits for its turn.
func (s *Sandbox) processes() ([]process.Record, error) {
	all, err := process.List()
	if err != nil {
		return nil, err
	}
	us := process.Ancestors(all, os.Getpid())
	var found []process.Record
	for _, info := range all {
		if us[info.PID] || !s.owns(info) {
			continue
		}
		record, err := process.Identify(info.String(), info.PID)
		if err != nil {
			continue // it has just ended
		}
		found = append(found, record)
	}
	return found, nil
}

func (s *Sandbox) owns(info process.Info) bool {
	if info.Executable != "" && info.Executable == s.daemonProgram() {
		return s.serves(info)
	}
	if within(s.BinDir(), info.Executable) {
		return true
	}
	// A script has its interpreter as executable, and itself as argument.
	return len(info.Args) > 1 && slices.ContainsFunc([]string{s.BinDir(), s.EKSDir(), s.vaultInitDir()}, func(dir string) bool { return within(dir, info.Args[1]) })
}

// serves says whether a strongroom process is the daemon or a provider of this
// sandbox. Where the system does not show another process's environment, any
// of these counts.
func (s *Sandbox) serves(info process.Info) bool {
	if len(info.Args) < 3 || info.Args[1] != "sandbox" || (info.Args[2] != "daemon" && info.Args[2] != "plugin") {
		return false
	}
	dir, shown := info.Environment(DirVariable)
	return !shown || dir == s.Dir
}

func within(dir, path string) bool {
	return strings.HasPrefix(path, dir+string(filepath.Separator))
}

// stopProcesses ends whatever runs out of this sandbox and proves it: first
// what was recorded, then what the system's list of processes shows.
func (s *Sandbox) stopProcesses(ctx context.Context, progress func(string)) error {
	recorded, err := s.recorded()
	if err != nil {
		return err
	}
	// The daemon first: it stops the control planes in order.
	for _, record := range recorded {
		if record.Alive() {
			progress(fmt.Sprintf("stopping %s (pid %d)", record.Name, record.PID))
		}
		if err := record.Stop(ctx, daemonStopGrace); err != nil {
			return err
		}
	}
	// Runs of the engine, and plugins that a killed engine has left.
	const rounds = 5 // a process that ends may have started another
	for range rounds {
		others, err := s.processes()
		if err != nil {
			return err
		}
		if len(others) == 0 {
			return nil
		}
		for _, other := range others {
			progress(fmt.Sprintf("stopping pid %d: %s", other.PID, other.Name))
			if err := other.Stop(ctx, 5*time.Second); err != nil {
				return err
			}
		}
	}
	return s.proveNoneLeft()
}

func (s *Sandbox) proveNoneLeft() error {
	left, err := s.processes()
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range left {
		errs = append(errs, fmt.Errorf("process %d of the sandbox is still there: %s", p.PID, p.Name))
	}
	return errors.Join(errs...)
}

// recorded lists the processes that the sandbox has written down, the daemon
// first.
func (s *Sandbox) recorded() ([]process.Record, error) {
	var all []process.Record
	dirs := []string{s.path("run")}
	clusters, err := filepath.Glob(filepath.Join(s.ClustersDir(), "*", "run"))
	if err != nil {
		return nil, fmt.Errorf("processes of the sandbox: %w", err)
	}
	vaults, err := filepath.Glob(filepath.Join(s.VaultDir(), "*"))
	if err != nil {
		return nil, fmt.Errorf("processes of the sandbox: %w", err)
	}
	for _, vault := range vaults {
		dirs = append(dirs, vault, vaulthost.DatabaseDir(s.VaultDir(), filepath.Base(vault)))
	}
	controllers, err := filepath.Glob(s.fluxDir("*"))
	if err != nil {
		return nil, fmt.Errorf("processes of the sandbox: %w", err)
	}
	for _, dir := range slices.Concat(dirs, controllers, clusters) {
		records, err := process.LoadAll(dir)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	return all, nil
}
