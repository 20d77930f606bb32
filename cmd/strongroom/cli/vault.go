package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/internal/vaultops"
)

const vaultLong = `

It reaches the servers and the recovery secret by the stack's outputs, with your
own credentials for AWS and the cluster, or with --sandbox in the sandbox. See
docs/vault-operations.md.`

func (a *app) vaultCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vault",
		Short: "Look after Vault's servers: status, snapshots, recovery keys",
		Long: `What nothing declares and a person does, now and then or at three in the morning:
look at the servers, take and restore snapshots, make a root token from the
recovery keys, replace those keys, and reset a Vault that never got anything into
it. docs/vault-operations.md says when which is needed.`,
		Example: `  strongroom vault status
  strongroom vault snapshot
  strongroom vault generate-root --out root.token`,
		Args: subcommands,
		RunE: showHelp,
	}
	cmd.AddCommand(a.vaultStatusCommand(), a.vaultSnapshotCommand(), a.vaultRestoreCommand(),
		a.vaultGenerateRootCommand(), a.vaultRotateRecoveryCommand(), a.vaultResetEmptyCommand(),
		a.vaultHandOverCommand())
	return cmd
}

// vaultFlags choose the Vault.
type vaultFlags struct {
	placeFlags
	stack     string
	json, yes bool
}

func (a *app) addVaultFlags(cmd *cobra.Command, f *vaultFlags, changes bool) {
	a.addPlaceFlags(cmd, &f.placeFlags)
	cmd.Flags().StringVar(&f.stack, "stack", "tooling", "the stack with Vault")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object, for machines")
	if changes {
		cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	}
}

// vaultSite is a stack's Vault with what its commands need around it.
type vaultSite struct {
	// ops speaks to every server.
	ops *vaultops.Vault
	// names are the servers', by address: "vault-0".
	names map[string]string
	// login gets a token of Vault for a role at the mount of the first start, with
	// the token of a service account in Vault's namespace.
	login func(ctx context.Context, serviceAccount, role string) (string, error)
	// secret is the recovery secret.
	secret recoverySecret
	// snapshots is the bucket.
	snapshots snapshotBucket
	// storage is what the servers write to, and the first start beside it.
	storage vaultStorage

	what    string
	sandbox bool
	leave   func()
}

// recoverySecret is the secret with the recovery keys.
type recoverySecret interface {
	// Name is how people find it.
	Name() string
	// Read returns the version with a label, [vaultops.Empty] where there is none.
	Read(ctx context.Context, label string) (vaultops.Secret, error)
	// Write makes a version the current one.
	Write(ctx context.Context, s vaultops.Secret) error
}

// The labels of Secrets Manager.
const (
	labelCurrent  = "AWSCURRENT"
	labelPrevious = "AWSPREVIOUS"
)

// snapshotBucket keeps snapshots.
type snapshotBucket interface {
	Name() string
	// Newest is the one that was written last; false where there is none.
	Newest(ctx context.Context) (storedSnapshot, bool, error)
	Put(ctx context.Context, key string, file *os.File) error
	Get(ctx context.Context, bucket, key string, file *os.File) error
}

// vaultStorage is the storage of the servers.
type vaultStorage interface {
	// Check says why the storage cannot be emptied. It changes nothing.
	Check(ctx context.Context) error
	// Begun says whether an earlier Empty was interrupted, after everything was
	// checked.
	Begun(ctx context.Context) (bool, error)
	// Empty stops the servers, makes their storage new, and starts them.
	Empty(ctx context.Context) error
	// Waits says why the first start cannot be made to run again now.
	Waits(ctx context.Context) error
	// FirstStart makes the first start run again, which ends at once where there is
	// nothing to do; [errFirstStartRuns] while it does.
	FirstStart(ctx context.Context) error
	// Plan is what Empty and FirstStart do, in order, for people.
	Plan() []string
}

// The service accounts of Vault's namespace and their roles at the mount that the
// first start makes.
const (
	provisionerAccount = "vault-provisioner"
	provisionerRole    = "provisioner"
	snapshotAccount    = "vault-snapshot"
	snapshotRole       = "snapshot"
)

// agree asks before Vault on AWS is changed. In the sandbox nothing is lost that
// could not be made again.
func (a *app) agree(ctx context.Context, f vaultFlags, site *vaultSite, question, want string) error {
	if site.sandbox || f.yes {
		return nil
	}
	if f.json || !a.asks {
		return usagef("there is nobody to ask: %s\nGive --yes if that is what you want, or use --sandbox", question)
	}
	return a.ask(ctx, fmt.Sprintf("%s Type %s to go on:", question, want), want)
}

// anyToken is for the calls for which Vault 2.x wants a token besides recovery keys.
// done ends the token.
func (a *app) anyToken(ctx context.Context, site *vaultSite) (token string, done func(), err error) {
	token, err = site.login(ctx, provisionerAccount, provisionerRole)
	if err == nil {
		return token, a.revoking(ctx, site, token), nil
	}
	if own := a.getenv("VAULT_TOKEN"); own != "" {
		a.tell(fmt.Sprintf("the provisioner cannot log in (%v): using $VAULT_TOKEN", err))
		return own, func() {}, nil
	}
	if ctx.Err() != nil {
		return "", nil, err
	}
	// Up to 1.21 the keys are enough. A newer Vault refuses, and then says this.
	a.tell(fmt.Sprintf("the provisioner cannot log in (%v): trying without a token, which only Vault before 2.0 takes; "+
		"with 2.x give any valid token in $VAULT_TOKEN, or see docs/vault-operations.md, \"Nobody can log in\"", err))
	return "", func() {}, nil
}

// revoking ends a token once it is not needed.
func (a *app) revoking(ctx context.Context, site *vaultSite, token string) func() {
	return func() {
		if err := site.ops.Revoke(ctx, token); err != nil && !vaultops.Forbidden(err) {
			a.tell(fmt.Sprintf("warning: %v: it ends by itself within the hour", err))
		}
	}
}

// secrets reads both versions of the recovery secret.
func (s *vaultSite) secrets(ctx context.Context) (current, previous vaultops.Secret, err error) {
	if current, err = s.secret.Read(ctx, labelCurrent); err != nil {
		return current, previous, err
	}
	previous, err = s.secret.Read(ctx, labelPrevious)
	return current, previous, err
}

// outFileError says how a file with a snapshot or a token could not be written.
func outFileError(flag string, err error) error {
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s: %w: it is never written over; choose another file", flag, err)
	}
	return fmt.Errorf("%s: %w", flag, err)
}

func (a *app) typedAtTerminal(prompt string) ([]byte, error) {
	in, ok := a.in.(*os.File)
	if !ok || !a.asks {
		return nil, usagef("there is no terminal to ask at")
	}
	return a.hidden(in, prompt)
}

// openVault opens a stack's Vault.
func (a *app) openVault(ctx context.Context, f vaultFlags) (*vaultSite, error) {
	site, err := a.reach(ctx, f)
	if err != nil {
		return nil, err
	}
	site.ops.Progress = a.tell
	return site, nil
}
