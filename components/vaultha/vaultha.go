// Package vaultha makes all that a highly available Vault in an EKS cluster needs
// before its first pod starts: the KMS key that unseals it, the secret for its
// recovery keys, its certificates, its storage, the bucket for its snapshots, its
// namespace, and the values with which Flux installs the chart.
//
// The pods themselves, the Job of the first start and the CronJob of the snapshots
// are in gitops/. Their IAM roles come from package workloadrole with the policies
// that VaultHA offers.
package vaultha

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
	"github.com/strongroom-platform/strongroom/internal/iampolicy"
	"github.com/strongroom-platform/strongroom/internal/kubeobject"
)

const token = "strongroom:vaultha:VaultHA"

// VaultHA is what Vault's servers need.
type VaultHA struct {
	pulumi.ResourceState

	// Peers are the addresses of the servers inside of the cluster, the first one
	// being the one that is initialised.
	Peers []string
	// CACertificates are the certificates, in PEM, of all authorities that clients
	// trust.
	CACertificates pulumi.StringOutput
	// UnsealKeyARN is the KMS key that encrypts Vault's root key.
	UnsealKeyARN pulumi.StringOutput
	// RecoverySecretARN is where the first start puts the recovery keys.
	RecoverySecretARN pulumi.StringOutput
	// SnapshotBucket is the name of the bucket for snapshots, which go below
	// SnapshotPrefix.
	SnapshotBucket pulumi.StringOutput
	// Namespace is the name of Vault's namespace, once it exists.
	Namespace pulumi.StringOutput
	// FileSystemID is the file system of EFS storage, and empty with gp3.
	FileSystemID pulumi.StringOutput

	// ServerPolicy, InitPolicy and SnapshotPolicy are what the IAM roles of the
	// service accounts ServerAccount, InitAccount and SnapshotAccount may do.
	ServerPolicy, InitPolicy, SnapshotPolicy *iampolicy.Document
}

// builder carries what every concern needs.
type builder struct {
	ctx       *pulumi.Context
	name      string
	args      *Args
	vault     *VaultHA
	home      *kubeobject.Object
	partition pulumi.StringOutput
	accountID pulumi.StringOutput
}

func (b *builder) child(extra ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return component.Child(b.vault, extra...)
}

// inNamespace returns the options for an object in Vault's namespace.
func (b *builder) inNamespace() []pulumi.ResourceOption {
	return b.child(pulumi.DependsOn([]pulumi.Resource{b.home}))
}

// New makes the keys, the recovery secret, the certificates, the bucket, the
// namespace, the storage, then the Secrets from which the chart is installed.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*VaultHA, error) {
	if err := args.Validate(name); err != nil {
		return nil, err
	}
	v := &VaultHA{Peers: args.peers(), FileSystemID: pulumi.String("").ToStringOutput()}
	if err := component.Register(ctx, token, name, args.inputs(), v, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, name: name, args: args, vault: v}
	b.lookupAccount()
	for _, concern := range []struct {
		what string
		make func() error
	}{
		{"unseal key", b.unsealKey},
		{"recovery secret", b.recoverySecret},
		{"snapshots", b.snapshots},
		{"namespace", b.namespace},
		{"storage", b.storage},
		{"certificates", b.certificates},
		{"chart values", b.chartValues},
	} {
		if err := concern.make(); err != nil {
			return nil, fmt.Errorf("vault %q: %s: %w", name, concern.what, err)
		}
	}
	return v, ctx.RegisterResourceOutputs(v, pulumi.Map{
		"caCertificates":    v.CACertificates,
		"fileSystemId":      v.FileSystemID,
		"namespace":         v.Namespace,
		"peers":             pulumi.ToStringArray(v.Peers),
		"recoverySecretArn": v.RecoverySecretARN,
		"snapshotBucket":    v.SnapshotBucket,
		"unsealKeyArn":      v.UnsealKeyARN,
	})
}
