// Package sandbox is a place on one machine where both stacks can be run: the
// real engine, the real EKS component and real control planes over a simulated
// AWS account.
//
// Everything lies in one folder and runs as the calling user on 127.0.0.1:
//
//	bin/          the tools, and scripts under the names the engine looks for
//	build/        the strongroom program as make builds it
//	eks/          the EKS component (@pulumi/eks) with its packages
//	account/      the simulated account
//	clusters/     one folder per control plane: data, certificates, logs
//	vault/        one folder per cluster with a Vault: data, certificates, logs
//	vault-init/   the scripts of Vault's first start, out of the checkout
//	state/        the stacks' state (file backend)
//	gitlab/       the key of a GitLab that does not exist, whose jobs log in to Vault
//	crds/         the CRDs that Flux brings to the clusters
//	charts/       real charts, where `strongroom sandbox charts` could fetch them
//	flux/         the Git server, the charts' registry and Flux of each cluster
//	project/      copies of Pulumi.yaml and Pulumi.<stack>.yaml, where the engine
//	              writes, so that it does not write into the checkout
//	pulumi-home/  what the Pulumi CLI keeps for itself
//	aws/          credentials of the simulated account, for the AWS CLI
//	logs/         the daemon's log and the engine's
//	run/          which process is the daemon
//	passphrase    encrypts secrets in the state
//	daemon.json   where the daemon answers
//	version       the number of this layout
//
// Two sandboxes in two folders do not know of each other.
package sandbox

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/strongroom-platform/strongroom/sandbox/toolchain"
)

// DirVariable is the environment variable that names the sandbox's folder.
const DirVariable = "STRONGROOM_SANDBOX_DIR"

// DefaultDir is the folder, relative to the working directory, where neither
// the caller nor DirVariable names one.
const DefaultDir = ".sandbox"

// Sandbox is one sandbox, which need not exist yet.
type Sandbox struct {
	// Dir is its folder, absolute.
	Dir string
	// Command is the strongroom program that runs the daemon and the
	// providers. Default: see toolchain.Options.
	Command string
	// NoVault keeps the daemon from starting Vault's servers, whatever the stacks
	// declare. Open takes it from VaultVariable.
	NoVault bool
	// OwnAWS puts the sandbox's stand-in for the AWS CLI on PATH also where the machine
	// has a CLI of its own, which is a Python program and takes a second to start.
	OwnAWS bool

	freeDisk func(dir string) (uint64, error)
}

// Open names the sandbox in dir (default: $STRONGROOM_SANDBOX_DIR, then
// ".sandbox"). It makes nothing.
func Open(dir string) (*Sandbox, error) {
	if dir == "" {
		dir = os.Getenv(DirVariable)
	}
	if dir == "" {
		dir = DefaultDir
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of the sandbox: %w", err)
	}
	return &Sandbox{Dir: absolute, NoVault: os.Getenv(VaultVariable) == vaultOff, freeDisk: toolchain.FreeDisk}, nil
}

// BinDir holds the tools; it comes first on PATH.
func (s *Sandbox) BinDir() string { return s.path("bin") }

// EKSDir holds the EKS component.
func (s *Sandbox) EKSDir() string { return s.path("eks") }

// CRDDir holds the CRDs that Flux brings to the clusters.
func (s *Sandbox) CRDDir() string { return s.path("crds") }

// ChartsDir holds the mirror of real charts.
func (s *Sandbox) ChartsDir() string { return s.path("charts") }

// AccountDir holds the simulated account.
func (s *Sandbox) AccountDir() string { return s.path("account") }

// ClustersDir holds the control planes.
func (s *Sandbox) ClustersDir() string { return s.path("clusters") }

// StateDir is the engine's backend.
func (s *Sandbox) StateDir() string { return s.path("state") }

// ProjectDir is the engine's working directory.
func (s *Sandbox) ProjectDir() string { return s.path("project") }

// PulumiRoot is the installation of the Pulumi CLI: it holds bin/pulumi.
func (s *Sandbox) PulumiRoot() string { return s.Dir }

// LogDir holds the logs, except those of the control planes.
func (s *Sandbox) LogDir() string { return s.path("logs") }

// Backend is the URL of the stacks' state.
func (s *Sandbox) Backend() string { return "file://" + s.StateDir() }

// PassphraseFile holds the passphrase that encrypts secrets in the state.
func (s *Sandbox) PassphraseFile() string { return s.path("passphrase") }

func (s *Sandbox) path(elements ...string) string {
	return filepath.Join(append([]string{s.Dir}, elements...)...)
}

// kept are the tools, which cost minutes to make, the charts, the logs, and the lock, which
// somebody may be waiting for: Remove leaves them.
var kept = map[string]bool{"bin": true, "build": true, "eks": true, "crds": true, "charts": true, "logs": true, "lock": true}
