// Package ekscluster makes an EKS cluster ready for work: control plane, keys
// and logs, who may use it, nodes, and the add-ons without which nodes and pods
// do not come up.
//
// The control plane is the Cluster component of pulumi-eks 2.8.1, which runs in
// a process of its own and looks for the programs aws and kubectl on PATH.
package ekscluster

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
)

const token = "strongroom:ekscluster:EksCluster"

// EksCluster is the cluster and everything that makes it usable.
type EksCluster struct {
	pulumi.ResourceState

	// Name as given; ClusterName is the same once the cluster exists, and what
	// uses it is destroyed before the cluster.
	Name        string
	ClusterName pulumi.StringOutput
	ARN         pulumi.StringOutput
	// Kubeconfig is JSON. It holds no credentials: it runs `aws eks get-token`.
	Kubeconfig pulumi.StringOutput
	// Endpoint is the URL of the Kubernetes API.
	Endpoint pulumi.StringOutput
	// CertificateAuthority is base64 of PEM.
	CertificateAuthority pulumi.StringOutput
	// OIDCIssuer is the URL that service account tokens name as issuer.
	OIDCIssuer pulumi.StringOutput
	// ClusterSecurityGroupID is the group that EKS makes and gives to the control
	// plane's interfaces and to every managed node.
	ClusterSecurityGroupID pulumi.StringOutput
	// NodeRoleARN is the role that all nodes share.
	NodeRoleARN pulumi.StringOutput
	// Ready is what pods need to run: node groups, add-ons and access entries.
	// Let what is put into the cluster depend on it.
	Ready []pulumi.Resource
}

// New makes the cluster: what the control plane needs first, the control plane,
// who may use it, the add-ons that nodes need, the nodes, the other add-ons.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*EksCluster, error) {
	if err := args.Validate(); err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	c := &EksCluster{Name: args.ClusterName}
	if err := component.Register(ctx, token, name, args.inputs(), c, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, name: name, args: args, cluster: c}
	b.lookupAccount()

	key, err := b.encryptionKey()
	if err != nil {
		return nil, fmt.Errorf("cluster %q: encryption key: %w", args.ClusterName, err)
	}
	logs, err := b.controlPlaneLogs()
	if err != nil {
		return nil, fmt.Errorf("cluster %q: control plane logs: %w", args.ClusterName, err)
	}
	nodeRole, err := b.nodeRole()
	if err != nil {
		return nil, fmt.Errorf("cluster %q: node role: %w", args.ClusterName, err)
	}
	if err := b.controlPlane(key, logs, nodeRole.role); err != nil {
		return nil, fmt.Errorf("cluster %q: control plane: %w", args.ClusterName, err)
	}
	access, err := b.adminAccess()
	if err != nil {
		return nil, fmt.Errorf("cluster %q: access: %w", args.ClusterName, err)
	}
	first, err := b.addons(beforeNodes, nil)
	if err != nil {
		return nil, fmt.Errorf("cluster %q: %w", args.ClusterName, err)
	}
	nodes, err := b.nodeGroups(nodeRole, first)
	if err != nil {
		return nil, fmt.Errorf("cluster %q: %w", args.ClusterName, err)
	}
	second, err := b.addons(afterNodes, nodes)
	if err != nil {
		return nil, fmt.Errorf("cluster %q: %w", args.ClusterName, err)
	}

	c.NodeRoleARN = nodeRole.role.Arn
	for _, made := range [][]pulumi.Resource{access, first, nodes, second} {
		c.Ready = append(c.Ready, made...)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"clusterName":            c.ClusterName,
		"arn":                    c.ARN,
		"kubeconfig":             c.Kubeconfig,
		"endpoint":               c.Endpoint,
		"certificateAuthority":   c.CertificateAuthority,
		"oidcIssuer":             c.OIDCIssuer,
		"clusterSecurityGroupId": c.ClusterSecurityGroupID,
		"nodeRoleArn":            c.NodeRoleARN,
	})
}

// builder is what the concerns share while one cluster is made.
type builder struct {
	ctx     *pulumi.Context
	name    string
	args    *Args
	cluster *EksCluster

	partition pulumi.StringOutput
	accountID pulumi.StringOutput
}

// child returns the options for a child of the component.
func (b *builder) child(extra ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return component.Child(b.cluster, extra...)
}
