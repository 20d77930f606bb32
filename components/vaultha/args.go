package vaultha

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/tags"
)

// Args of a VaultHA.
type Args struct {
	// Hostname is the private name of Vault, such as "vault.tooling.internal".
	Hostname string
	// Region of the KMS key.
	Region string
	// Replicas is the number of servers: 3, 5 or 7.
	Replicas int
	Storage  Storage
	Image    Image
	// Certificate is that of the servers, Authority what signs it.
	Certificate Certificate
	Authority   Authority
	// RecoveryWindowDays is how long a deleted recovery secret can be brought back,
	// 7 to 30 days. The unseal key has the same time.
	RecoveryWindowDays int
	// SnapshotRetentionDays is how long snapshots are kept.
	SnapshotRetentionDays int

	// VPCID, Subnets and NodeSecurityGroupID are where EFS is mounted from. With gp3
	// they are not used.
	VPCID               pulumi.StringInput
	Subnets             []Subnet
	NodeSecurityGroupID pulumi.StringInput

	Tags tags.Tags
	// Protect the keys, the recovery secret, the authority's key, the bucket, the
	// file system and the namespace from being deleted or replaced.
	Protect bool
}

// StorageKind is where the servers keep their data.
type StorageKind string

const (
	// GP3 is a disk of its own for each server, in the zone of the server.
	GP3 StorageKind = "gp3"
	// EFS is one file system with a folder for each server. A server can start in
	// any zone; each write is slower, because raft's files are then on NFS.
	EFS StorageKind = "efs"
)

// Storage of the servers.
type Storage struct {
	Kind StorageKind
	// StorageClass of the disks, only with GP3.
	StorageClass string
	// SizeGiB and AuditSizeGiB are the sizes of each server's data and audit log.
	// EFS grows by itself and does not look at them.
	SizeGiB, AuditSizeGiB int
}

// Image of the servers, such as docker.io/hashicorp/vault and 2.0.4.
type Image struct {
	Repository, Tag string
}

// Certificate of the servers.
type Certificate struct {
	// Days that it is valid, and how many before its end it is renewed.
	Days, RenewBeforeDays int
}

// Authority signs the certificate. There can be several of them, told apart by a
// number: to change the key without anybody losing trust, a new one is trusted
// first, signs then, and the old one is no longer trusted last.
type Authority struct {
	// Days that an authority's certificate is valid.
	Days int
	// Trusted are the numbers of all authorities that clients trust.
	Trusted []int
	// Active is the number of the one that signs.
	Active int
}

// Subnet is a private subnet with the name that its zone has in resource names.
type Subnet struct {
	Name string
	ID   pulumi.StringInput
}

// authorityRenewDays is how long before its end an authority's certificate is
// renewed, with the same key: a certificate that was signed the moment before still
// ends first.
func (a *Args) authorityRenewDays() int { return a.Certificate.Days + a.Certificate.RenewBeforeDays }

// inputs are what the state shows for the component.
func (a *Args) inputs() pulumi.Map {
	trusted := make(pulumi.IntArray, len(a.Authority.Trusted))
	for i, number := range a.Authority.Trusted {
		trusted[i] = pulumi.Int(number)
	}
	return pulumi.Map{
		"hostname": pulumi.String(a.Hostname),
		"region":   pulumi.String(a.Region),
		"replicas": pulumi.Int(a.Replicas),
		"storage":  pulumi.String(string(a.Storage.Kind)),
		"image":    pulumi.String(a.Image.Repository + ":" + a.Image.Tag),
		"authority": pulumi.Map{
			"days": pulumi.Int(a.Authority.Days), "trusted": trusted, "active": pulumi.Int(a.Authority.Active),
		},
		"tags":    a.Tags.Map(),
		"protect": pulumi.Bool(a.Protect),
	}
}
