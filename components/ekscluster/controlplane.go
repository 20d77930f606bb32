package ekscluster

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// controlPlane makes the cluster itself and fills in the outputs.
//
// Protection of a component of another process is inherited by every child that
// it makes (roles, security groups and Kubernetes providers besides the
// cluster). So only what stays as long as the cluster is made in there: the
// access entries of administrators and the node groups, which come and go, are
// not.
func (b *builder) controlPlane(key *kms.Key, logTypes pulumi.StringArrayOutput, nodeRole *iam.Role) error {
	args := pulumi.Map{
		"name":    pulumi.String(b.args.ClusterName),
		"version": pulumi.String(b.args.Version),

		"vpcId":                 b.args.VPCID,
		"privateSubnetIds":      b.args.PrivateSubnetIDs,
		"endpointPrivateAccess": pulumi.Bool(true),
		"endpointPublicAccess":  pulumi.Bool(len(b.args.PublicAccessCIDRs) > 0),

		"authenticationMode": pulumi.String("API"),
		// Without it the component makes a role of its own with the rights of a
		// node, which no node would use. It gets the access entry with which nodes
		// join.
		"instanceRole": nodeRole,

		"encryptionConfigKeyArn": key.Arn,
		"enabledClusterLogTypes": logTypes,

		// Its default node group uses launch configurations, which AWS refuses to
		// new accounts; its vpc-cni is a kubectl apply; Pod Identity needs no OIDC
		// provider.
		"skipDefaultNodeGroup": pulumi.Bool(true),
		"useDefaultVpcCni":     pulumi.Bool(true),
		"createOidcProvider":   pulumi.Bool(false),

		"tags":        b.args.Tags.Map(),
		"clusterTags": pulumi.StringMap{"Name": pulumi.String(b.args.ClusterName)},
	}
	if len(b.args.PublicAccessCIDRs) > 0 {
		args["publicAccessCidrs"] = pulumi.ToStringArray(b.args.PublicAccessCIDRs)
	}
	providers, err := b.providers()
	if err != nil {
		return err
	}
	made, err := newRemoteCluster(b.ctx, b.name+"-eks", args, b.child(pulumi.Protect(b.args.Protect), pulumi.Providers(providers...))...)
	if err != nil {
		return err
	}

	// Read from the cluster in the component, not from the component: so what
	// uses them is destroyed before the cluster.
	cluster := made.EksCluster
	c := b.cluster
	c.ClusterName = cluster.Name()
	c.ARN = cluster.Arn()
	c.Endpoint = cluster.Endpoint()
	c.CertificateAuthority = cluster.CertificateAuthority().Data().Elem()
	c.OIDCIssuer = cluster.Identities().Index(pulumi.Int(0)).Oidcs().Index(pulumi.Int(0)).Issuer().Elem()
	// The SDK reads what is unknown inside of a known object, as here in the
	// preview of a new cluster, as the empty string. The ARN is unknown then.
	c.ClusterSecurityGroupID = pulumi.All(cluster.Arn(), cluster.VpcConfig().ClusterSecurityGroupId().Elem()).ApplyT(
		func(known []any) string { return known[1].(string) }).(pulumi.StringOutput)
	c.Kubeconfig = made.KubeconfigJSON
	return nil
}

// providers are those of the component: the one that runs it, and the one that
// makes what is in it, because its process knows only what it is handed.
func (b *builder) providers() ([]pulumi.ProviderResource, error) {
	runs := b.cluster.GetProvider("eks:index:Cluster")
	if runs == nil {
		// It has no settings, so there is nothing for the caller to decide. With
		// default providers disabled it has to be named all the same.
		provider, err := newRemoteProvider(b.ctx, b.name+"-eks-provider", b.child()...)
		if err != nil {
			return nil, fmt.Errorf("provider: %w", err)
		}
		runs = provider
	}
	providers := []pulumi.ProviderResource{runs}
	if makes := b.cluster.GetProvider("aws:eks/cluster:Cluster"); makes != nil {
		providers = append(providers, makes)
	}
	return providers, nil
}
