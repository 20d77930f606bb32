package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/internal/vaultops"
)

// snapshotAge is how old the newest snapshot may be: three runs of the CronJob.
const snapshotAge = 12 * time.Hour

func (a *app) vaultStatusCommand() *cobra.Command {
	var f vaultFlags
	var check bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the servers, the recovery secret and the newest snapshot",
		Long: `Ask every server on its own, and show what the recovery secret and the snapshot
bucket say. What is wrong is said on standard error, with what to do about it. No
token is needed.` + vaultLong,
		Example: `  strongroom vault status

  # For monitoring: exit code 1 when anything is wrong
  strongroom vault status --check --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.vaultStatus(cmd.Context(), f, check) },
	}
	a.addVaultFlags(cmd, &f, false)
	cmd.Flags().BoolVar(&check, "check", false, "exit with code 1 if anything is wrong")
	return cmd
}

// vaultReport is what is known of a Vault.
type vaultReport struct {
	Target  string `json:"target"`
	Sandbox bool   `json:"sandbox"`
	// OK: there are no problems.
	OK       bool            `json:"ok"`
	Problems []string        `json:"problems"`
	Servers  []serverReport  `json:"servers"`
	Recovery *recoveryReport `json:"recovery,omitempty"`
	Newest   *storedSnapshot `json:"newestSnapshot,omitempty"`
}

type serverReport struct {
	Name string `json:"name"`
	vaultops.ServerStatus
}

// recoveryReport is what may be said of the recovery secret.
type recoveryReport struct {
	Secret    string `json:"secret"`
	State     string `json:"state"`
	Keys      int    `json:"keys"`
	Threshold int    `json:"threshold"`
	// Rotating: a rotation of the keys was interrupted.
	Rotating bool `json:"rotating,omitempty"`
}

func (a *app) vaultStatus(parent context.Context, f vaultFlags, check bool) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	site, err := a.openVault(ctx, f)
	if err != nil {
		return err
	}
	defer site.leave()
	r := a.look(ctx, site)
	for _, p := range r.Problems {
		a.tell("warning: " + p)
	}
	if err := a.report(f.json, r, r.text(a.now())); err != nil {
		return err
	}
	if check && !r.OK {
		return exitCode(exitFailure)
	}
	return nil
}

// look asks everybody; who does not answer is a problem and keeps nobody else from
// being asked.
func (a *app) look(ctx context.Context, site *vaultSite) *vaultReport {
	r := &vaultReport{Target: site.what, Sandbox: site.sandbox, Problems: []string{}}
	for _, s := range site.ops.Status(ctx) {
		name := site.names[s.Address]
		if name == "" {
			name = s.Address
		}
		r.Servers = append(r.Servers, serverReport{name, s})
	}
	secret, err := site.secret.Read(ctx, labelCurrent)
	if err != nil {
		r.problem("recovery secret: %v", err)
	} else {
		r.Recovery = &recoveryReport{site.secret.Name(), secret.State, len(secret.Keys), secret.Threshold, len(secret.NextKeys) > 0}
	}
	r.judge()
	found, any, err := site.snapshots.Newest(ctx)
	switch {
	case err != nil:
		r.problem("snapshots: %v", err)
	case any:
		r.Newest = &found
		if age := a.now().Sub(found.Modified); age > snapshotAge {
			r.problem("the newest snapshot is %s old: see the jobs of the CronJob vault-snapshot, and take one with `strongroom vault snapshot`", age.Round(time.Minute))
		}
	case r.finished():
		r.problem("there is no snapshot yet: take one with `strongroom vault snapshot`")
	}
	r.OK = len(r.Problems) == 0
	return r
}

func (r *vaultReport) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

func (r *vaultReport) finished() bool {
	return r.Recovery != nil && r.Recovery.State == vaultops.Finished
}

// judge says what is wrong with the servers and the first start.
func (r *vaultReport) judge() {
	initialized, sealed, active, answering := 0, 0, 0, 0
	for _, s := range r.Servers {
		if s.Failure != "" {
			r.problem("%s does not answer: %s: docs/vault-operations.md, \"A server hangs\", if it runs", s.Name, s.Failure)
			continue
		}
		answering++
		switch {
		case !s.Initialized:
			continue
		case s.Sealed:
			sealed++
			r.problem("%s is sealed, so KMS did not unseal it: docs/vault-operations.md, \"Vault is sealed\"", s.Name)
		case s.Unhealthy != "":
			r.problem("%s %s: docs/vault-operations.md, \"Quorum is lost\", if it stays so", s.Name, s.Unhealthy)
		case s.Active:
			active++
		}
		initialized++
	}
	for _, s := range r.Servers {
		if initialized > 0 && s.Failure == "" && !s.Initialized {
			r.problem("%s has not joined the others: `kubectl -n vault logs %[1]s` says why", s.Name)
		}
	}
	switch {
	case len(r.Servers) == 0:
		r.problem("there are no servers: see `kubectl -n vault get pods`")
	case initialized > sealed && active == 0:
		r.problem("no server is active: is a majority up? docs/vault-operations.md, \"Quorum is lost\"")
	case active > 1:
		r.problem("%d servers say that they are active: ask again; if it stays so, docs/vault-operations.md, \"Quorum is lost\"", active)
	}
	if r.Recovery != nil {
		r.judgeFirstStart(initialized, answering)
	}
}

func (r *vaultReport) judgeFirstStart(initialized, answering int) {
	switch state := r.Recovery.State; {
	case initialized > 0 && state == vaultops.Empty:
		r.problem("Vault is initialised, but the recovery secret holds no keys: if the first start is not at it right now, `strongroom vault reset-empty`")
	case state == vaultops.Stored || state == vaultops.Finishing:
		r.problem("the first start has not finished (%q): `kubectl -n vault logs job/vault-init -c init`", state)
	case initialized == 0 && answering == len(r.Servers) && answering > 0 && state == vaultops.Finished:
		r.problem("no server is initialised, but the recovery secret holds the keys of a Vault: the storage is lost; `strongroom vault restore newest`")
	case initialized == 0 && answering > 0 && state == vaultops.Empty:
		r.problem("Vault is not initialised yet: `kubectl -n vault logs job/vault-init -c init` says what the first start waits for")
	}
	if r.Recovery.Rotating {
		r.problem("a rotation of the recovery keys was interrupted: run `strongroom vault rotate-recovery` again")
	}
}

func (r *vaultReport) text(now time.Time) string {
	rows := [][]string{{"SERVER", "STATE", "VERSION", "ADDRESS"}}
	for _, s := range r.Servers {
		state := "standby"
		switch {
		case s.Failure != "":
			state = "no answer"
		case !s.Initialized:
			state = "not initialised"
		case s.Sealed:
			state = "sealed"
		case s.Unhealthy != "":
			state = "unhealthy"
		case s.Active:
			state = "active"
		}
		rows = append(rows, []string{s.Name, state, s.Version, s.Address})
	}
	text := columns(rows) + "\n"
	rows = nil
	if r.Recovery != nil {
		state := r.Recovery.State
		if r.Recovery.Keys > 0 {
			state += fmt.Sprintf(", %s, %d needed", plural(r.Recovery.Keys, "recovery key"), r.Recovery.Threshold)
		}
		rows = append(rows, []string{"first start", state})
	}
	if r.Newest != nil {
		rows = append(rows, []string{"newest snapshot", fmt.Sprintf("%s, %s, %s ago", r.Newest.Key, size(r.Newest.Bytes), now.Sub(r.Newest.Modified).Round(time.Minute))})
	}
	return text + columns(rows)
}
