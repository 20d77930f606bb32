package derive

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2clientvpn"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
)

// Sources lists the types of the simulated account.
var Sources = []Source{
	{"aws:acm/certificate:Certificate", acm.CertificateArgs{}, acm.CertificateState{}},

	{"aws:cloudwatch/logGroup:LogGroup", cloudwatch.LogGroupArgs{}, cloudwatch.LogGroupState{}},

	{"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", ec2.DefaultSecurityGroupArgs{}, ec2.DefaultSecurityGroupState{}},
	{"aws:ec2/eip:Eip", ec2.EipArgs{}, ec2.EipState{}},
	{"aws:ec2/flowLog:FlowLog", ec2.FlowLogArgs{}, ec2.FlowLogState{}},
	{"aws:ec2/internetGateway:InternetGateway", ec2.InternetGatewayArgs{}, ec2.InternetGatewayState{}},
	{"aws:ec2/launchTemplate:LaunchTemplate", ec2.LaunchTemplateArgs{}, ec2.LaunchTemplateState{}},
	{"aws:ec2/natGateway:NatGateway", ec2.NatGatewayArgs{}, ec2.NatGatewayState{}},
	{"aws:ec2/peeringConnectionOptions:PeeringConnectionOptions", ec2.PeeringConnectionOptionsArgs{}, ec2.PeeringConnectionOptionsState{}},
	{"aws:ec2/route:Route", ec2.RouteArgs{}, ec2.RouteState{}},
	{"aws:ec2/routeTable:RouteTable", ec2.RouteTableArgs{}, ec2.RouteTableState{}},
	{"aws:ec2/routeTableAssociation:RouteTableAssociation", ec2.RouteTableAssociationArgs{}, ec2.RouteTableAssociationState{}},
	{"aws:ec2/securityGroup:SecurityGroup", ec2.SecurityGroupArgs{}, ec2.SecurityGroupState{}},
	{"aws:ec2/securityGroupRule:SecurityGroupRule", ec2.SecurityGroupRuleArgs{}, ec2.SecurityGroupRuleState{}},
	{"aws:ec2/subnet:Subnet", ec2.SubnetArgs{}, ec2.SubnetState{}},
	{"aws:ec2/vpc:Vpc", ec2.VpcArgs{}, ec2.VpcState{}},
	{"aws:ec2/vpcEndpoint:VpcEndpoint", ec2.VpcEndpointArgs{}, ec2.VpcEndpointState{}},
	{"aws:ec2/vpcPeeringConnection:VpcPeeringConnection", ec2.VpcPeeringConnectionArgs{}, ec2.VpcPeeringConnectionState{}},
	{"aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter", ec2.VpcPeeringConnectionAccepterArgs{}, ec2.VpcPeeringConnectionAccepterState{}},
	{"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", vpc.SecurityGroupEgressRuleArgs{}, vpc.SecurityGroupEgressRuleState{}},
	{"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", vpc.SecurityGroupIngressRuleArgs{}, vpc.SecurityGroupIngressRuleState{}},

	{"aws:ec2clientvpn/authorizationRule:AuthorizationRule", ec2clientvpn.AuthorizationRuleArgs{}, ec2clientvpn.AuthorizationRuleState{}},
	{"aws:ec2clientvpn/endpoint:Endpoint", ec2clientvpn.EndpointArgs{}, ec2clientvpn.EndpointState{}},
	{"aws:ec2clientvpn/networkAssociation:NetworkAssociation", ec2clientvpn.NetworkAssociationArgs{}, ec2clientvpn.NetworkAssociationState{}},
	{"aws:ec2clientvpn/route:Route", ec2clientvpn.RouteArgs{}, ec2clientvpn.RouteState{}},

	{"aws:efs/accessPoint:AccessPoint", efs.AccessPointArgs{}, efs.AccessPointState{}},
	{"aws:efs/fileSystem:FileSystem", efs.FileSystemArgs{}, efs.FileSystemState{}},
	{"aws:efs/mountTarget:MountTarget", efs.MountTargetArgs{}, efs.MountTargetState{}},

	{"aws:eks/accessEntry:AccessEntry", eks.AccessEntryArgs{}, eks.AccessEntryState{}},
	{"aws:eks/accessPolicyAssociation:AccessPolicyAssociation", eks.AccessPolicyAssociationArgs{}, eks.AccessPolicyAssociationState{}},
	{"aws:eks/addon:Addon", eks.AddonArgs{}, eks.AddonState{}},
	{"aws:eks/cluster:Cluster", eks.ClusterArgs{}, eks.ClusterState{}},
	{"aws:eks/nodeGroup:NodeGroup", eks.NodeGroupArgs{}, eks.NodeGroupState{}},
	{"aws:eks/podIdentityAssociation:PodIdentityAssociation", eks.PodIdentityAssociationArgs{}, eks.PodIdentityAssociationState{}},

	{"aws:iam/instanceProfile:InstanceProfile", iam.InstanceProfileArgs{}, iam.InstanceProfileState{}},
	{"aws:iam/policy:Policy", iam.PolicyArgs{}, iam.PolicyState{}},
	{"aws:iam/role:Role", iam.RoleArgs{}, iam.RoleState{}},
	{"aws:iam/rolePolicy:RolePolicy", iam.RolePolicyArgs{}, iam.RolePolicyState{}},
	{"aws:iam/rolePolicyAttachment:RolePolicyAttachment", iam.RolePolicyAttachmentArgs{}, iam.RolePolicyAttachmentState{}},

	{"aws:kms/alias:Alias", kms.AliasArgs{}, kms.AliasState{}},
	{"aws:kms/key:Key", kms.KeyArgs{}, kms.KeyState{}},

	{"aws:lb/listener:Listener", lb.ListenerArgs{}, lb.ListenerState{}},
	{"aws:lb/loadBalancer:LoadBalancer", lb.LoadBalancerArgs{}, lb.LoadBalancerState{}},
	{"aws:lb/targetGroup:TargetGroup", lb.TargetGroupArgs{}, lb.TargetGroupState{}},

	{"aws:route53/record:Record", route53.RecordArgs{}, route53.RecordState{}},
	{"aws:route53/zone:Zone", route53.ZoneArgs{}, route53.ZoneState{}},
	{"aws:route53/zoneAssociation:ZoneAssociation", route53.ZoneAssociationArgs{}, route53.ZoneAssociationState{}},

	{"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", s3.BucketLifecycleConfigurationV2Args{}, s3.BucketLifecycleConfigurationV2State{}},
	{"aws:s3/bucketPolicy:BucketPolicy", s3.BucketPolicyArgs{}, s3.BucketPolicyState{}},
	{"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", s3.BucketPublicAccessBlockArgs{}, s3.BucketPublicAccessBlockState{}},
	{"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", s3.BucketServerSideEncryptionConfigurationV2Args{}, s3.BucketServerSideEncryptionConfigurationV2State{}},
	{"aws:s3/bucketV2:BucketV2", s3.BucketV2Args{}, s3.BucketV2State{}},
	{"aws:s3/bucketVersioningV2:BucketVersioningV2", s3.BucketVersioningV2Args{}, s3.BucketVersioningV2State{}},

	{"aws:secretsmanager/secret:Secret", secretsmanager.SecretArgs{}, secretsmanager.SecretState{}},
}
