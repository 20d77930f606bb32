package vaultha

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/kubeobject"
)

const (
	nfsPort = 2049
	// efsClass joins the volumes to their claims. There is no such storage class:
	// nothing is provisioned.
	efsClass = "vault-efs"
)

// storage makes the file system of EFS storage: one access point and one volume for
// each server's data and audit log, so that no server sees another's. With gp3 the
// disks are made from the chart's claims by the storage class.
func (b *builder) storage() error {
	if b.args.Storage.Kind != EFS {
		return nil
	}
	system, err := efs.NewFileSystem(b.ctx, b.name+"-efs", &efs.FileSystemArgs{
		Encrypted: pulumi.Bool(true),
		// Raft's writes come in bursts and are small.
		PerformanceMode: pulumi.String("generalPurpose"),
		ThroughputMode:  pulumi.String("elastic"),
		Tags:            b.args.Tags.Named(b.name + "-efs"),
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return err
	}
	targets, err := b.mountTargets(system)
	if err != nil {
		return err
	}
	for i := range b.args.Replicas {
		for _, claim := range []string{"data", "audit"} {
			if err := b.volume(system, claim, i, targets); err != nil {
				return err
			}
		}
	}
	b.vault.FileSystemID = system.ID().ToStringOutput()
	return nil
}

// mountTargets lets the nodes, and nobody else, mount the file system in each zone.
func (b *builder) mountTargets(system *efs.FileSystem) ([]pulumi.Resource, error) {
	name := b.name + "-efs"
	group, err := ec2.NewSecurityGroup(b.ctx, name+"-sg", &ec2.SecurityGroupArgs{
		Description: pulumi.String("Vault's file system: NFS from the nodes"),
		VpcId:       b.args.VPCID.ToStringOutput(),
		Tags:        b.args.Tags.Named(name),
	}, b.child()...)
	if err != nil {
		return nil, err
	}
	if _, err := vpc.NewSecurityGroupIngressRule(b.ctx, name+"-from-nodes", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           group.ID(),
		Description:               pulumi.String("NFS from the nodes"),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(nfsPort),
		ToPort:                    pulumi.Int(nfsPort),
		ReferencedSecurityGroupId: b.args.NodeSecurityGroupID.ToStringOutput(),
		Tags:                      b.args.Tags.Named(name),
	}, b.child()...); err != nil {
		return nil, err
	}
	var targets []pulumi.Resource
	for _, subnet := range b.args.Subnets {
		target, err := efs.NewMountTarget(b.ctx, name+"-"+subnet.Name, &efs.MountTargetArgs{
			FileSystemId:   system.ID(),
			SubnetId:       subnet.ID,
			SecurityGroups: pulumi.StringArray{group.ID().ToStringOutput()},
		}, b.child()...)
		if err != nil {
			return nil, err
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// volume makes the access point of one claim of one server, and the volume that waits
// for exactly that claim.
func (b *builder) volume(system *efs.FileSystem, claim string, server int, targets []pulumi.Resource) error {
	owner := fmt.Sprintf("%s-%d", Release, server)
	name := fmt.Sprintf("%s-efs-%s-%d", b.name, claim, server)
	point, err := efs.NewAccessPoint(b.ctx, name, &efs.AccessPointArgs{
		FileSystemId: system.ID(),
		PosixUser:    efs.AccessPointPosixUserArgs{Uid: pulumi.Int(vaultUser), Gid: pulumi.Int(vaultGroup)},
		RootDirectory: efs.AccessPointRootDirectoryArgs{
			Path: pulumi.String("/" + owner + "-" + claim),
			CreationInfo: efs.AccessPointRootDirectoryCreationInfoArgs{
				OwnerUid: pulumi.Int(vaultUser), OwnerGid: pulumi.Int(vaultGroup), Permissions: pulumi.String("0700"),
			},
		},
		Tags: b.args.Tags.Named(name),
	}, b.child()...)
	if err != nil {
		return err
	}
	size := b.args.Storage.SizeGiB
	if claim == "audit" {
		size = b.args.Storage.AuditSizeGiB
	}
	_, err = kubeobject.NewPersistentVolume(b.ctx, name+"-volume", kubeobject.Metadata{
		Name: pulumi.String(name), Labels: labels(),
	}, pulumi.Map{
		// The size has no effect on EFS, but a claim asks for one.
		"capacity":                      pulumi.StringMap{"storage": pulumi.String(gib(size))},
		"accessModes":                   pulumi.ToStringArray([]string{"ReadWriteOnce"}),
		"persistentVolumeReclaimPolicy": pulumi.String("Retain"),
		"storageClassName":              pulumi.String(efsClass),
		"mountOptions":                  pulumi.ToStringArray([]string{"tls"}),
		"claimRef": pulumi.StringMap{
			"apiVersion": pulumi.String("v1"), "kind": pulumi.String("PersistentVolumeClaim"),
			"namespace": pulumi.String(Namespace), "name": pulumi.String(claim + "-" + owner),
		},
		"csi": pulumi.StringMap{
			"driver":       pulumi.String("efs.csi.aws.com"),
			"volumeHandle": pulumi.Sprintf("%s::%s", system.ID(), point.ID()),
		},
	}, b.child(pulumi.DependsOn(targets))...)
	return err
}

func gib(n int) string { return fmt.Sprintf("%dGi", n) }
