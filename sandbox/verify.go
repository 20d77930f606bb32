package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/strongroom-platform/strongroom/sandbox/vaulthost"
	"github.com/strongroom-platform/strongroom/sandbox/verify"
)

// vaultLimit is how long Vault may take to be as the stacks left it: its servers are
// elected anew after a start of the daemon.
const vaultLimit = time.Minute

// VerifyStacks are the stacks as they are up.
type VerifyStacks struct {
	Tooling, Application verify.Stack
	// VaultAddress and Region are outputs of tooling.
	VaultAddress, Region string
}

// Verify tries every login to Vault and follows a database user through its life; nil
// where the daemon runs no Vault. The first time it hands PostgreSQL over to Vault.
func (s *Sandbox) Verify(ctx context.Context, stacks VerifyStacks, progress func(string)) (*verify.Report, error) {
	noted, err := s.surroundings()
	if err != nil || noted == nil {
		return nil, err
	}
	vault, err := s.awaitVault(ctx)
	if err != nil {
		return nil, err
	}
	args := verify.Args{
		Tooling: stacks.Tooling, Application: stacks.Application, Address: stacks.VaultAddress, Region: stacks.Region,
		ServerName: vault.ServerName, Database: vault.Database, DatabaseNote: vault.DatabaseNote, Progress: progress,
	}
	for _, server := range vault.Servers {
		args.Servers = append(args.Servers, server.URL)
	}
	if args.CA, err = os.ReadFile(vault.CAFile); err != nil {
		return nil, fmt.Errorf("CA of Vault: %w", err)
	}
	if args.GitLab, err = s.gitlabKey(); err != nil {
		return nil, err
	}
	if args.Backup, err = s.keys(ctx, BackupProfile); err != nil {
		return nil, err
	}
	if args.Stranger, err = s.keys(ctx, StrangerProfile); err != nil {
		return nil, err
	}
	return verify.Run(ctx, args)
}

// awaitVault waits until tooling's Vault has an active server, and PostgreSQL runs or
// it is known why not.
func (s *Sandbox) awaitVault(ctx context.Context) (*vaulthost.Status, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, vaultLimit, fmt.Errorf("not there after %s", vaultLimit))
	defer cancel()
	missing := errors.New("no status yet")
	var found *vaulthost.Status
	err := wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		status, err := s.Status(ctx)
		if err != nil {
			return false, err
		}
		for _, v := range status.Vaults {
			if v.Cluster == verify.Tooling {
				found, missing = &v, lacks(&v)
			}
		}
		return missing == nil, nil
	})
	switch {
	case err == nil:
		return found, nil
	case ctx.Err() == nil:
		return nil, err
	}
	return nil, fmt.Errorf("vault of cluster %q: %w: %w; `strongroom sandbox status` shows it, and %s what the daemon did",
		verify.Tooling, context.Cause(ctx), missing, s.daemonLog())
}

// lacks says what a Vault still lacks.
func lacks(v *vaulthost.Status) error {
	active := false
	for _, server := range v.Servers {
		active = active || server.Active()
	}
	switch {
	case v.Failure != "":
		return errors.New(v.Failure)
	case !active:
		return errors.New("no server is active")
	case v.Database == nil && v.DatabaseNote == "":
		return errors.New("PostgreSQL is starting")
	}
	return nil
}

// keys are those of a profile of the simulated account.
func (s *Sandbox) keys(ctx context.Context, profile string) (aws.Credentials, error) {
	loaded, err := config.LoadSharedConfigProfile(ctx, profile, func(o *config.LoadSharedConfigOptions) {
		o.CredentialsFiles, o.ConfigFiles = []string{s.credentialsFile()}, []string{s.awsConfigFile()}
	})
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("keys of the simulated account: %w", err)
	}
	return loaded.Credentials, nil
}
