package stacks

import (
	"github.com/strongroom-platform/strongroom/components/vaultha"
	"github.com/strongroom-platform/strongroom/internal/vaultaccess"
)

// Vault is the stack's Vault.
type Vault struct {
	// Replicas is the number of servers: 3, 5 or 7. Default: 3.
	Replicas int `config:"replicas"`

	Storage VaultStorage `config:"storage"`

	// Image of the servers and of the agents. Default: docker.io/hashicorp/vault, in
	// the version that the tree in gitops/ uses for its jobs.
	Image VaultImage `config:"image"`

	// Certificate is that of the servers.
	Certificate VaultCertificate `config:"certificate"`

	// CA signs it: docs/vault-operations.md says how it is changed.
	CA VaultCA `config:"ca"`

	// RecoveryWindowDays is how long the recovery secret and the keys can be brought
	// back after they were deleted, 7 to 30. Default: 30.
	RecoveryWindowDays int `config:"recoveryWindowDays"`

	// SnapshotRetentionDays is how long snapshots are kept. Default: 30.
	SnapshotRetentionDays int `config:"snapshotRetentionDays"`

	// Access is how Vault is reached to declare what is inside. For both stacks.
	Access VaultAccess `config:"access"`

	// Logins are the ways to log in. For both stacks.
	Logins VaultLogins `config:"logins"`

	// Applications are the stacks, by their strongroom:name, whose workloads may have
	// users in the databases. Default: the stack's own name with "application" in place
	// of "tooling".
	Applications []string `config:"applications"`

	// Databases that Vault makes users in. Default: none.
	Databases []VaultDatabase `config:"databases"`

	// Workloads are who logs in to Vault and what they may do. For both stacks. Default:
	// nothing inside of Vault is declared; with an empty list the engines, the logins
	// and what gitops/ needs are.
	Workloads []VaultWorkload `config:"workloads"`

	// declared says whether what is inside of Vault is. Not a key.
	declared bool `config:"-"`
}

// VaultStorage is where the servers keep their data.
type VaultStorage struct {
	// Type is "gp3" (a disk for each server) or "efs" (one file system: a server can
	// start in any zone, each write is slower). Default: "gp3". A change moves no data:
	// it needs a snapshot before and a restore after it.
	Type string `config:"type"`

	// StorageClass of the disks, only with gp3. Default: "gp3".
	StorageClass string `config:"storageClass"`

	// SizeGiB and AuditSizeGiB are the sizes of each server's data and audit log.
	// Default: 10 and 10.
	SizeGiB      int `config:"sizeGiB"`
	AuditSizeGiB int `config:"auditSizeGiB"`
}

// VaultImage is a pinned image.
type VaultImage struct {
	Repository string `config:"repository"`
	Tag        string `config:"tag"`
}

// VaultCertificate is the certificate of the servers.
type VaultCertificate struct {
	// Days that it is valid, at most 825. Default: 365.
	Days int `config:"days"`

	// RenewBeforeDays is from when on before its end an `up` renews it. Default: 30.
	RenewBeforeDays int `config:"renewBeforeDays"`
}

// VaultCA are the authorities for that certificate, told apart by numbers.
type VaultCA struct {
	// Days that an authority is valid. Default: 3650.
	Days int `config:"days"`

	// Trusted are all authorities that clients trust. Default: [1].
	Trusted []int `config:"trusted"`

	// Active is the one that signs. Default: 1.
	Active int `config:"active"`
}

func defaultVault() Vault {
	return Vault{
		Replicas:              3,
		Storage:               VaultStorage{Type: string(vaultha.GP3), SizeGiB: 10, AuditSizeGiB: 10},
		Image:                 VaultImage{Repository: "docker.io/hashicorp/vault", Tag: "2.0.4"},
		Certificate:           VaultCertificate{Days: 365, RenewBeforeDays: 30},
		CA:                    VaultCA{Days: 3650, Trusted: []int{1}, Active: 1},
		RecoveryWindowDays:    30,
		SnapshotRetentionDays: 30,
		Access:                VaultAccess{Mode: string(vaultaccess.Tunnel), Port: 18200, WaitMinutes: 30},
	}
}

// deriveVault fills in what depends on the kind of storage.
func (c *Config) deriveVault(d *decoder) {
	if c.Vault.Storage.Type == string(vaultha.GP3) && !d.has("vault.storage.storageClass") {
		c.Vault.Storage.StorageClass = "gp3"
	}
}

// checkVault lets the component say what it cannot make, by key.
func (c *Config) checkVault(d *decoder) {
	for _, p := range c.vaultHA().Problems() {
		d.problem("vault."+p.Setting, p.Message)
	}
}

// vaultHA returns the arguments of the stack's Vault, without those that come from
// other resources.
func (c *Config) vaultHA() *vaultha.Args {
	v := c.Vault
	return &vaultha.Args{
		Hostname: c.vaultHostname(),
		Region:   c.Region,
		Replicas: v.Replicas,
		Storage: vaultha.Storage{
			Kind:         vaultha.StorageKind(v.Storage.Type),
			StorageClass: v.Storage.StorageClass,
			SizeGiB:      v.Storage.SizeGiB,
			AuditSizeGiB: v.Storage.AuditSizeGiB,
		},
		Image:                 vaultha.Image(v.Image),
		Certificate:           vaultha.Certificate(v.Certificate),
		Authority:             vaultha.Authority(v.CA),
		RecoveryWindowDays:    v.RecoveryWindowDays,
		SnapshotRetentionDays: v.SnapshotRetentionDays,
		Tags:                  c.Tags,
		Protect:               c.Protect,
	}
}

// vaultHostname is the private name of Vault.
func (c *Config) vaultHostname() string { return "vault." + c.PrivateZone }
